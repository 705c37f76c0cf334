//go:build unix && !linux

package ffmpeg

import (
	"os"
	"syscall"
)

func dieWithParent(*syscall.SysProcAttr) {}

// kin returns nothing: this system does not tell whose child a process was.
func kin(int) []*os.Process { return nil }

func waitExit(*os.Process) bool { return false }
