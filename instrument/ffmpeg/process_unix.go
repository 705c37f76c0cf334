//go:build unix

package ffmpeg

import (
	"os"
	"os/exec"
	"syscall"
)

const progressURL = "pipe:3"

func attachProgress(cmd *exec.Cmd, w *os.File) { cmd.ExtraFiles = []*os.File{w} }

// procAttr makes the process lead a group. With bound the kernel kills it when this program ends.
func procAttr(bound bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if bound {
		dieWithParent(attr)
	}
	return attr
}

// Both ignore a group that has ended or has only zombies.
func terminateGroup(p *os.Process) { _ = syscall.Kill(-p.Pid, syscall.SIGTERM) }
func killGroup(p *os.Process)      { _ = syscall.Kill(-p.Pid, syscall.SIGKILL) }

func terminate(p *os.Process) { _ = p.Signal(syscall.SIGTERM) }

// crashed reports whether s is a signal for a fault of the process itself.
func crashed(s os.Signal) bool {
	switch s {
	case syscall.SIGSEGV, syscall.SIGABRT, syscall.SIGBUS, syscall.SIGILL, syscall.SIGFPE, syscall.SIGSYS, syscall.SIGTRAP:
		return true
	}
	return false
}

// signalOf returns the signal that ended the process, or nil if none did.
func signalOf(s *os.ProcessState) os.Signal {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return w.Signal()
	}
	return nil
}
