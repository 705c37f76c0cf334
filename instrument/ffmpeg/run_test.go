//go:build unix

package ffmpeg_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/ffmpeg"
)

func TestRunTellsWhatItDid(t *testing.T) {
	res, err := ffmpeg.Run(t.Context(), args(ffmpeg.Input(clip()), "-f", "null", "-"))
	if err != nil {
		t.Fatal(err)
	}
	if res.Frames != 100 {
		t.Errorf("Frames = %d, want 100", res.Frames)
	}
	if got := res.Time.Round(100 * time.Millisecond); got != 4*time.Second {
		t.Errorf("Time = %v, want 4 s", res.Time)
	}
	if res.Usage.User+res.Usage.System <= 0 || res.Usage.MaxRSS < 1<<20 || res.Elapsed <= 0 {
		t.Errorf("no plausible usage: %+v", res)
	}
}

func TestRunMeasuresTheProcess(t *testing.T) {
	t.Run("ffmpeg", func(t *testing.T) { testRunMeasuresTheProcess(t) })
	t.Run("a wrapper of another name", func(t *testing.T) {
		wrapper := write(t, "transcode", "#!/bin/sh\nexec ffmpeg \"$@\"\n")
		if err := os.Chmod(wrapper, 0o755); err != nil {
			t.Fatal(err)
		}
		testRunMeasuresTheProcess(t, ffmpeg.WithPath(wrapper))
	})
}

