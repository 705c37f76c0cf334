package instrument_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// shellNamed returns the path of a shell whose file has another name.
func shellNamed(t *testing.T, name string) string {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(sh, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// Only the programs of FFmpeg are in ffmpeg_processes.
func TestOnlyFfmpegIsAnFfmpegProcess(t *testing.T) {
	for name, want := range map[string]float64{
		"ffmpeg": 1, "ffprobe": 1, "ffmpeg-7.1": 1, "sh": 0, "sox": 0, "ffmpegthumbnailer": 0,
	} {
		t.Run(name, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			ctx := instrument.ContextWithPipeline(t.Context(), p)
			cmd := exec.Command(shellNamed(t, name), "-c", "read line")
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			process, err := instrument.StartProcess(ctx, cmd)
			if err != nil {
				t.Fatal(err)
			}
			if got, _ := rec.Gauge(vp("ffmpeg_processes")); got != want {
				t.Errorf("ffmpeg_processes = %v while it runs, want %v", got, want)
			}
			if err := stdin.Close(); err != nil {
				t.Fatal(err)
			}
			_ = process.Wait() // read at the end of the input fails
			if got, _ := rec.Gauge(vp("ffmpeg_processes")); got != 0 {
				t.Errorf("ffmpeg_processes = %v after it ended", got)
			}
		})
	}
}

func TestProcess(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	ctx, span := rec.TracerProvider().Tracer("test").Start(ctx, "render")
	cmd := exec.Command(shellNamed(t, "ffmpeg"), "-c", "read line; i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; exit 3")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	process, err := instrument.StartProcess(ctx, cmd)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := rec.Gauge(vp("ffmpeg_processes")); got != 1 {
		t.Errorf("ffmpeg_processes = %v while it waits for a line, want 1", got)
	}
	if u := process.Usage(); u != (instrument.ProcessUsage{}) {
		t.Errorf("usage = %+v before it ended, want none", u)
	}
	if _, err := stdin.Write([]byte("go\n")); err != nil {
		t.Fatal(err)
	}
	err = process.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("Wait = %v, want exit status 3", err)
	}
	if got, _ := rec.Gauge(vp("ffmpeg_processes")); got != 0 {
		t.Errorf("ffmpeg_processes = %v, want 0", got)
	}
	u := process.Usage()
	if u.User+u.System <= 0 || u.MaxRSS < 100<<10 || u.MaxRSS > 1<<30 {
		t.Errorf("usage = %+v, want CPU time and some hundreds of KiB", u)
	}
	span.End()
	stub := rec.Span("render", label("process.executable.name", "ffmpeg"), label("process.exit.code", "3"))
	got := make(map[string]bool)
	for _, a := range stub.Attributes {
		got[string(a.Key)] = true
	}
	for _, key := range []string{"process.cpu.user_s", "process.cpu.system_s", "process.memory.max_rss_bytes"} {
		if !got[key] {
			t.Errorf("the span has no %s", key)
		}
	}
}

// A stage that runs ffprobe and then ffmpeg took the time of both.
func TestProcessesOfAStage(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, stage := instrument.StartStage(instrument.ContextWithPipeline(t.Context(), p), "validation")
	var user, system float64
	var peak int64
	for _, script := range []string{"i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done", "exit 4"} {
		process, err := instrument.StartProcess(ctx, exec.Command("sh", "-c", script))
		if err != nil {
			t.Fatal(err)
		}
		_ = process.Wait()
		u := process.Usage()
		user, system, peak = user+u.User.Seconds(), system+u.System.Seconds(), max(peak, u.MaxRSS)
	}
	stage.End(nil)
	span := rec.Span("stage validation", label("process.exit.code", "4"), label("video.processing.stage", "validation"))
	got := make(map[string]float64)
	for _, a := range span.Attributes {
		got[string(a.Key)] = a.Value.AsFloat64()
		if a.Key == "process.memory.max_rss_bytes" && a.Value.AsInt64() != peak {
			t.Errorf("peak memory = %d, want %d", a.Value.AsInt64(), peak)
		}
	}
	for key, want := range map[string]float64{"process.cpu.user_s": user, "process.cpu.system_s": system} {
		if diff := got[key] - want; diff > 1e-9 || diff < -1e-9 {
			t.Errorf("%s = %v, want the sum %v", key, got[key], want)
		}
	}
}

