package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// Errors whose own methods are broken. A program that never calls them must not meet their panic, or hang, in here.
type (
	nilReceiver  struct{ inner error }
	panicsInIs   struct{}
	panicsInAs   struct{}
	panicsInWrap struct{}
	wrapsItself  struct{ _ byte }
	panicsInType struct{}
	panicsInCode struct{}
)

func (e *nilReceiver) Error() string   { return e.inner.Error() }
func (e *nilReceiver) Unwrap() error   { return e.inner }
func (panicsInIs) Error() string       { panic("Error") }
func (panicsInIs) Is(error) bool       { panic("Is") }
func (panicsInAs) Error() string       { return "" }
func (panicsInAs) As(any) bool         { panic("As") }
func (panicsInWrap) Error() string     { return "" }
func (panicsInWrap) Unwrap() []error   { panic("Unwrap") }
func (e *wrapsItself) Unwrap() error   { return e }
func (e *wrapsItself) Error() string   { return "again" }
func (panicsInType) Error() string     { return "" }
func (panicsInType) ErrorType() string { panic("ErrorType") }
func (panicsInCode) Error() string     { return "" }
func (panicsInCode) StatusCode() int   { panic("StatusCode") }
func (panicsInCode) SQLState() string  { panic("SQLState") }
func (panicsInCode) Timeout() bool     { panic("Timeout") }

func TestErrorsWithBrokenMethods(t *testing.T) {
	loop := &wrapsItself{}
	manyLoops := errors.Join(loop, errors.Join(loop, loop))
	tests := []struct {
		reason string
		err    error
		want   string
	}{
		{"a nil pointer in an error", (*nilReceiver)(nil), "instrument_test.nilReceiver"},
		{"a nil pointer of the standard library", (*os.PathError)(nil), "fs.PathError"},
		{"a nil exit", (*exec.ExitError)(nil), "exec.ExitError"},
		{"Is and Error panic", panicsInIs{}, "instrument_test.panicsInIs"},
		{"As panics", panicsInAs{}, "instrument_test.panicsInAs"},
		{"Unwrap panics", panicsInWrap{}, "instrument_test.panicsInWrap"},
		{"ErrorType panics", panicsInType{}, "instrument_test.panicsInType"},
		{"all the rest panics", panicsInCode{}, "instrument_test.panicsInCode"},
		{"an error that wraps itself, which errors.Is walks for ever", loop, "instrument_test.wrapsItself"},
		{"a tree of them", manyLoops, "error"},
		{"a nil PanicError", (*instrument.PanicError)(nil), "panic"},
		{"a nil BudgetError", (*instrument.BudgetError)(nil), "budget_exceeded"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			if got := instrument.ErrorType(tt.err); got != tt.want {
				t.Errorf("ErrorType = %q, want %q", got, tt.want)
			}
			p, rec := instrumenttest.New(t)
			err := p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
				instrument.RecordError(ctx, tt.err)
				_, _ = instrument.RunCallValue(ctx, "whisper", nil, func(context.Context) (int, error) { return 0, tt.err },
					instrument.WithMaxCost(instrument.Cent), instrument.WithMinCost(instrument.Cent))
				_, err := instrument.RunStageValue(ctx, "analysis", func(context.Context) (int, error) { return 0, tt.err })
				return err
			}, instrument.WithBudget(instrument.Dollar))
			if err != tt.err { //nolint:errorlint // identity is the point
				t.Error("another error came back")
			}
			for _, stage := range []string{"job", "analysis"} {
				if got := rec.Counter(vp("errors_total"), label("stage", stage), label("error_type", tt.want)); got != 1 {
					t.Errorf("errors_total{stage=%q} = %v, want 1", stage, got)
				}
			}
			if got := rec.Counter(vp("jobs_total"), label("status", "failed")); got != 1 {
				t.Errorf("failed = %v, want 1", got)
			}
		})
	}
}