func testRunMeasuresTheProcess(t *testing.T, opts ...ffmpeg.Option) {
	reader, spans := metric.NewManualReader(), tracetest.NewSpanRecorder()
	p, err := instrument.New(
		instrument.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(reader))),
		instrument.WithTracerProvider(trace.NewTracerProvider(trace.WithSpanProcessor(spans))))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close(t.Context()) }()
	processes := func() (n int64) {
		var data metricdata.ResourceMetrics
		if err := reader.Collect(t.Context(), &data); err != nil {
			t.Error(err)
		}
		for _, scope := range data.ScopeMetrics {
			for _, m := range scope.Metrics {
				if sum, ok := m.Data.(metricdata.Sum[int64]); ok && strings.HasSuffix(m.Name, "ffmpeg_processes") {
					n = sum.DataPoints[0].Value
				}
			}
		}
		return n
	}

	var during int64
	err = p.RunJob(t.Context(), "job", func(ctx context.Context) error {
		_, err := ffmpeg.Run(ctx, args("-re", ffmpeg.Input(clip()), "-t", "2", "-f", "null", "-"),
			append(opts, ffmpeg.WithProgress(func(p ffmpeg.Progress) {
				if !p.Done {
					during = max(during, processes())
				}
			}))...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if during != 1 || processes() != 0 {
		t.Errorf("processes: %d during the run and %d after it, want 1 and 0", during, processes())
	}
	got := map[attribute.Key]bool{}
	for _, a := range spans.Ended()[0].Attributes() {
		got[a.Key] = true
	}
	for _, key := range []attribute.Key{"process.cpu.user_s", "process.cpu.system_s", "process.memory.max_rss_bytes"} {
		if !got[key] {
			t.Errorf("the span has no %s", key)
		}
	}
}

func TestProgressGoesToTheEnd(t *testing.T) {
	var seen []ffmpeg.Progress
	_, err := ffmpeg.Run(t.Context(), args("-re", ffmpeg.Input(clip()), "-t", "1.5", "-f", "null", "-"),
		ffmpeg.WithDuration(1500*time.Millisecond),
		ffmpeg.WithProgress(func(p ffmpeg.Progress) { seen = append(seen, p) }))
	if err != nil {
		t.Fatal(err)
	}
	last := 0.0
	etas := 0
	for i, p := range seen {
		if p.Fraction < last || p.Fraction > 1 || p.Total != 1500*time.Millisecond {
			t.Errorf("state %d: %+v after a fraction of %v", i, p, last)
		}
		last = p.Fraction
		if p.Done != (i == len(seen)-1) {
			t.Errorf("state %d of %d: Done = %v", i, len(seen), p.Done)
		}
		if p.ETA > 0 {
			etas++
		}
	}
	if len(seen) < 3 || etas == 0 {
		t.Fatalf("%d states, %d of them with the time to go: %+v", len(seen), etas, seen)
	}
	if end := seen[len(seen)-1]; end.Fraction != 1 || end.ETA != 0 || end.Frames != 38 || end.Speed <= 0 {
		t.Errorf("last state: %+v", end)
	}
}

func TestProgressWithoutDuration(t *testing.T) {
	var first, last *ffmpeg.Progress
	timed := false
	_, err := ffmpeg.Run(t.Context(), args("-re", ffmpeg.Input(clip()), "-t", "0.5", "-vn", "-f", "null", "-"),
		ffmpeg.WithProgress(func(p ffmpeg.Progress) {
			if first == nil {
				first = &p
			}
			timed = timed || p.Time > 0 && !p.Done // not always the first: newer versions of ffmpeg may write a packet later
			last = &p
		}))
	if err != nil {
		t.Fatal(err)
	}
	if first.Fraction != -1 || first.ETA != -1 || first.Frames != 0 || !timed {
		t.Errorf("sound alone, of unknown length: %+v", *first)
	}
	if last.Fraction != 1 || last.ETA != 0 || !last.Done {
		t.Errorf("at the end: %+v", *last)
	}
}

func TestCancel(t *testing.T) {
	operator := errors.New("the operator has pressed stop")
	tests := map[string]struct {
		ctx  func(t *testing.T) (context.Context, ffmpeg.Option)
		want string
		is   []error
	}{
		"by the caller": {
			ctx:  func(t *testing.T) (context.Context, ffmpeg.Option) { return cancelOnProgress(t, nil) },
			want: ffmpeg.TypeCanceled, is: []error{context.Canceled},
		},
		"with a cause": {
			ctx:  func(t *testing.T) (context.Context, ffmpeg.Option) { return cancelOnProgress(t, operator) },
			want: ffmpeg.TypeCanceled, is: []error{context.Canceled, operator},
		},
		"by the stall of another run": {
			ctx: func(t *testing.T) (context.Context, ffmpeg.Option) {
				_, stalled := ffmpeg.Run(t.Context(), nil, script(t, "exec sleep 600"), ffmpeg.WithStallTimeout(time.Millisecond))
				wantType(t, stalled, ffmpeg.TypeStalled)
				return cancelOnProgress(t, stalled)
			},
			want: ffmpeg.TypeCanceled, is: []error{context.Canceled},
		},
		"by a deadline": {
			ctx: func(t *testing.T) (context.Context, ffmpeg.Option) {
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				t.Cleanup(cancel)
				return ctx, nil
			},
			want: ffmpeg.TypeTimeout, is: []error{context.DeadlineExceeded},
		},
		"before the start": {
			ctx: func(t *testing.T) (context.Context, ffmpeg.Option) {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				return ctx, nil
			},
			want: ffmpeg.TypeCanceled, is: []error{context.Canceled},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			living := family(t)
			dir := t.TempDir()
			ctx, opt := tt.ctx(t)
			_, err := ffmpeg.Run(ctx, args(endless, "-c:v", "mpeg4"), opt, ffmpeg.WithOutput(dir+"/out.mp4"))
			wantType(t, err, tt.want)
			for _, is := range tt.is {
				if !errors.Is(err, is) {
					t.Errorf("errors.Is(%v, %v) = false", err, is)
				}
			}
			if got := instrument.ErrorType(err); got != tt.want {
				t.Errorf("instrument counts it as %q", got)
			}
			wantFiles(t, dir)
			wantNone(t, living)
		})
	}
}

func TestRunRefuses(t *testing.T) {
	dir := t.TempDir()
	tests := map[string]struct {
		args   []string
		opt    ffmpeg.Option
		want   string
		naming string
	}{
		"grace":           {opt: ffmpeg.WithGrace(-1), want: ffmpeg.TypeBadArgs, naming: "WithGrace(-1ns)"},
		"stall":           {opt: ffmpeg.WithStallTimeout(-time.Second), want: ffmpeg.TypeBadArgs, naming: "WithStallTimeout(-1s)"},
		"no binary":       {opt: ffmpeg.WithPath(""), want: ffmpeg.TypeBadArgs, naming: `WithPath("")`},
		"no output":       {opt: ffmpeg.WithOutput(""), want: ffmpeg.TypeBadArgs, naming: `WithOutput("")`},
		"folder":          {opt: ffmpeg.WithOutput(dir), want: ffmpeg.TypeBadArgs, naming: dir},
		"device":          {opt: ffmpeg.WithOutput("/dev/null"), want: ffmpeg.TypeBadArgs, naming: "/dev/null"},
		"missing folder":  {opt: ffmpeg.WithOutput(dir + "/a/b.mp4"), want: ffmpeg.TypeNotFound, naming: dir + "/a"},
		"of Probe":        {opt: ffmpeg.WithFormats("hls"), want: ffmpeg.TypeBadArgs, naming: "WithFormats is not an option of run"},
		"missing binary":  {opt: ffmpeg.WithPath("no-such-ffmpeg"), want: ffmpeg.TypeNoBinary, naming: "no-such-ffmpeg"},
		"missing path":    {opt: ffmpeg.WithPath(dir + "/ffmpeg"), want: ffmpeg.TypeNoBinary, naming: dir},
		"not executable":  {opt: ffmpeg.WithPath(clip()), want: ffmpeg.TypePermission, naming: clip()},
		"NUL in argument": {args: []string{"-i", "a\x00b"}, want: ffmpeg.TypeBadArgs, naming: "invalid argument"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := ffmpeg.Run(t.Context(), tt.args, tt.opt)
			wantType(t, err, tt.want)
			if !strings.Contains(err.Error(), tt.naming) {
				t.Errorf("%q does not name %q", err, tt.naming)
			}
		})
	}
	wantFiles(t, dir)
	if _, err := ffmpeg.Probe(t.Context(), clip(), ffmpeg.WithOutput("x")); !strings.Contains(err.Error(), "WithOutput is not an option of probe") {
		t.Errorf("Probe with WithOutput: %v", err)
	}
	if _, err := ffmpeg.Check(t.Context(), clip(), ffmpeg.WithProtocols()); !strings.Contains(err.Error(), "WithProtocols()") {
		t.Errorf("Check with WithProtocols(): %v", err)
	}
}

func TestNilEverything(t *testing.T) {
	//lint:ignore SA1012 a nil context is what this is about
	res, err := ffmpeg.Run(nil, args(ffmpeg.Input(clip()), "-t", "0.2", "-f", "null", "-"), nil, ffmpeg.WithProgress(nil),
		ffmpeg.WithStdin(nil), ffmpeg.WithStdout(nil), ffmpeg.WithStderr(nil))
	if err != nil || res.Frames != 5 {
		t.Errorf("%+v, %v", res, err)
	}
	_, err = ffmpeg.Run(t.Context(), nil)
	wantType(t, err, ffmpeg.TypeBadArgs)
	var e *ffmpeg.Error
	if e.Error() != "<nil>" || e.ErrorType() != "" || e.Unwrap() != nil {
		t.Error("a nil *Error is not inert")
	}
}
