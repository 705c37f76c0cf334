//go:build unix

package testserver

import (
	"context"
	"errors"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

const (
	readyWithin = 3 * time.Minute // generous: the machine may be busy, and a server that is ready ends the wait
	pollEvery   = 50 * time.Millisecond
	stopWithin  = time.Minute
)

// A Process is a program that runs beside a test.
type Process struct {
	name string
	cmd  *exec.Cmd
	log  logBuffer
	done chan struct{} // closed when the program has ended
	err  error         // what Wait returned; read it after done
}

// Start runs cmd in a process group of its own and ends the group with the test: SIGTERM, and SIGKILL for
// what is still there after a minute. The program's output is shown if the test fails.
func Start(t T, name string, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{name: name, cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &p.log, &p.log
	cmd.WaitDelay = stopWithin // a grandchild that keeps the output open
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Setpgid = true
	endWithParent(cmd.SysProcAttr)
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	var ended sync.WaitGroup
	ended.Go(func() {
		p.err = cmd.Wait()
		close(p.done)
	})
	t.Cleanup(func() {
		p.stop(t)
		ended.Wait()
		if t.Failed() {
			t.Logf("the end of %s's output:\n%s", name, p.log.tail())
		}
	})
	return p
}

// Pid is the program's process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Signal sends sig to the program alone, not to its group.
func (p *Process) Signal(t T, sig syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatalf("signal %v to %s: %v", sig, p.name, err)
	}
}

// Wait waits until the program has ended, and returns nil or its *[exec.ExitError].
func (p *Process) Wait(t T, atMost time.Duration) error {
	t.Helper()
	select {
	case <-p.done:
		return p.err
	case <-time.After(atMost):
		t.Fatalf("%s still runs after %v", p.name, atMost)
		return nil
	}
}

// WaitReady calls ready until it returns nil. It fails the test if the program ends first, or if three minutes pass.
func (p *Process) WaitReady(t T, ready func(context.Context) error) {
	t.Helper()
	p.WaitUntil(t, readyWithin, ready)
}

// WaitUntil is WaitReady with another limit, for what takes longer than a start.
func (p *Process) WaitUntil(t T, atMost time.Duration, ready func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), atMost)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return
		}
		select {
		case <-p.done:
			t.Fatalf("%s ended too early (%v), while: %v", p.name, p.err, err)
		case <-ctx.Done():
			t.Fatalf("%s, after %v: %v", p.name, atMost, err)
		case <-time.After(pollEvery):
		}
	}
}

// Output is what the program has written so far, to standard output and standard error; of a long output the
// last part.
func (p *Process) Output() string { return p.log.String() }

func (p *Process) stop(t T) {
	if p.kill(t, syscall.SIGTERM) {
		select {
		case <-p.done:
		case <-time.After(stopWithin):
			t.Errorf("%s did not end within %v of SIGTERM", p.name, stopWithin)
		}
	}
	p.kill(t, syscall.SIGKILL) // and what it left behind
}

// kill signals the process group and reports whether anything of it was there.
func (p *Process) kill(t T, sig syscall.Signal) bool {
	err := syscall.Kill(-p.Pid(), sig)
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Errorf("%v to the process group of %s: %v", sig, p.name, err)
	}
	return err == nil
}
