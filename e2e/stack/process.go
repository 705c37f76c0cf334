package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	stopWithin  = 20 * time.Second // the editor ends its ffmpeg and pushes what is left
	readyWithin = 3 * time.Minute
	pollEvery   = 100 * time.Millisecond
	tailBytes   = 2000 // of a program's log, shown when it ends too early
)

// group is the programs that run, in the order of their start. Its zero value is none.
type group struct {
	running []*process
	ended   chan error // tells the first that ended by itself
}

// process is one program and, with it, its process group.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

// inGroup gives cmd a process group of its own, so that Ctrl-C at the terminal does not reach it, and ends the group
// with ctx.
func inGroup(cmd *exec.Cmd) *exec.Cmd {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	endWithParent(cmd.SysProcAttr)
	if cmd.Cancel != nil {
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
		cmd.WaitDelay = stopWithin
	}
	return cmd
}

// start starts a program whose output goes to a log in work.
func (g *group) start(work, name string, cmd *exec.Cmd) (*process, error) {
	if g.ended == nil {
		g.ended = make(chan error, 16)
	}
	log, err := os.Create(filepath.Join(work, name+".log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the program has its own
	cmd.Stdout, cmd.Stderr = log, log
	if err := inGroup(cmd).Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, cmd: cmd, log: log.Name(), done: make(chan struct{})}
	go func() { // ends with the program, which stop ends
		err := cmd.Wait()
		close(p.done)
		g.ended <- fmt.Errorf("%s has ended (%v); its last words:\n%s", name, err, p.tail())
	}()
	g.running = append(g.running, p)
	return p, nil
}

// wait calls ready until it returns nil, for at most atMost and as long as the program runs.
func (p *process) wait(ctx context.Context, atMost time.Duration, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended too early; its last words:\n%s", p.name, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s, after %v: %w", p.name, atMost, err)
		case <-time.After(pollEvery):
		}
	}
}

func (p *process) tail() string {
	f, err := os.Open(p.log)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = f.Close() }()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err.Error()
	}
	text := make([]byte, min(size, tailBytes)) // a program in a loop may have written gigabytes
	if _, err := f.ReadAt(text, size-int64(len(text))); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}

// stop ends the programs, the last started first, so that each can still push to those before it: SIGTERM to its group,
// and SIGKILL to what is still there.
func (g *group) stop() error {
	var all error
	for i := len(g.running) - 1; i >= 0; i-- {
		p := g.running[i]
		if err := p.signal(syscall.SIGTERM); err != nil {
			all = errors.Join(all, err)
		}
		select {
		case <-p.done:
		case <-time.After(stopWithin):
			all = errors.Join(all, fmt.Errorf("%s did not end within %v and was killed", p.name, stopWithin))
		}
		all = errors.Join(all, p.signal(syscall.SIGKILL))
		<-p.done
	}
	g.running = nil
	return all
}

// signal signals the group, of which nothing may be left.
func (p *process) signal(sig syscall.Signal) error {
	if err := syscall.Kill(-p.cmd.Process.Pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("%v to %s: %w", sig, p.name, err)
	}
	return nil
}

// listening is ready when something accepts connections on addr.
func listening(addr string) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}
