//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package ffmpeg

import (
	"errors"
	"os"
)

// tryLock fails: this system has no such locks, so any file may be in use.
func tryLock(*os.File) error { return errors.ErrUnsupported }
