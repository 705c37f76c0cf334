//go:build unix

package terminal

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/term"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// A screen is a terminal in which the command runs.
type screen struct {
	t      *testing.T
	pty    *os.File // the terminal's end
	tty    *os.File // the program's end
	before *term.State
	cmd    *exec.Cmd

	mu       sync.Mutex
	emulator *vt.Emulator
	raw      bytes.Buffer
	changed  chan struct{}
}

// open runs the command in a terminal of 120 × 24 cells.
func open(t *testing.T, env []string, args ...string) *screen {
	t.Helper()
	s := &screen{t: t, emulator: vt.NewEmulator(120, 24), changed: make(chan struct{}, 1)}
	var err error
	if s.pty, s.tty, err = pty.Open(); err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(s.tty, &pty.Winsize{Rows: 24, Cols: 120}); err != nil {
		t.Fatal(err)
	}
	if s.before, err = term.GetState(s.tty.Fd()); err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(program, append([]string{"top", "-interval", "200ms"}, args...)...)
	s.cmd.Env = append(append(os.Environ(), "TERM=xterm-256color", "NO_COLOR="), env...)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = s.tty, s.tty, s.tty
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var copies sync.WaitGroup
	copies.Go(s.read)
	copies.Go(func() { _, _ = io.Copy(s.pty, s.emulator) }) // what a terminal answers when it is asked
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		_, _ = s.cmd.Process.Wait()
		_ = s.emulator.InputPipe().(io.Closer).Close() // the emulator's own Close must not meet Write or Read
		_ = s.tty.Close()
		_ = s.pty.Close()
		copies.Wait()
	})
	return s
}

func (s *screen) read() {
	buf := make([]byte, 64<<10)
	for {
		n, err := s.pty.Read(buf)
		s.mu.Lock()
		s.raw.Write(buf[:n])
		_, _ = s.emulator.Write(buf[:n])
		s.mu.Unlock()
		select {
		case s.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return ansi.Strip(s.emulator.Render())
}

// wait waits until a condition holds for what is on the screen.
func (s *screen) wait(what string, holds func(text string) bool) {
	s.t.Helper()
	late := time.After(time.Minute)
	for !holds(s.text()) {
		select {
		case <-s.changed:
		case <-late:
			s.t.Fatalf("%s: after a minute the screen is\n%s", what, s.text())
		}
	}
}

func (s *screen) waitFor(part string) {
	s.t.Helper()
	s.wait(part, func(text string) bool { return strings.Contains(text, part) })
}

func (s *screen) keys(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.pty, keys); err != nil {
		s.t.Fatal(err)
	}
}

// ended waits for the command's end, and checks that it leaves the terminal as it was.
func (s *screen) ended(code int) {
	s.t.Helper()
	err := s.cmd.Wait()
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("it exits with %d (%v), want %d", got, err, code)
	}
	s.wait("the old screen", func(string) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return !s.emulator.IsAltScreen() && !s.emulator.CursorHidden()
	})
	after, err := term.GetState(s.tty.Fd())
	if err != nil || !reflect.DeepEqual(after, s.before) {
		s.t.Errorf("the terminal is left in another mode: %+v, %v; before: %+v", after, err, s.before)
	}
}

// written returns all that the command has written.
func (s *screen) written() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.raw.String()
}
