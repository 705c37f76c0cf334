package instrument_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

type video struct{ path string }

// A decorator that changes a result, wraps an error, or drops a value beside an error changes the program.
func TestRunAndWrapReturnWhatTheFunctionReturned(t *testing.T) {
	p, rec := instrumenttest.New(t)
	in, out := &video{"in"}, &video{"out"}
	fn := func(ctx context.Context, got *video) (*video, error) {
		if got != in {
			t.Errorf("the argument is %p, want %p", got, in)
		}
		return out, errDecoder // a partial result and an error
	}
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	bound := func(ctx context.Context) (*video, error) { return fn(ctx, in) }
	id := func(v *video) string { return v.path }
	for name, run := range map[string]func() (*video, error){
		"RunStage":  func() (*video, error) { return instrument.RunStageValue(ctx, "s", bound) },
		"RunCall":   func() (*video, error) { return instrument.RunCallValue(ctx, "a", nil, bound) },
		"WrapStage": func() (*video, error) { return instrument.WrapStage("s", fn)(ctx, in) },
		"WrapCall":  func() (*video, error) { return instrument.WrapCall("a", nil, fn)(ctx, in) },
		"WrapJob":   func() (*video, error) { return instrument.WrapJob(id, fn)(ctx, in) },
		"RunJob": func() (*video, error) {
			return out, p.RunJob(ctx, "in", func(ctx context.Context) error { _, err := fn(ctx, in); return err })
		},
	} {
		if got, err := run(); got != out || err != errDecoder {
			t.Errorf("%s = %v, %v, want %v, %v", name, got, err, out, errDecoder)
		}
	}
	if got := rec.Counter(vp("jobs_total"), label("status", "failed")); got != 2 {
		t.Errorf("failed jobs = %v, want 2", got)
	}
	if got := rec.Histogram(vp("duration_seconds"), label("stage", "s")).Count; got != 2 {
		t.Errorf("stages = %v, want 2", got)
	}
	if got := rec.Counter(vp("api_calls_total"), label("api", "a"), label("status", "error")); got != 2 {
		t.Errorf("calls = %v, want 2", got)
	}
	for _, s := range rec.Spans() {
		if s.Name == "job" && s.Attributes[0].Value.AsString() != "in" {
			t.Errorf("job attributes = %v, want the id of the argument", s.Attributes)
		}
	}
}

// A wrapped function is measured by the pipeline of the context of each call, not by that of the moment of wrapping,
// so it may be a package variable.
func TestWrappedFunctionsFindTheirPipelineAtEachCall(t *testing.T) {
	analyze := instrument.WrapStage("analysis", func(context.Context, int) (int, error) { return 0, nil })
	one, recOne := instrumenttest.New(t)
	two, recTwo := instrumenttest.New(t)
	_, _ = analyze(instrument.ContextWithPipeline(t.Context(), one), 1)
	_, _ = analyze(instrument.ContextWithPipeline(t.Context(), two), 1)
	_, _ = analyze(instrument.ContextWithPipeline(t.Context(), two), 1)
	if a, b := recOne.Histogram(vp("duration_seconds")).Count, recTwo.Histogram(vp("duration_seconds")).Count; a != 1 || b != 2 {
		t.Errorf("%d and %d stages, want 1 and 2", a, b)
	}
}

func TestOptionsReachTheFunctionTheyWrap(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	job := instrument.WrapJob(func(string) string { return "job-1" }, func(ctx context.Context, _ string) (int, error) {
		stage := instrument.WrapStage("s", func(context.Context, int) (int, error) { return 1, nil },
			instrument.WithVideoDuration(time.Hour))
		_, _ = stage(ctx, 1)
		call := instrument.WrapCall("whisper", nil, func(context.Context, int) (int, error) { return 1, nil },
			instrument.WithMaxCost(2*instrument.Dollar))
		return call(ctx, 1)
	}, instrument.WithBudget(instrument.Dollar))
	_, err := job(ctx, "")
	var refusal *instrument.BudgetError
	if !errors.As(err, &refusal) || refusal.Asked != 2*instrument.Dollar || refusal.Limit != instrument.Dollar {
		t.Errorf("err = %v, want a refusal of $2 by a budget of $1", err)
	}
	if rec.Histogram(vp("ratio")).Count != 1 {
		t.Error("the stage has no ratio")
	}
}

// A function that is nil is a bug of the program, which an error tells without ending it.
func TestNilFunctionsAreErrors(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	for name, run := range map[string]func() error{
		"RunJob":    func() error { return p.RunJob(ctx, "j", nil) },
		"RunStage":  func() error { _, err := instrument.RunStageValue[int](ctx, "s", nil); return err },
		"RunCall":   func() error { _, err := instrument.RunCallValue[int](ctx, "a", nil, nil); return err },
		"WrapJob":   func() error { _, err := instrument.WrapJob[int, int](nil, nil)(ctx, 1); return err },
		"WrapStage": func() error { _, err := instrument.WrapStage[int, int]("s", nil)(ctx, 1); return err },
		"WrapCall":  func() error { _, err := instrument.WrapCall[int, int]("a", nil, nil)(ctx, 1); return err },
	} {
		err := run()
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s(nil) = %v, want an error that names it", name, err)
		}
		if got := instrument.ErrorType(err); got != "nil_func" {
			t.Errorf("%s(nil) has type %q, want nil_func", name, got)
		}
	}
	if got := rec.Counter(vp("jobs_total"), label("status", "failed")); got != 2 {
		t.Errorf("failed jobs = %v, want 2", got)
	}
}

