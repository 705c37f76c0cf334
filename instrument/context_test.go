package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

func TestFromContext(t *testing.T) {
	p, _ := instrumenttest.New(t)
	outside := instrument.ContextWithPipeline(t.Context(), p)
	jobCtx, job := p.StartJob(t.Context(), "job-1")
	stageCtx, stage := instrument.StartStage(jobCtx, "analysis")
	callCtx, call, err := instrument.StartCall(stageCtx, "whisper")
	if err != nil {
		t.Fatal(err)
	}
	innerCtx, inner := instrument.StartStage(callCtx, "retry")
	nestedCtx, nested := p.StartJob(innerCtx, "job-2")
	for _, tt := range []struct {
		reason string
		ctx    context.Context
		job    *instrument.Job
		stage  *instrument.Stage
		call   *instrument.Call
	}{
		{"outside of a job", outside, nil, nil, nil},
		{"in a job", jobCtx, job, nil, nil},
		{"in a stage", stageCtx, job, stage, nil},
		{"in a call of a stage", callCtx, job, stage, call},
		{"in a stage within a call", innerCtx, job, inner, call},
		{"in a job within them", nestedCtx, nested, nil, nil},
		{"in a context of another package", context.WithValue(callCtx, watched{}, 1), job, stage, call},
		{"in a pipeline of its own", instrument.ContextWithPipeline(callCtx, p), nil, nil, nil},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			if got := instrument.JobFromContext(tt.ctx); got != tt.job {
				t.Errorf("job %p, want %p", got, tt.job)
			}
			if got := instrument.StageFromContext(tt.ctx); got != tt.stage {
				t.Errorf("stage %p, want %p", got, tt.stage)
			}
			if got := instrument.CallFromContext(tt.ctx); got != tt.call {
				t.Errorf("call %p, want %p", got, tt.call)
			}
		})
	}
	if got := fmt.Sprint(callCtx); !strings.Contains(got, ".WithStage(analysis).") || !strings.HasSuffix(got, ".WithCall(whisper)") {
		t.Errorf("the context of a call is called %s", got)
	}
}

// To ask a context what it is in records nothing, and needs no default.
func TestFromContextMakesNoDefault(t *testing.T) {
	t.Cleanup(instrument.SetDefault(nil))
	old := otel.GetMeterProvider()
	t.Cleanup(func() { otel.SetMeterProvider(old) })
	otel.SetMeterProvider(&meterHook{f: func() { t.Error("a default is made") }})
	for _, ctx := range []context.Context{noContext, t.Context()} {
		instrument.JobFromContext(ctx).End(nil)
		instrument.StageFromContext(ctx).End(nil)
		instrument.CallFromContext(ctx).SetCost(cent)
	}
}

// What an inert pipeline runs in a job of another one is not measured there either.
func TestWithinAnInertPipeline(t *testing.T) {
	p, rec := instrumenttest.New(t)
	var inert *instrument.Pipeline
	_ = p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
		inner := func(ctx context.Context) error {
			instrument.CallFromContext(ctx).SetCost(dollar)
			instrument.Spend(ctx, "gpu", cent)
			return instrument.RunStage(ctx, "inner", func(context.Context) error { return errDecoder })
		}
		return instrument.RunCall(ctx, "whisper", func(ctx context.Context) error {
			_ = inert.RunJob(ctx, "job-2", inner)
			_ = inert.RunStage(ctx, "outer", inner)
			_ = inert.RunCall(ctx, "gpt", inner)
			return nil
		})
	})
	if got := rec.Histogram(vp("duration_seconds")).Count; got != 0 {
		t.Errorf("%d stages, want none", got)
	}
	if got := rec.Counter(vp("cost_usd_total")); got != 0 {
		t.Errorf("cost %v, want none", got)
	}
}

// A call that failed and was billed says what it cost.
func TestAFailedCallSaysWhatItCost(t *testing.T) {
	p, rec := instrumenttest.New(t)
	rejected := &statusField{422}
	err := p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
		return instrument.RunCall(ctx, "whisper", func(ctx context.Context) error {
			instrument.CallFromContext(ctx).SetCost(3 * cent)
			return rejected
		}, instrument.WithMaxCost(10*cent))
	}, instrument.WithBudget(dollar))
	if !errors.Is(err, rejected) {
		t.Errorf("error %v", err)
	}
	if got := rec.Counter(vp("cost_usd_total")); got != 0.03 {
		t.Errorf("cost %v, want 0.03", got)
	}
}

