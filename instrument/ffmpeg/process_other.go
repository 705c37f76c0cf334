//go:build !unix

package ffmpeg

import (
	"os"
	"os/exec"
	"syscall"
)

// A process cannot be given files beyond the standard three on this system.
const progressURL = "pipe:1"

func attachProgress(cmd *exec.Cmd, w *os.File) { cmd.Stdout = w }

func procAttr() *syscall.SysProcAttr { return nil }

func waitExit(*os.Process) bool { return false }

func terminateGroup(p *os.Process) { _ = p.Kill() }
func killGroup(p *os.Process)      { _ = p.Kill() }

func crashed(os.Signal) bool { return false }

func signalOf(*os.ProcessState) os.Signal { return nil }
