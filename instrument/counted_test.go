package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"weak"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// errorList is an error whose values cannot be compared, as those of validators often are.
type errorList []string

func (e errorList) Error() string { return strings.Join(e, "; ") }

type errorReport struct{ details []string }

func (e errorReport) Error() string { return strings.Join(e.details, "; ") }

// An error that passes a stage and its job is one error. Counted at each level it would double the
// error rate with every refactoring that nests one more function.
func TestErrorIsCountedOnce(t *testing.T) {
	stage := failIn
	tests := []struct {
		reason string
		run    func(ctx context.Context) error
		want   string
	}{
		{"by the job, when no stage saw it", func(context.Context) error { return errFirst },
			"job/error=1"},
		{"by the stage that returns it", func(ctx context.Context) error { return stage(ctx, "a", errFirst) },
			"a/error=1"},
		{"by the stage, when the job adds its words", func(ctx context.Context) error {
			return fmt.Errorf("while cutting: %w", stage(ctx, "a", errFirst))
		}, "a/error=1"},
		{"by the first of parallel stages, though another failed after it", func(ctx context.Context) error {
			err := stage(ctx, "a", errFirst)
			_ = stage(ctx, "b", errSecond)
			return err
		}, "a/error=1 b/error=1"},
		{"of parallel stages, when the job joins them", func(ctx context.Context) error {
			return errors.Join(stage(ctx, "a", errFirst), stage(ctx, "b", errSecond))
		}, "a/error=1 b/error=1"},
		{"each its own, when the job fails of something else", func(ctx context.Context) error {
			_ = stage(ctx, "a", errFirst)
			return errSecond
		}, "a/error=1 job/error=1"},
		{"an error that can't be compared", func(ctx context.Context) error {
			return fmt.Errorf("invalid: %w", stage(ctx, "a", errorList{"codec", "size"}))
		}, "a/instrument_test.errorList=1"},
		{"a struct that can't be compared", func(ctx context.Context) error {
			return stage(ctx, "a", errorReport{[]string{"codec"}})
		}, "a/instrument_test.errorReport=1"},
		{"by RecordError before the stage returns it", func(ctx context.Context) error {
			_, err := instrument.RunStageValue(ctx, "a", func(ctx context.Context) (int, error) {
				instrument.RecordError(ctx, errFirst)
				return 0, fmt.Errorf("a: %w", errFirst)
			})
			return err
		}, "a/error=1"},
		{"two by RecordError, either of which the stage may return", func(ctx context.Context) error {
			_, err := instrument.RunStageValue(ctx, "a", func(ctx context.Context) (int, error) {
				instrument.RecordError(ctx, errFirst)
				instrument.RecordError(ctx, errSecond)
				return 0, errFirst
			})
			return err
		}, "a/error=2"},
		{"by RecordError in a job without stages", func(ctx context.Context) error {
			instrument.RecordError(ctx, errFirst)
			return errFirst
		}, "job/error=1"},
		{"an attempt that failed and its success", func(ctx context.Context) error {
			_ = stage(ctx, "a", errFirst)
			return stage(ctx, "a", nil)
		}, "a/error=1"},
		{"an end of the goroutine", nil, "a/goexit=1"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			if tt.run != nil {
				_ = p.RunJob(t.Context(), "job-1", tt.run)
			} else {
				goexitInAStage(p, "a")
			}
			if got := errorsByStage(rec); got != tt.want {
				t.Errorf("errors_total is %q, want %q", got, tt.want)
			}
		})
	}
}

// A job that retries for days remembers the errors that were counted, but not a million of them.
func TestRetriesDoNotGrowTheJob(t *testing.T) {
	p, rec := instrumenttest.New(t)
	const attempts = 10_000
	errs := make([]weak.Pointer[ownType], attempts)
	ctx, job := p.StartJob(t.Context(), "job-1")
	ctx, stage := instrument.StartStage(ctx, "a")
	for i := range errs {
		err := &ownType{"attempt"}
		errs[i] = weak.Make(err)
		instrument.RecordError(ctx, err)
	}
	runtime.GC()
	kept := 0
	for _, err := range errs {
		if err.Value() != nil {
			kept++
		}
	}
	if kept > 100 {
		t.Errorf("%d errors are kept", kept)
	}
	stage.End(nil)
	job.End(nil)
	if got := rec.Counter(vp("errors_total")); got != attempts {
		t.Errorf("errors_total = %v, want %d", got, attempts)
	}
}
