package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// A job that joins the errors of its many segments still has a type, and counts none of them twice.
func TestManyJoinedErrors(t *testing.T) {
	p, rec := instrumenttest.New(t)
	err := p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
		var all error
		for range 120 {
			_, err := instrument.RunStageValue(ctx, "segment", func(context.Context) (int, error) { return 0, &ownType{"codec"} })
			all = errors.Join(all, err)
		}
		return all
	})
	if got := instrument.ErrorType(err); got != "codec" {
		t.Errorf("the type of the job's error is %q, want codec", got)
	}
	if got := errorsByStage(rec); got != "segment/codec=120" {
		t.Errorf("errors_total is %q, want those of the stage alone", got)
	}
}

// twice joins an error with itself, as errors.Join(err, fmt.Errorf("…: %w", err)) does: at each of many levels what
// there is to walk doubles.
type twice struct{ inner error }

func (twice) Error() string     { return "twice" }
func (e twice) Unwrap() []error { return []error{e.inner, e.inner} }

func TestSharedErrorsAreNotWalkedForEver(t *testing.T) {
	err := errDecoder
	for range 60 {
		err = twice{err}
	}
	p, rec := instrumenttest.New(t)
	_ = p.RunJob(t.Context(), "job-1", func(context.Context) error { return err }) // the test binary's time limit is the check
	if got := rec.Counter(vp("jobs_total"), label("status", "failed")); got != 1 {
		t.Errorf("%v jobs failed, want 1", got)
	}
}

// A stage that fails ends the stages beside it: the job failed, and an alert has to see that.
func TestFailureJoinedWithACancellation(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{errors.Join(errDecoder, context.Canceled), "failed"},
		{fmt.Errorf("stages: %w", errors.Join(context.Canceled, errDecoder)), "failed"},
		{errors.Join(context.Canceled, fmt.Errorf("b: %w", &ownType{"canceled"})), "canceled"},
		{errors.Join(errDecoder, &ownType{"canceled"}), "failed"},
	} {
		p, rec := instrumenttest.New(t)
		_ = p.RunJob(t.Context(), "job-1", func(context.Context) error { return tt.err })
		if got := rec.Counter(vp("jobs_total"), label("status", tt.want)); got != 1 {
			t.Errorf("%q: not %s", tt.err, tt.want)
		}
	}
}

// canceledFor is what an operation says that was canceled with a cause, as ffmpeg's runs do.
type canceledFor struct{ cause error }

func (e canceledFor) Error() string   { return "canceled: " + e.cause.Error() }
func (canceledFor) ErrorType() string { return "canceled" }
func (e canceledFor) Unwrap() []error { return []error{context.Canceled, e.cause} }

// Why the user pressed stop does not make a failure of it.
func TestCancellationWithACause(t *testing.T) {
	p, rec := instrumenttest.New(t)
	_ = p.RunJob(t.Context(), "job-1", func(context.Context) error {
		return fmt.Errorf("rendering: %w", canceledFor{errors.New("the user pressed stop")})
	})
	if got := rec.Counter(vp("jobs_total"), label("status", "canceled")); got != 1 {
		t.Errorf("the job is not canceled:\n%s", rec.Exposition(vp("jobs_total")))
	}
}

// fieldErrors is of a type that == panics on, as the lists of errors of validators are.
type fieldErrors []string

func (e fieldErrors) Error() string { return fmt.Sprint([]string(e)) }

// Two lists of errors are two errors, and one that a stage has counted is not counted again for its job.
func TestErrorsThatGoDoesNotCompare(t *testing.T) {
	for _, tt := range []struct {
		reason string
		last   func(first error) error
		want   string
	}{
		{"another error ends the job", func(error) error { return fieldErrors{"b"} },
			"analysis/instrument_test.fieldErrors=1 job/instrument_test.fieldErrors=1"},
		{"the stage's error ends the job", func(first error) error { return fmt.Errorf("x: %w", first) },
			"analysis/instrument_test.fieldErrors=1"},
	} {
		p, rec := instrumenttest.New(t)
		_ = p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
			_, err := instrument.RunStageValue(ctx, "analysis", func(context.Context) (int, error) { return 0, fieldErrors{"a"} })
			return tt.last(err)
		})
		if got := errorsByStage(rec); got != tt.want {
			t.Errorf("%s: errors_total is %q, want %q", tt.reason, got, tt.want)
		}
	}
}

// An error type with an optional cause is the innermost when it has none.
func TestTypeOfAnErrorThatMayWrap(t *testing.T) {
	if got := instrument.ErrorType(fmt.Errorf("x: %w", wrapperOfNothing{})); got != "instrument_test.wrapperOfNothing" {
		t.Errorf("type %q, want the application's", got)
	}
}

// error.type on a span says that its operation failed: a stage that survives an error did not.
func TestSurvivedErrorIsNotTheSpans(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, stage := instrument.StartStage(instrument.ContextWithPipeline(t.Context(), p), "analysis")
	instrument.RecordError(ctx, errDecoder)
	stage.End(nil)
	span := rec.Span("stage analysis")
	for _, a := range span.Attributes {
		if a.Key == "error.type" {
			t.Errorf("the span has error.type %q", a.Value.AsString())
		}
	}
	if len(span.Events) != 1 || span.Events[0].Name != "exception" {
		t.Errorf("events = %v, want the exception", span.Events)
	}
}

// The user's classifier knows better than the context why a stage failed.
func TestClassifierIsAskedFirst(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithErrorClassifier(func(error) string { return "codec" }))
	ctx, cancel := context.WithTimeout(instrument.ContextWithPipeline(t.Context(), p), 0)
	defer cancel()
	_, _ = instrument.RunStageValue(ctx, "analysis", func(context.Context) (int, error) { return 0, errDecoder })
	if got := errorsByStage(rec); got != "analysis/codec=1" {
		t.Errorf("errors_total is %q, want the classifier's", got)
	}
}

func TestErrorTypesPastTheLimitAreReportedOnce(t *testing.T) {
	reports := captureReports(t)
	p, _ := instrumenttest.New(t, instrument.WithNameLimit(2))
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	for i := range 10 {
		instrument.RecordError(ctx, &ownType{fmt.Sprint("type-", i)})
	}
	reports.expect(t, `more than 2 types of error: "type-2"`)
}