// Functions of the user's that only help to measure must not break what they measure.
func TestHelpersThatPanicDoNotBreakTheWork(t *testing.T) {
	p, rec := instrumenttest.New(t)
	reports := captureReports(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	n, err := instrument.WrapJob(func(int) string { panic("no id") }, func(ctx context.Context, in int) (int, error) {
		return instrument.RunCallValue(ctx, "whisper", func(int) instrument.USD { panic("no price") },
			func(context.Context) (int, error) { return 2 * in, nil }, instrument.WithMaxCost(instrument.Cent))
	})(ctx, 21)
	if n != 42 || err != nil {
		t.Errorf("got %v, %v, want 42", n, err)
	}
	reports.expect(t, "the id function of WrapJob panicked: no id", "the price function of whisper panicked: no price")
	if got := rec.Counter(vp("cost_usd_total")); got != 0.01 {
		t.Errorf("cost = %v, want the estimate", got)
	}
	if got := rec.Counter(vp("api_calls_total"), label("status", "success")); got != 1 {
		t.Errorf("calls = %v, want 1 success", got)
	}
}

func goexitInAStage(p *instrument.Pipeline, stage string) {
	apart(func() {
		_ = p.RunJob(context.Background(), "job-1", func(ctx context.Context) error {
			_, _ = instrument.RunStageValue(ctx, stage, func(context.Context) (int, error) {
				runtime.Goexit()
				return 0, nil
			})
			return nil
		})
	})
}

// runtime.Goexit, as t.FailNow does it: neither a return nor a panic. A job that never came to its end must not count
// as completed.
func TestGoexit(t *testing.T) {
	t.Run("Run sees it", func(t *testing.T) {
		p, rec := instrumenttest.New(t)
		goexitInAStage(p, "analysis")
		apart(func() {
			ctx := instrument.ContextWithPipeline(context.Background(), p)
			_, _ = instrument.RunCallValue(ctx, "whisper", nil, func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })
		})
		if got := rec.Counter(vp("jobs_total"), label("status", "failed")); got != 1 {
			t.Errorf("failed = %v, want 1", got)
		}
		if got := rec.Counter(vp("api_calls_total"), label("status", "error")); got != 1 {
			t.Errorf("calls with an error = %v, want 1", got)
		}
		rec.AssertSpanTree(`
			job error=goexit
			  stage analysis error=goexit
			call whisper (client) error=goexit
		`)
		for _, gauge := range []string{"jobs_in_progress", "stages_in_progress"} {
			if got, _ := rec.Gauge(vp(gauge)); got != 0 {
				t.Errorf("%s = %v, want 0", gauge, got)
			}
		}
	})
	t.Run("with WithRecover it still ends the goroutine", func(t *testing.T) {
		p, rec := instrumenttest.New(t, instrument.WithRecover())
		after := false
		apart(func() {
			_ = p.RunJob(context.Background(), "job-1", func(context.Context) error { runtime.Goexit(); return nil })
			after = true
		})
		if after {
			t.Error("the goroutine went on")
		}
		rec.AssertSpanTree("job error=goexit")
	})
	t.Run("a deferred End can't see it and says what the error says", func(t *testing.T) {
		p, rec := instrumenttest.New(t)
		apart(func() {
			err := errDecoder
			ctx, job := p.StartJob(context.Background(), "job-1")
			defer job.End(&err)
			_, stage := instrument.StartStage(ctx, "analysis")
			defer stage.End(nil)
			runtime.Goexit()
		})
		rec.AssertSpanTree(`
			job error=error
			  stage analysis
		`)
		if got, _ := rec.Gauge(vp("jobs_in_progress")); got != 0 {
			t.Errorf("jobs_in_progress = %v, want 0", got)
		}
	})
}

// The function runs within the span and with the caller's deadline, or what it calls is cut off from both.
func TestFunctionRunsInTheSpanOfItsStage(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	deadline, _ := ctx.Deadline()
	var span trace.SpanContext
	_, _ = instrument.RunStageValue(instrument.ContextWithPipeline(ctx, p), "analysis", func(ctx context.Context) (int, error) {
		span = trace.SpanContextFromContext(ctx)
		if d, _ := ctx.Deadline(); !d.Equal(deadline) {
			t.Errorf("deadline = %v, want %v", d, deadline)
		}
		return 0, nil
	})
	if want := rec.Span("stage analysis").SpanContext; !want.Equal(span) {
		t.Errorf("ran in span %v, want %v", span, want)
	}
}
