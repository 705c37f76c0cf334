package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/codes"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

var errDecoder = errors.New("decoder gave up")

// How a job ends decides which alert fires: a canceled job is nobody's fault, a failed one somebody's, and its
// error_type says whose.
func TestJobStatus(t *testing.T) {
	cause := errors.New("user closed the tab")
	tests := []struct {
		reason    string
		parent    func(context.Context) (context.Context, context.CancelFunc)
		run       func(context.Context) error
		status    string
		errorType string // in errors_total{stage="job"} and on the span; empty: neither, and the span is no error
	}{
		{
			reason: "no error is a success",
			run:    func(context.Context) error { return nil },
			status: "completed",
		},
		{
			reason: "any error is a failure",
			run:    func(context.Context) error { return errDecoder },
			status: "failed", errorType: "error",
		},
		{
			reason: "work that got done counts, though the caller had gone",
			parent: canceledParent,
			run:    func(context.Context) error { return nil },
			status: "completed",
		},
		{
			reason: "the caller gave up, whatever the interrupted operation made of it",
			parent: canceledParent,
			run:    func(context.Context) error { return errDecoder },
			status: "canceled",
		},
		{
			reason: "the program canceled a part of the job, and not its caller the job",
			run:    func(context.Context) error { return fmt.Errorf("stop: %w", context.Canceled) },
			status: "failed", errorType: "aborted",
		},
		{
			reason: "a cause does not change that it was canceled",
			parent: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancelCause(ctx)
				cancel(cause)
				return ctx, func() {}
			},
			run:    func(ctx context.Context) error { return context.Cause(ctx) },
			status: "canceled",
		},
		{
			reason: "a deadline is a failure",
			parent: expiredParent,
			run:    func(ctx context.Context) error { return ctx.Err() },
			status: "failed", errorType: "timeout",
		},
		{
			reason: "a deadline is a failure, whatever the interrupted operation made of it",
			parent: expiredParent,
			run:    func(context.Context) error { return errDecoder },
			status: "failed", errorType: "timeout",
		},
		{
			reason: "a deadline is a failure, even if what it interrupted calls itself canceled",
			parent: expiredParent,
			run:    func(context.Context) error { return context.Canceled },
			status: "failed", errorType: "timeout",
		},
		{
			reason: "a time limit of one operation in the job is a failure",
			run: func(ctx context.Context) error {
				ctx, cancel := context.WithTimeout(ctx, 0)
				defer cancel()
				<-ctx.Done()
				return fmt.Errorf("probe: %w", ctx.Err())
			},
			status: "failed", errorType: "timeout",
		},
		{
			reason: "a process that the deadline killed was not at fault",
			parent: func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, 20*time.Millisecond)
			},
			run:    func(ctx context.Context) error { return exec.CommandContext(ctx, "sleep", "600").Run() },
			status: "failed", errorType: "timeout",
		},
		{
			reason: "a process that the caller killed was not at fault",
			parent: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(20*time.Millisecond, cancel)
				return ctx, cancel
			},
			run:    func(ctx context.Context) error { return exec.CommandContext(ctx, "sleep", "600").Run() },
			status: "canceled",
		},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			ctx := t.Context()
			if tt.parent != nil {
				var cancel context.CancelFunc
				ctx, cancel = tt.parent(ctx)
				defer cancel()
			}
			var want error
			err := p.RunJob(ctx, "job-1", func(ctx context.Context) error {
				want = tt.run(ctx)
				return want
			})
			if err != want {
				t.Errorf("RunJob = %v, want the function's own error %v", err, want)
			}
			for _, status := range []string{"completed", "failed", "canceled"} {
				n := 0.0
				if status == tt.status {
					n = 1
				}
				if got := rec.Counter(vp("jobs_total"), label("status", status)); got != n {
					t.Errorf("jobs_total{status=%q} = %v, want %v", status, got, n)
				}
				if got := rec.Histogram(vp("job_duration_seconds"), label("status", status)).Count; got != uint64(n) {
					t.Errorf("job_duration_seconds_count{status=%q} = %v, want %v", status, got, n)
				}
			}
			wantErrors, wantCode, wantTree := "", codes.Unset, "job"
			if tt.errorType != "" {
				wantErrors, wantCode, wantTree = "job/"+tt.errorType+"=1", codes.Error, "job error="+tt.errorType
			}
			if got := errorsByStage(rec); got != wantErrors {
				t.Errorf("errors_total is %q, want %q", got, wantErrors)
			}
			rec.AssertSpanTree(wantTree)
			span := rec.Span("job", label("video.processing.job.status", tt.status), label("video.processing.outcome", tt.status))
			if span.Status.Code != wantCode {
				t.Errorf("span status = %v, want %v", span.Status.Code, wantCode)
			}
		})
	}
}

