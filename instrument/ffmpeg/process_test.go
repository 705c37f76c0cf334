//go:build unix

package ffmpeg_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/ffmpeg"
)

const atWork = `printf 'out_time_us=1\nprogress=continue\n' >&3; `

func TestNothingSurvives(t *testing.T) {
	tests := map[string]struct {
		script string
		cancel bool
		want   string // "" is success
	}{
		"a child in the background of a success": {script: `sleep 600 & exit 0`},
		"a child in the background of a failure": {script: `sleep 600 & exit 3`, want: ffmpeg.TypeExit},
		"a process that heeds SIGTERM":           {script: atWork + `exec sleep 600`, cancel: true, want: ffmpeg.TypeCanceled},
		"a process that ignores SIGTERM":         {script: `trap "" TERM; ` + atWork + `while :; do sleep 600; done`, cancel: true, want: ffmpeg.TypeCanceled},
		"a child that ignores SIGTERM":           {script: `(trap "" TERM; ` + atWork + `sleep 600; :) & wait`, cancel: true, want: ffmpeg.TypeCanceled},
		"a process that is stopped":              {script: atWork + `kill -STOP $$`, cancel: true, want: ffmpeg.TypeCanceled},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			living := family(t)
			ctx, opt := cancelOnProgress(t, nil)
			if !tt.cancel {
				opt = nil
			}
			_, err := ffmpeg.Run(ctx, nil, script(t, tt.script), opt, ffmpeg.WithGrace(100*time.Millisecond))
			if tt.want != "" {
				wantType(t, err, tt.want)
			} else if err != nil {
				t.Error(err)
			}
			wantNone(t, living)
		})
	}
}

// A process that leaves the group is out of reach, but must not hold up the caller.
func TestEscapedChildHoldsNobodyUp(t *testing.T) {
	living := family(t)
	away := filepath.Join(t.TempDir(), "away")
	_, err := ffmpeg.Run(t.Context(), nil, script(t, `setsid bash -c "touch `+away+`; exec sleep 600" &
		until [ -e `+away+` ]; do sleep 0.01; done`))
	if err != nil {
		t.Error(err)
	}
	if len(living()) != 1 {
		t.Errorf("processes %v live, want the escaped one", living())
	}
}

// Nor may it by writing without an end.
func TestEscapedChildThatWrites(t *testing.T) {
	family(t)
	away := filepath.Join(t.TempDir(), "away")
	_, err := ffmpeg.Run(t.Context(), nil, ffmpeg.WithStdout(io.Discard),
		script(t, `setsid bash -c "touch `+away+`; trap '' PIPE; while :; do echo x; echo y >&2; sleep 0.05; done" &
		until [ -e `+away+` ]; do sleep 0.01; done`))
	if err != nil {
		t.Error(err)
	}
}

func TestEndedFromElsewhere(t *testing.T) {
	tests := map[string]struct {
		signal syscall.Signal
		want   string
		exit   int // ffmpeg ends by itself on SIGTERM
	}{
		"as the kernel does when memory is short": {signal: syscall.SIGKILL, want: ffmpeg.TypeKilled, exit: -1},
		"as kill does": {signal: syscall.SIGTERM, want: ffmpeg.TypeKilled, exit: 255},
		"by a fault":   {signal: syscall.SIGSEGV, want: ffmpeg.TypeCrashed, exit: -1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			living := family(t)
			dir := t.TempDir()
			_, err := ffmpeg.Run(t.Context(), args(endless, "-c:v", "mpeg4"), ffmpeg.WithOutput(dir+"/out.mp4"),
				ffmpeg.WithProgress(func(ffmpeg.Progress) {
					for _, pid := range living() {
						n, _ := strconv.Atoi(pid)
						_ = syscall.Kill(n, tt.signal)
					}
				}))
			e := wantType(t, err, tt.want)
			if e.ExitCode != tt.exit || tt.exit < 0 && e.Signal != tt.signal {
				t.Errorf("exit code %d, signal %v", e.ExitCode, e.Signal)
			}
			wantFiles(t, dir)
		})
	}
}

