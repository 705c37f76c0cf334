//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package ffmpeg

import (
	"errors"
	"os"
)

// tryLock knows no locks here: whatever is there may be in use.
func tryLock(*os.File) error { return errors.ErrUnsupported }
