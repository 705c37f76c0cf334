package instrument

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument/internal/errs"
	"github.com/stagemeter/stagemeter/instrument/internal/ffname"
)

// TrackProcess adds one to video_processing_ffmpeg_processes until done is called, for an ffmpeg
// that you start in a way of your own. Call done when the process has ended; only its first call
// counts. [StartProcess] does both for an exec.Cmd.
//
//	done := instrument.TrackProcess(ctx)
//	defer done()
func TrackProcess(ctx context.Context) (done func()) {
	p, _ := pipelineOf(ctx)
	if p.inert() {
		return func() {}
	}
	p.processes.Add(1)
	return sync.OnceFunc(func() { p.processes.Add(-1) })
}

// A Process is a command that [StartProcess] has started. A nil *Process is inert.
type Process struct {
	cmd   *exec.Cmd
	ctx   context.Context
	wait  func() error
	usage atomic.Pointer[ProcessUsage]
}

// StartProcess starts cmd, which [Process.Wait] must wait for, as for the cmd itself. Until Wait
// returns, a program of FFmpeg's (ffmpeg, ffprobe, ffplay) counts in
// video_processing_ffmpeg_processes; other commands do not. Canceling ctx does not stop the
// process; exec.CommandContext does. The error is that of cmd.Start, or that cmd is nil, and then
// nothing is tracked.
func StartProcess(ctx context.Context, cmd *exec.Cmd) (*Process, error) {
	if cmd == nil {
		return nil, errors.New("instrument: StartProcess: cmd is nil")
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, ctx: orBackground(ctx)}
	done := func() {}
	if ffname.Is(cmd.Path) {
		done = TrackProcess(ctx)
	}
	var in *scope
	if s := StageFromContext(p.ctx); s != nil {
		in = &s.scope
	}
	kept := detailsOf(p.ctx).startProcess(cmd.Process.Pid, filepath.Base(cmd.Path), StageFromContext(p.ctx).name(), in)
	p.wait = sync.OnceValue(func() error {
		defer done()
		defer kept()
		err := cmd.Wait()
		p.describe()
		return err
	})
	return p, nil
}

// Wait waits for the process to end and returns what cmd.Wait returns. It puts the name, exit code,
// CPU time and peak memory on the span of the context of StartProcess. On the span of a stage or a
// job, where several processes may run, CPU time is the sum and memory the peak of them all, and
// the rest is of the last one to end. It is safe for concurrent use; every call returns the same
// error.
func (p *Process) Wait() error {
	if p == nil || p.wait == nil {
		return errors.New("instrument: Wait on a process that was not started")
	}
	return p.wait()
}

// Usage returns the resources that the process took. It is zero before Wait has returned.
func (p *Process) Usage() ProcessUsage {
	if p == nil {
		return ProcessUsage{}
	}
	if u := p.usage.Load(); u != nil {
		return *u
	}
	return ProcessUsage{}
}

// describe keeps the usage of the process that has ended and puts it on the span.
func (p *Process) describe() {
	s := p.cmd.ProcessState
	if s == nil {
		return
	}
	u := ProcessUsage{User: s.UserTime(), System: s.SystemTime(), MaxRSS: maxRSS(s)}
	p.usage.Store(&u)
	span := trace.SpanFromContext(p.ctx)
	if !span.IsRecording() {
		return
	}
	total := u
	switch s := ownScope(p.ctx); {
	case s == nil:
	case s.stage != nil && errs.Identical(s.stage.scope.span, span):
		total = s.stage.scope.rare.get().ran.add(u)
	case s.job != nil && errs.Identical(s.job.scope.span, span):
		total = s.job.scope.rare.get().ran.add(u)
	}
	span.SetAttributes(
		attribute.String("process.executable.name", clean(filepath.Base(p.cmd.Path), maxNameLen)),
		attribute.Int("process.exit.code", s.ExitCode()),
		attribute.Float64("process.cpu.user_s", total.User.Seconds()),
		attribute.Float64("process.cpu.system_s", total.System.Seconds()),
		attribute.Int64("process.memory.max_rss_bytes", total.MaxRSS),
	)
}