// Waiting is what a goroutine that cleans up and the one that works may both do; exec.Cmd.Wait fails the second time.
func TestWaitIsForEverybody(t *testing.T) {
	p, rec := instrumenttest.New(t)
	process, err := instrument.StartProcess(instrument.ContextWithPipeline(t.Context(), p), exec.Command("sh", "-c", "exit 7"))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_ = process.Usage() // safe meanwhile
			if err := process.Wait(); err == nil || err.Error() != "exit status 7" {
				t.Errorf("Wait = %v, want exit status 7", err)
			}
		})
	}
	wg.Wait()
	if err := process.Wait(); err == nil || err.Error() != "exit status 7" {
		t.Errorf("Wait = %v once more, want exit status 7", err)
	}
	if got, _ := rec.Gauge(vp("ffmpeg_processes")); got != 0 {
		t.Errorf("ffmpeg_processes = %v, want 0", got)
	}
}

func TestProcessThatSucceeds(t *testing.T) {
	p, _ := instrumenttest.New(t)
	process, err := instrument.StartProcess(instrument.ContextWithPipeline(t.Context(), p), exec.Command("true"))
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Wait(); err != nil {
		t.Error(err)
	}
}

// A process that never started must not be counted as running for ever.
func TestProcessThatCannotStart(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	started := exec.Command("true")
	if err := started.Run(); err != nil {
		t.Fatal(err)
	}
	canceled, cancel := canceledParent(ctx)
	defer cancel()
	for reason, cmd := range map[string]*exec.Cmd{
		"not installed": exec.Command("stagemeter-no-such-program"),
		"no directory":  {Path: "/bin/sh", Dir: "/no/such/directory"},
		"no command":    {},
		"twice":         started,
		"canceled":      exec.CommandContext(canceled, "true"),
		"nil":           nil,
	} {
		process, err := instrument.StartProcess(ctx, cmd)
		if err == nil || process != nil {
			t.Errorf("%s: %v, %v, want an error", reason, process, err)
		}
		if err := process.Wait(); err == nil {
			t.Errorf("%s: Wait on nothing is no success", reason)
		}
	}
	if got, _ := rec.Gauge(vp("ffmpeg_processes")); got != 0 {
		t.Errorf("ffmpeg_processes = %v, want 0", got)
	}
}

func TestProcessThatTheContextKills(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, cancel := context.WithCancel(instrument.ContextWithPipeline(t.Context(), p))
	_, err := instrument.RunStageValue(ctx, "rendering", func(ctx context.Context) (int, error) {
		process, err := instrument.StartProcess(ctx, exec.CommandContext(ctx, "sleep", "600"))
		if err != nil {
			t.Error(err)
		}
		cancel()
		return 0, process.Wait()
	})
	if err == nil {
		t.Error("no error of a process that was killed")
	}
	if got := errorsByStage(rec); got != "" {
		t.Errorf("errors_total is %q: a stage whose context was canceled has not failed", got)
	}
	rec.Span("stage rendering", label("video.processing.outcome", "canceled"))
	if got, _ := rec.Gauge(vp("ffmpeg_processes")); got != 0 {
		t.Errorf("ffmpeg_processes = %v, want 0", got)
	}
}

// A decrement too many makes the gauge negative, and then wrong for ever.
func TestTrackProcess(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	one, two := instrument.TrackProcess(ctx), instrument.TrackProcess(ctx)
	if got, _ := rec.Gauge(vp("ffmpeg_processes")); got != 2 {
		t.Errorf("ffmpeg_processes = %v, want 2", got)
	}
	one()
	one()
	if got, _ := rec.Gauge(vp("ffmpeg_processes")); got != 1 {
		t.Errorf("ffmpeg_processes = %v, want 1", got)
	}
	two()
	instrument.TrackProcess(instrument.ContextWithPipeline(t.Context(), nil))()
	if got, _ := rec.Gauge(vp("ffmpeg_processes")); got != 0 {
		t.Errorf("ffmpeg_processes = %v, want 0", got)
	}
}