func TestStall(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close(); _ = w.Close() }()
	ts := made("stall.ts", "-i", clip(), "-c", "copy")()
	go func() { // ends when the pipe's read end is closed, at the latest
		b, _ := os.ReadFile(ts)
		_, _ = w.Write(b)
	}()
	tests := map[string]struct {
		args   []string
		stdin  *os.File
		stall  time.Duration
		writes bool // something, before it stalls
	}{
		"an input that never delivers": {args: ffmpeg.Input(fifo), stall: 500 * time.Millisecond},
		"an input that stops in the middle": {
			args: []string{"-f", "mpegts", "-probesize", "20000", "-i", "pipe:0"}, stdin: r, writes: true, stall: 5 * time.Second, // it has to start first
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			living := family(t)
			dir := t.TempDir()
			res, err := ffmpeg.Run(t.Context(), args(tt.args, "-c", "copy"), ffmpeg.WithStdin(tt.stdin), ffmpeg.WithOutput(dir+"/out.mkv"),
				ffmpeg.WithStallTimeout(tt.stall), ffmpeg.WithGrace(100*time.Millisecond))
			wantType(t, err, ffmpeg.TypeStalled)
			if res.Time > 0 != tt.writes {
				t.Errorf("it had written %v", res.Time)
			}
			if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v passes for an end by the caller", err)
			}
			wantFiles(t, dir)
			wantNone(t, living)
		})
	}
	t.Run("an output that grows", func(t *testing.T) {
		_, err := ffmpeg.Run(t.Context(), args("-re", ffmpeg.Input(clip()), "-t", "1", "-f", "null", "-"), ffmpeg.WithStallTimeout(20*time.Second))
		if err != nil {
			t.Error(err)
		}
	})
}

// handled collects what goes to otel.Handle.
func handled(t *testing.T) func() []error {
	t.Helper()
	var mu sync.Mutex
	var errs []error
	before := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		mu.Lock()
		defer mu.Unlock()
		errs = append(errs, err)
	}))
	t.Cleanup(func() { otel.SetErrorHandler(before) })
	return func() []error {
		mu.Lock()
		defer mu.Unlock()
		return errs
	}
}

func TestProgressFunctionThatFails(t *testing.T) {
	tests := map[string]struct {
		fail func()
		want int // errors handled
	}{
		"by a panic":          {fail: func() { panic("no terminal") }, want: 1},
		"by ending goroutine": {fail: runtime.Goexit},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			errs := handled(t)
			calls := 0
			_, err := ffmpeg.Run(t.Context(), args("-re", ffmpeg.Input(clip()), "-t", "1", "-f", "null", "-"),
				ffmpeg.WithProgress(func(ffmpeg.Progress) { calls++; tt.fail() }))
			if err != nil || calls != 1 {
				t.Errorf("error %v after %d calls, want a success and 1 call", err, calls)
			}
			if len(errs()) != tt.want {
				t.Errorf("handled: %v", errs())
			}
			var p *instrument.PanicError
			if tt.want > 0 && !errors.As(errs()[0], &p) {
				t.Errorf("%v is no *PanicError", errs()[0])
			}
		})
	}
}