// What finds a stage or call in its context may end it; the Run function then does not end it again.
func TestEndedWithin(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	_ = instrument.RunStage(ctx, "analysis", func(ctx context.Context) error {
		instrument.StageFromContext(ctx).End(nil)
		return errDecoder
	})
	_ = instrument.RunCall(ctx, "whisper", func(ctx context.Context) error {
		instrument.CallFromContext(ctx).End(nil)
		return errDecoder
	})
	for _, run := range []func(){
		func() {
			_ = instrument.RunStage(ctx, "analysis", func(ctx context.Context) error {
				instrument.StageFromContext(ctx).End(nil)
				panic("boom")
			})
		},
		func() {
			_ = instrument.RunCall(ctx, "whisper", func(ctx context.Context) error {
				instrument.CallFromContext(ctx).End(nil)
				panic("boom")
			})
		},
	} {
		if v := recovered(run); v != "boom" {
			t.Errorf("panicked with %v", v)
		}
	}
	if got := rec.Histogram(vp("duration_seconds")).Count; got != 2 {
		t.Errorf("%d stages, want 2", got)
	}
	if got, _ := rec.Gauge(vp("stages_in_progress")); got != 0 {
		t.Errorf("%v stages in progress", got)
	}
	if got := rec.Counter(vp("api_calls_total"), label("status", "success")); got != 2 {
		t.Errorf("%v calls, want 2", got)
	}
	if got := rec.Counter(vp("errors_total"), label("stage", "analysis")); got != 0 {
		t.Errorf("%v errors of stages that had ended", got)
	}
}

// The functions use the pipeline of the context, the methods their own; a job is that of the context if it is theirs.
func TestFunctionsAndMethods(t *testing.T) {
	own, ownRec := instrumenttest.New(t)
	other, otherRec := instrumenttest.New(t)
	fail := func(context.Context) error { return errDecoder }
	ctx, job := own.StartJob(t.Context(), "job-1", instrument.WithBudget(cent))
	for _, run := range []func() error{
		func() error { return instrument.RunStage(ctx, "function", fail) },
		func() error { return own.RunStage(ctx, "method", fail) },
		func() error { return other.RunStage(ctx, "other", fail) },
		func() error { _, s := own.StartStage(ctx, "method"); err := errDecoder; s.End(&err); return err },
	} {
		if err := run(); err != errDecoder { //nolint:errorlint // identity is the point
			t.Errorf("error %v", err)
		}
	}
	own.Spend(ctx, "gpu", cent)
	other.Spend(ctx, "gpu", 2*cent)
	if err := own.RunCall(ctx, "whisper", fail); !errors.Is(err, instrument.ErrBudgetExceeded) {
		t.Errorf("error %v, want the refusal of the job's budget", err)
	}
	if err := other.RunCall(ctx, "whisper", fail); err != errDecoder { //nolint:errorlint // identity is the point
		t.Errorf("error %v: the other pipeline has no job here", err)
	}
	_, call, err := own.StartCall(ctx, "whisper")
	if call.End(nil); !errors.Is(err, instrument.ErrBudgetExceeded) {
		t.Errorf("error %v, want the refusal of the job's budget", err)
	}
	if got := job.Cost(); got != cent {
		t.Errorf("the job cost %s, want $0.01", got)
	}
	job.End(nil)
	if err := instrument.RunJob(instrument.ContextWithPipeline(t.Context(), other), "job-2", fail); err != errDecoder { //nolint:errorlint // identity is the point
		t.Errorf("error %v", err)
	}
	n, err := instrument.RunJobValue(instrument.ContextWithPipeline(t.Context(), other), "job-3", func(context.Context) (int, error) { return 7, errDecoder })
	if n != 7 || err != errDecoder { //nolint:errorlint // identity is the point
		t.Errorf("RunJobValue returned %v, %v", n, err)
	}
	instrument.Enqueue(instrument.ContextWithPipeline(t.Context(), other), "job-4", nil)
	if got := errorsByStage(ownRec); got != "function/error=1 method/error=2" {
		t.Errorf("own errors: %s", got)
	}
	if got := errorsByStage(otherRec); got != "job/error=2 other/error=1" {
		t.Errorf("other errors: %s", got)
	}
	for status, want := range map[string]float64{"failed": 2, "processing": 2, "queued": 1} {
		if got := otherRec.Counter(vp("jobs_total"), label("status", status)); got != want {
			t.Errorf("jobs_total{status=%q} = %v, want %v", status, got, want)
		}
	}
}

// Every form of running something runs it, whatever the pipeline; nil functions are an error of their own.
func TestRunFormsOfNothing(t *testing.T) {
	var none *instrument.Pipeline
	ctx := instrument.ContextWithPipeline(t.Context(), nil)
	ran := 0
	count := func(context.Context) error { ran++; return errDecoder }
	for name, run := range map[string]func(func(context.Context) error) error{
		"RunJob":          func(f func(context.Context) error) error { return instrument.RunJob(ctx, "", f) },
		"RunStage":        func(f func(context.Context) error) error { return instrument.RunStage(ctx, "", f) },
		"RunCall":         func(f func(context.Context) error) error { return instrument.RunCall(ctx, "", f) },
		"Pipeline.RunJob": func(f func(context.Context) error) error { return none.RunJob(ctx, "", f) },
		"Pipeline.RunStage": func(f func(context.Context) error) error {
			return none.RunStage(ctx, "", f)
		},
		"Pipeline.RunCall": func(f func(context.Context) error) error { return none.RunCall(ctx, "", f) },
	} {
		before := ran
		if err := run(count); err != errDecoder || ran != before+1 { //nolint:errorlint // identity is the point
			t.Errorf("%s: error %v, %d runs", name, err, ran-before)
		}
		if err := run(nil); err == nil || instrument.ErrorType(err) != "nil_func" {
			t.Errorf("%s(nil): error %v", name, err)
		}
	}
}
