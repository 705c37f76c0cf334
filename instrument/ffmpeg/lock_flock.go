//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package ffmpeg

import (
	"os"
	"syscall"
)

// tryLock locks the file until it is closed, which the end of the program does as well. The error is errLocked if
// another has it locked, and another one on file systems without locks.
func tryLock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == syscall.EWOULDBLOCK {
		return errLocked
	}
	return err
}