func TestSlowProgressFunctionDoesNotSlowFFmpeg(t *testing.T) {
	living := family(t)
	var seen []ffmpeg.Progress
	_, err := ffmpeg.Run(t.Context(), args("-re", ffmpeg.Input(clip()), "-t", "3", "-f", "null", "-"),
		ffmpeg.WithProgress(func(p ffmpeg.Progress) {
			seen = append(seen, p)
			for len(living()) > 0 { // it returns when ffmpeg, which does not wait for it, has ended
				time.Sleep(10 * time.Millisecond)
			}
		}))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(seen); n < 2 || n > 3 || !seen[n-1].Done {
		t.Errorf("%d states: the first, the newest and the end were due, not each of about 7: %+v", n, seen)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestStdout(t *testing.T) {
	scenes := args(ffmpeg.Input(clip()), "-vf", "metadata=mode=add:key=a:value=b,metadata=print:file=-", "-an", "-f", "null", "-")
	var out bytes.Buffer
	if _, err := ffmpeg.Run(t.Context(), scenes, ffmpeg.WithStdout(&out)); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "a=b\n"); n != 100 {
		t.Errorf("%d of 100 lines came", n)
	}

	forever := []string{"-stream_loop", "-1", "-i", clip(), "-c", "copy", "-f", "mpegts", "pipe:1"}
	tests := map[string]struct {
		args  []string
		write func([]byte) (int, error)
		want  string
		is    error
	}{
		"the writer fails":         {args: forever, write: func([]byte) (int, error) { return 0, io.ErrClosedPipe }, want: ffmpeg.TypeBrokenPipe, is: io.ErrClosedPipe},
		"the disk is full":         {args: forever, write: func([]byte) (int, error) { return 0, syscall.ENOSPC }, want: ffmpeg.TypeNoSpace, is: syscall.ENOSPC},
		"the writer panics":        {args: forever, write: func([]byte) (int, error) { panic(io.ErrNoProgress) }, want: ffmpeg.TypeBrokenPipe, is: io.ErrNoProgress},
		"the writer writes less":   {args: forever, write: func(p []byte) (int, error) { return len(p) - 1, nil }, want: ffmpeg.TypeBrokenPipe, is: io.ErrShortWrite},
		"it fails at the last end": {args: scenes, write: func([]byte) (int, error) { return 0, io.ErrClosedPipe }, want: ffmpeg.TypeBrokenPipe, is: io.ErrClosedPipe},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			living := family(t)
			_, err := ffmpeg.Run(t.Context(), tt.args, ffmpeg.WithStdout(writerFunc(tt.write)))
			wantType(t, err, tt.want)
			if !errors.Is(err, tt.is) {
				t.Errorf("%v is not %v", err, tt.is)
			}
			wantNone(t, living)
		})
	}
}

func TestStderr(t *testing.T) {
	var log bytes.Buffer
	_, err := ffmpeg.Run(t.Context(), args("-loglevel", "level+info", ffmpeg.Input(clip()), "-vn",
		"-af", "loudnorm=print_format=json", "-f", "null", "-"), ffmpeg.WithStderr(&log))
	if err != nil || !strings.Contains(log.String(), `"input_i" : "`) {
		t.Errorf("%v; no measurement in\n%s", err, log.String())
	}

	errs := handled(t)
	calls := 0
	_, err = ffmpeg.Run(t.Context(), args("-loglevel", "debug", ffmpeg.Input(clip()), "-f", "null", "-"),
		ffmpeg.WithStderr(writerFunc(func([]byte) (int, error) { calls++; panic("no disk") })))
	if err != nil || calls != 1 || len(errs()) != 1 {
		t.Errorf("a log that fails is no reason to fail: %v, %d calls, handled %v", err, calls, errs())
	}
}

func TestStdin(t *testing.T) {
	ts := made("stdin.ts", "-i", clip(), "-c", "copy")()
	f, err := os.Open(ts)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	res, err := ffmpeg.Run(t.Context(), []string{"-f", "mpegts", "-i", "pipe:0", "-c", "copy", "-f", "null", "-"}, ffmpeg.WithStdin(f))
	if err != nil || res.Frames != 100 {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestFloodOfLogsIsBounded(t *testing.T) {
	_, err := ffmpeg.Run(t.Context(), nil, script(t, `echo '[error] x: No space left on device' >&2
		for i in {1..20000}; do echo "[error] x: Invalid argument, and so on and so on"; done >&2
		head -c 3000000 /dev/zero >&2; echo >&2; exit 1`))
	e := wantType(t, err, ffmpeg.TypeNoSpace)
	if len(e.Stderr) > 8<<10 || strings.ContainsRune(e.Stderr, 0) {
		t.Errorf("%d bytes of log", len(e.Stderr))
	}
}
