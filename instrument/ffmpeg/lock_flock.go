//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package ffmpeg

import (
	"os"
	"syscall"
)

// tryLock locks the file until it is closed, which the end of the program does as well. It fails if another has it
// locked, and on file systems without locks.
func tryLock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}
