//go:build unix

package ffmpeg

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// A warden is a shell that ends a process if this program ends first: by kill -9, os.Exit or a
// crash. It waits for the end of a pipe that only this program holds. Then it kills the process,
// its group and, on systems with /proc, its descendants in other groups, and ends. A nil warden
// does nothing. docs/adr/0012-wardens.md says why it is a shell.
type warden struct {
	cmd  *exec.Cmd
	pipe *os.File

	stopped bool
}

// wardenScript stops each process before it looks for its children, so that no new one escapes.
// The fields after the name in /proc/PID/stat are the state, the parent and the group. It first
// waits until the leader has another parent: the pipe ends a moment before the program does, and
// at its end the kernel sends SIGHUP to a group of its children that is stopped.
const wardenScript = `
trap "" HUP INT TERM
read -r leader || exit
read -r end && exit
tries=0
while [ "$tries" -lt 100000 ] && read -r line <"/proc/$leader/stat" && set -- ${line##*) } && [ "$2" = "$PPID" ]; do
	tries=$((tries + 1))
done
tree=" $leader "
more=1
kill -s STOP -- "-$leader"
while [ "$more" ]; do
	more=
	for stat in /proc/[0-9]*/stat; do
		read -r line <"$stat" || continue
		pid=${line%% *}
		case "$tree" in *" $pid "*) continue ;; esac
		set -- ${line##*) }
		case "$tree" in *" $2 "*) ;; *) [ "$3" = "$leader" ] || continue ;; esac
		kill -s STOP "$pid"
		tree="$tree$pid "
		more=1
	done
done
kill -s KILL -- "-$leader" $tree
`

// newWarden starts a warden, which does nothing before watch. It returns nil on systems without a
// shell.
func newWarden() *warden {
	r, w, err := os.Pipe()
	if err != nil {
		return nil
	}
	defer func() { _ = r.Close() }()
	cmd := exec.Command("/bin/sh", "-c", wardenScript)
	cmd.Args[0] = "stagemeter-warden"
	cmd.Env, cmd.Dir = []string{}, "/"
	cmd.Stdin = r
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // whoever kills this program's group does not kill the warden
	if cmd.Start() != nil {
		_ = w.Close()
		return nil
	}
	return &warden{cmd: cmd, pipe: w}
}

// watch names the process, which leads a group.
func (w *warden) watch(leader *os.Process) {
	if w != nil {
		_, _ = w.pipe.WriteString(strconv.Itoa(leader.Pid) + "\n")
	}
}

// stop ends the warden. Only the first call does anything.
func (w *warden) stop() {
	if w != nil && !w.stopped {
		w.stopped = true
		_ = w.cmd.Process.Kill() // first: the end of the pipe is its signal
		_ = w.cmd.Wait()
		_ = w.pipe.Close()
	}
}

// isScript reports whether the kernel runs an interpreter for the file.
func isScript(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	var magic [2]byte
	n, _ := f.Read(magic[:])
	return string(magic[:n]) == "#!"
}
