package ffmpeg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/internal/ffname"
)

// A process is one run of a binary from start to end, with the writers that its pipes lead to.
type process struct {
	binary   string
	args     []string
	stdin    *os.File
	stdout   io.Writer // the caller's; if it fails, the process is ended
	progress io.Writer // for progressURL
	log      io.Writer
	grace    time.Duration
	stall    time.Duration
	pulse    *pulse // beats when the output grows

	cmd     *exec.Cmd
	tracked *instrument.Process
	guard   guard         // of stdout
	broken  chan struct{} // closed when stdout has failed

	mu   sync.Mutex
	over bool          // the process has ended, so its id may be reused
	kin  []*os.Process // that have left the group and are to end with the process
}

// An exit is how a process ended.
type exit struct {
	err   error            // of Start or Wait
	ended error            // why this package ended the process; nil if it did not
	state *os.ProcessState // nil if it was not started
	usage instrument.ProcessUsage
}

// run starts the process. It returns when the process and all goroutines that served it have ended.
func (p *process) run(ctx context.Context) exit {
	if err := ctx.Err(); err != nil {
		return exit{ended: ctxError(ctx)}
	}
	// The kernel kills the process when the thread that started it ends. So keep the thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	p.cmd = exec.Command(p.binary, p.args...)
	p.cmd.Env = append(os.Environ(), "AV_LOG_FORCE_NOCOLOR=1")
	guards := newWarden()
	defer guards.stop()
	// A script's death would hide its children from the warden, which kills it and them.
	p.cmd.SysProcAttr = procAttr(guards == nil || !isScript(p.cmd.Path))
	if p.stdin != nil {
		p.cmd.Stdin = p.stdin
	}
	p.broken = make(chan struct{})
	p.guard = guard{w: p.stdout, failed: func(error) { close(p.broken) }}
	taps, err := p.connect()
	if err == nil {
		if !ffname.Is(p.cmd.Path) { // a wrapper, by WithPath: StartProcess would not count it
			defer instrument.TrackProcess(ctx)()
		}
		p.tracked, err = instrument.StartProcess(ctx, p.cmd)
	}
	if err != nil {
		for t := range taps {
			t.drop()
		}
		return exit{err: err}
	}
	guards.watch(p.cmd.Process)
	for t, dst := range taps {
		t.start(dst)
	}

	over := make(chan struct{})
	why := make(chan error, 1)
	go func() { why <- p.supervise(ctx, over) }()
	err = p.wait(guards)
	close(over)
	for t := range taps {
		t.finish()
	}
	ended := <-why
	if ended == nil && p.guard.err != nil { // by its last bytes
		ended = &brokenError{p.guard.err}
	}
	return exit{err: err, ended: ended, state: p.cmd.ProcessState, usage: p.tracked.Usage()}
}

// connect makes the pipes and returns the writer that each leads to.
func (p *process) connect() (map[*tap]io.Writer, error) {
	taps := map[*tap]io.Writer{}
	pipe := func(dst io.Writer) (*os.File, error) {
		t, err := newTap()
		if err != nil {
			return nil, err
		}
		taps[t] = dst
		return t.w, nil
	}
	w, err := pipe(p.log)
	if err != nil {
		return taps, err
	}
	p.cmd.Stderr = w
	if p.stdout != nil {
		if w, err = pipe(&p.guard); err != nil {
			return taps, err
		}
		p.cmd.Stdout = w
	}
	if p.progress != nil {
		if w, err = pipe(p.progress); err != nil {
			return taps, err
		}
		attachProgress(p.cmd, w)
	}
	return taps, nil
}

// wait returns when the process has ended and, on Unix, its group is killed. Where the system
// allows it, the group is killed before its leader is reaped, while its id cannot be reused.
func (p *process) wait(guards *warden) error {
	if waitExit(p.cmd.Process) {
		p.end()
		guards.stop()
		return p.tracked.Wait()
	}
	err := p.tracked.Wait()
	p.end()
	return err
}

func (p *process) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	killGroup(p.cmd.Process)
	for _, k := range p.kin {
		_ = k.Kill()
		_ = k.Release()
	}
	p.over, p.kin = true, nil
}

// terminate asks the group to end, and the descendants that have left it.
func (p *process) terminate(leader *os.Process) {
	p.kin = append(p.kin, kin(leader.Pid)...)
	terminateGroup(leader)
	for _, k := range p.kin {
		terminate(k)
	}
}

// kill kills the group, and the descendants that have left it.
func (p *process) kill(leader *os.Process) {
	p.kin = append(p.kin, kin(leader.Pid)...)
	killGroup(leader)
	for _, k := range p.kin {
		_ = k.Kill()
	}
}

// signal calls send unless the process has ended, and reports whether it did.
func (p *process) signal(send func(*os.Process)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		send(p.cmd.Process)
	}
	return !p.over
}

// supervise ends the process when there is a reason to, with SIGTERM first, and returns the reason
// once the process has ended. If it ended before the signal, there is no reason.
func (p *process) supervise(ctx context.Context, over <-chan struct{}) error {
	why := p.reason(ctx, over)
	if why == nil {
		return nil
	}
	first := p.terminate
	if p.grace == 0 {
		first = p.kill
	}
	if !p.signal(first) {
		return nil
	}
	grace := time.NewTimer(p.grace)
	defer grace.Stop()
	select {
	case <-over:
	case <-grace.C:
		p.signal(p.kill)
		<-over
	}
	return why
}

// reason waits for a reason to end the process. It returns nil if the process ends by itself.
func (p *process) reason(ctx context.Context, over <-chan struct{}) error {
	var stalled <-chan time.Time
	watch := time.NewTimer(p.stall)
	defer watch.Stop()
	if p.stall > 0 {
		stalled = watch.C
	}
	for {
		select {
		case <-over:
			return nil
		case <-ctx.Done():
			return ctxError(ctx)
		case <-p.broken:
			return &brokenError{p.guard.err}
		case <-stalled:
			idle := p.pulse.idle()
			if idle >= p.stall {
				return stallError{after: p.stall, probe: p.pulse.never}
			}
			watch.Reset(p.stall - idle)
		}
	}
}

// ctxError returns why ctx has ended: its error and its cause.
func ctxError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if !errors.Is(cause, err) {
		cause = fmt.Errorf("%w: %w", err, cause)
	}
	return &ctxEnded{error: cause, timeout: errors.Is(err, context.DeadlineExceeded)}
}

// A ctxEnded is the end of a context. Its cause may wrap the failure of another run, such as a
// stall.
type ctxEnded struct {
	error
	timeout bool
}

func (e *ctxEnded) Unwrap() error { return e.error }

// A brokenError is the failure of a caller's writer.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return "writing its output on: " + e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

// A pulse records when it last beat. It is safe for concurrent use.
type pulse struct {
	never bool // it does not beat: a Probe's
	start time.Time
	last  atomic.Int64 // since start
}

func newPulse(start time.Time) *pulse { return &pulse{start: start} }

func (p *pulse) beat(at time.Time)   { p.last.Store(int64(at.Sub(p.start))) }
func (p *pulse) idle() time.Duration { return time.Since(p.start) - time.Duration(p.last.Load()) }