func TestErrorClassifier(t *testing.T) {
	tests := []struct {
		reason   string
		classify func(error) string
		run      func(context.Context) (int, error)
		want     string
		reports  []string
	}{
		{reason: "its answer holds", classify: func(error) string { return "codec" }, want: "analysis/codec=1"},
		{reason: "before the error's own word", classify: func(error) string { return "codec" },
			run: func(context.Context) (int, error) { return 0, &ownType{"own"} }, want: "analysis/codec=1"},
		{reason: "no answer leaves it to ErrorType", classify: func(error) string { return "" }, want: "analysis/error=1"},
		{reason: "a panic is not asked about", classify: func(error) string { return "codec" },
			run: func(context.Context) (int, error) { panic("boom") }, want: "analysis/panic=1"},
		{reason: "one that panics is reported and the error still counts", classify: func(error) string { panic("oops") },
			want: "analysis/error=1", reports: []string{"the function of WithErrorClassifier panicked: oops"}},
		{reason: "free text is bounded and printable", classify: func(error) string { return strings.Repeat("long\n", 100) },
			want: "analysis/" + strings.Repeat("long\uFFFD", 9) + "l=1"},
		{reason: "blank is unknown", classify: func(error) string { return "  " }, want: "analysis/unknown=1"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			reports := captureReports(t)
			p, rec := instrumenttest.New(t, instrument.WithErrorClassifier(tt.classify))
			if tt.run == nil {
				tt.run = func(context.Context) (int, error) { return 0, errDecoder }
			}
			_ = recovered(func() {
				_, _ = instrument.RunStageValue(instrument.ContextWithPipeline(t.Context(), p), "analysis", tt.run)
			})
			if got := errorsByStage(rec); got != tt.want {
				t.Errorf("errors_total is %q, want %q", got, tt.want)
			}
			reports.expect(t, tt.reports...)
		})
	}
}

// An error_type made of the error's text gives every failure series of its own, until the metrics are the outage.
func TestErrorTypesAreBounded(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithStages("analysis"))
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	for i := range 300 {
		instrument.RecordError(ctx, &ownType{fmt.Sprintf("could not read /in/%d.mp4", i)})
	}
	series := strings.Count(rec.Exposition(vp("errors_total")), "\nvideo_processing_errors_total{")
	if series > 100+1+4+4 {
		t.Errorf("%d series, want at most 100 types, other, and the declared: 4 of analysis, 4 of jobs", series)
	}
	if got := rec.Counter(vp("errors_total")); got != 300 {
		t.Errorf("errors_total = %v, want 300: none is lost", got)
	}
	if got := rec.Counter(vp("errors_total"), label("error_type", "other")); got < 200 {
		t.Errorf("other = %v, want at least 200", got)
	}
	// What matters most keeps its name.
	_ = recovered(func() {
		_, _ = instrument.RunStageValue(ctx, "analysis", func(context.Context) (int, error) { panic("boom") })
	})
	if got := rec.Counter(vp("errors_total"), label("error_type", "panic")); got != 1 {
		t.Errorf("panic = %v, want 1", got)
	}
}

// The square of stages and types is bounded as well; and a small limit does not cost the declared stages their zeros.
func TestErrorSeriesAreBoundedForAllStagesTogether(t *testing.T) {
	stages := make([]string, 30)
	for i := range stages {
		stages[i] = fmt.Sprint("stage-", i)
	}
	p, rec := instrumenttest.New(t, instrument.WithNameLimit(2), instrument.WithStages(stages...))
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	for _, stage := range stages {
		for i := range 5 {
			recordErrorIn(ctx, stage, &ownType{fmt.Sprint("type-", i)})
		}
	}
	text := rec.Exposition(vp("errors_total"))
	for pattern, want := range map[string]int{
		`error_type="canceled",stage="stage-`: 0,  // no error
		`error_type="error",stage="stage-`:    30, // declared
		`error_type="panic",stage="stage-`:    30,
		`error_type="timeout",stage="stage-`:  30,
		`error_type="type-`:                   20, // ten times the limit
		`error_type="other",stage="stage-`:    30, // the rest of each
	} {
		if got := strings.Count(text, pattern); got != want {
			t.Errorf("%d series with %s, want %d", got, pattern, want)
		}
	}
	if got := rec.Counter(vp("errors_total")); got != 150 {
		t.Errorf("errors_total = %v, want 150", got)
	}
}