func canceledParent(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx, cancel
}

func expiredParent(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithDeadline(ctx, time.Unix(0, 0))
}

// A job that its caller has canceled must still be seen: OpenTelemetry leaves it to an instrumentation whether a dead
// context means a lost recording.
func TestCanceledContextLosesNothing(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, cancel := canceledParent(t.Context())
	defer cancel()
	p.Enqueue(ctx, "job-1", nil)
	ctx, job := p.StartJob(ctx, "job-1", instrument.WithVideoDuration(time.Minute))
	ctx, stage := instrument.StartStage(ctx, "analysis")
	instrument.Spend(ctx, "gpu", instrument.Cent)
	instrument.RecordHighlight(ctx, 0.5)
	instrument.RecordError(ctx, errDecoder)
	err := errDecoder
	stage.End(&err)
	job.End(&err)
	s := rec.Snapshot()
	for name, got := range map[string]float64{
		"jobs_total queued":     s.Counter(vp("jobs_total"), label("status", "queued")),
		"jobs_total processing": s.Counter(vp("jobs_total"), label("status", "processing")),
		"jobs_total canceled":   s.Counter(vp("jobs_total"), label("status", "canceled")),
		"duration_seconds":      float64(s.Histogram(vp("duration_seconds")).Count),
		"ratio":                 float64(s.Histogram(vp("ratio")).Count),
		"job_duration_seconds":  float64(s.Histogram(vp("job_duration_seconds")).Count),
		"job_ratio":             float64(s.Histogram(vp("job_ratio")).Count),
		"cost_per_job_usd":      float64(s.Histogram(vp("cost_per_job_usd")).Count),
		"highlight_scores":      float64(s.Histogram(vp("highlight_scores")).Count),
		"errors_total":          s.Counter(vp("errors_total")),
		"cents":                 s.Counter(vp("cost_usd_total")) * 100,
	} {
		if got != 1 {
			t.Errorf("%s = %v under a canceled context, want 1", name, got)
		}
	}
}

// Durations on the wire are seconds; milliseconds would land every job in the last bucket.
func TestDurationsAreSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, rec := instrumenttest.New(t)
		ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithVideoDuration(time.Minute))
		_, stage := instrument.StartStage(ctx, "rendering")
		time.Sleep(90 * time.Second)
		stage.End(nil)
		time.Sleep(30 * time.Second)
		job.End(nil)
		for name, want := range map[string]float64{
			"duration_seconds": 90, "ratio": 1.5, "job_duration_seconds": 120, "job_ratio": 2,
		} {
			if h := rec.Histogram(vp(name)); h.Count != 1 || h.Sum != want {
				t.Errorf("%s: %d values, sum %v, want 1 of %v", name, h.Count, h.Sum, want)
			}
		}
	})
}

func TestVideoDuration(t *testing.T) {
	tests := []struct {
		reason  string
		opts    []instrument.JobOption
		set     []time.Duration
		ratios  uint64
		invalid float64
	}{
		{reason: "unknown: no ratio, not one of infinity"},
		{reason: "zero is unknown", opts: []instrument.JobOption{instrument.WithVideoDuration(0)}},
		{reason: "told at the start", opts: []instrument.JobOption{instrument.WithVideoDuration(time.Second)}, ratios: 1},
		{reason: "told once it was probed", set: []time.Duration{time.Second}, ratios: 1},
		{reason: "taken back", set: []time.Duration{time.Second, 0}},
		{
			reason: "negative is counted and keeps what was known",
			opts:   []instrument.JobOption{instrument.WithVideoDuration(time.Second)},
			set:    []time.Duration{-time.Second}, ratios: 1, invalid: 1,
		},
		{reason: "negative from the start", opts: []instrument.JobOption{instrument.WithVideoDuration(-1)}, invalid: 1},
		{reason: "one nanosecond is no division by zero", set: []time.Duration{1}, ratios: 1},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			_, job := p.StartJob(t.Context(), "job-1", tt.opts...)
			for _, d := range tt.set {
				job.SetVideoDuration(d)
			}
			job.End(nil)
			h := rec.Histogram(vp("job_ratio"))
			if h.Count != tt.ratios || math.IsInf(h.Sum, 0) || math.IsNaN(h.Sum) {
				t.Errorf("job_ratio has %d values, sum %v, want %d", h.Count, h.Sum, tt.ratios)
			}
			if got := rec.Counter(vp("invalid_values_total"), label("metric", "video.processing.job_ratio"), label("reason", "negative")); got != tt.invalid {
				t.Errorf("invalid_values_total{job_ratio,negative} = %v, want %v", got, tt.invalid)
			}
		})
	}
}
