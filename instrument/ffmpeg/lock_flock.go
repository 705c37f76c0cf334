//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package ffmpeg

import (
	"os"
	"syscall"
)

// tryLock locks the file until it is closed, at the latest when the program ends. The error is
// errLocked if the file is locked already; on file systems without locks it is another.
func tryLock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == syscall.EWOULDBLOCK {
		return errLocked
	}
	return err
}
