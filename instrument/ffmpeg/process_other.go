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

func procAttr(bool) *syscall.SysProcAttr { return nil }

// A warden needs a shell and groups of processes.
type warden struct{}

func newWarden() *warden            { return nil }
func (w *warden) watch(*os.Process) {}
func (w *warden) stop()             {}

func isScript(string) bool { return false }

func kin(int) []*os.Process { return nil }

func waitExit(*os.Process) bool { return false }

func terminateGroup(p *os.Process) { _ = p.Kill() }
func killGroup(p *os.Process)      { _ = p.Kill() }
func terminate(p *os.Process)      { _ = p.Kill() }

func crashed(os.Signal) bool { return false }

func signalOf(*os.ProcessState) os.Signal { return nil }
