//go:build unix && !linux

package ffmpeg

import (
	"os"
	"syscall"
)

func dieWithParent(*syscall.SysProcAttr) {}

func waitExit(*os.Process) bool { return false }
