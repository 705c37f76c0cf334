//go:build unix

package ffmpeg

import (
	"os"
	"os/exec"
	"syscall"
)

const progressURL = "pipe:3"

func attachProgress(cmd *exec.Cmd, w *os.File) { cmd.ExtraFiles = []*os.File{w} }

func procAttr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(attr)
	return attr
}

// A group that is gone, or that is all zombies, is no error here.
func terminateGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGTERM) }
func killGroup(p *os.Process)      { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

// crashed tells whether s is a signal that a process brings on itself.
func crashed(s os.Signal) bool {
	switch s {
	case syscall.SIGSEGV, syscall.SIGABRT, syscall.SIGBUS, syscall.SIGILL, syscall.SIGFPE, syscall.SIGSYS, syscall.SIGTRAP:
		return true
	}
	return false
}

// signalOf is the signal that ended the process, nil if none did.
func signalOf(s *os.ProcessState) os.Signal {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return w.Signal()
	}
	return nil
}
