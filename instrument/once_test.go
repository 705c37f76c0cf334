package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

var errFirst, errSecond = errors.New("first"), errors.New("second")

// failIn runs a stage that ends with err.
func failIn(ctx context.Context, name string, err error) error {
	return instrument.RunStage(ctx, name, func(context.Context) error { return err })
}

// nest runs fn in a stage.
func nest(ctx context.Context, name string, fn func(context.Context) error) error {
	return instrument.RunStage(ctx, name, fn)
}

// An error is the same only on its way up, from a part to the stage or job around it: a sentinel
// that two stages return one after the other is two failures.
func TestOneFailureIsOneError(t *testing.T) {
	recordAndReturn := func(ctx context.Context, err error) error {
		instrument.RecordError(ctx, err)
		return err
	}
	tests := []struct {
		reason string
		run    func(ctx context.Context) error
		want   string
	}{
		{"two stages, one after the other, return one sentinel", func(ctx context.Context) error {
			_ = failIn(ctx, "a", errFirst)
			return failIn(ctx, "b", errFirst)
		}, "a/error=1 b/error=1"},
		{"one stage that is run again returns it again", func(ctx context.Context) error {
			_ = failIn(ctx, "a", errFirst)
			return failIn(ctx, "a", errFirst)
		}, "a/error=2"},
		{"a retry loop in a stage, which then gives up with it", func(ctx context.Context) error {
			return nest(ctx, "outer", func(ctx context.Context) (err error) {
				for range 3 {
					err = failIn(ctx, "try", errFirst)
				}
				return err
			})
		}, "try/error=3"},
		{"a retry loop that records each", func(ctx context.Context) error {
			return nest(ctx, "a", func(ctx context.Context) error {
				for range 3 {
					instrument.RecordError(ctx, errFirst)
				}
				return errFirst
			})
		}, "a/error=3"},
		{"nested stages: the one that it arose in", func(ctx context.Context) error {
			return nest(ctx, "outer", func(ctx context.Context) error {
				return nest(ctx, "middle", func(ctx context.Context) error { return failIn(ctx, "inner", errFirst) })
			})
		}, "inner/error=1"},
		{"wrapped on the way", func(ctx context.Context) error {
			return fmt.Errorf("job: %w", nest(ctx, "outer", func(ctx context.Context) error {
				return fmt.Errorf("outer: %w", failIn(ctx, "inner", errFirst))
			}))
		}, "inner/error=1"},
		{"a stage that replaces it has failed too", func(ctx context.Context) error {
			return nest(ctx, "outer", func(ctx context.Context) error {
				_ = failIn(ctx, "inner", errFirst)
				return errSecond
			})
		}, "inner/error=1 outer/error=1"},
		{"a stage that survived it, and one after it that does not", func(ctx context.Context) error {
			_ = nest(ctx, "outer", func(ctx context.Context) error { _ = failIn(ctx, "inner", errFirst); return nil })
			return failIn(ctx, "b", errFirst)
		}, "b/error=1 inner/error=1"},
		{"through a call, which counts no error of its own", func(ctx context.Context) error {
			return nest(ctx, "outer", func(ctx context.Context) error {
				return instrument.RunCall(ctx, "gpu", func(ctx context.Context) error { return failIn(ctx, "inner", errFirst) })
			})
		}, "inner/error=1"},
		{"of the call itself: the stage around it", func(ctx context.Context) error {
			return nest(ctx, "outer", func(ctx context.Context) error {
				return instrument.RunCall(ctx, "gpu", func(context.Context) error { return errFirst })
			})
		}, "outer/error=1"},
		{"survived in a call, and the same in the stage around it", func(ctx context.Context) error {
			return nest(ctx, "outer", func(ctx context.Context) error {
				_ = instrument.RunCall(ctx, "gpu", func(ctx context.Context) error { _ = failIn(ctx, "inner", errFirst); return nil })
				return errFirst
			})
		}, "inner/error=1 outer/error=1"},
		{"recorded and returned", func(ctx context.Context) error {
			return nest(ctx, "a", func(ctx context.Context) error { return recordAndReturn(ctx, errFirst) })
		}, "a/error=1"},
		{"recorded in a stage that ends without it, and returned all the same", func(ctx context.Context) error {
			return nest(ctx, "outer", func(ctx context.Context) error {
				ctx, stage := instrument.StartStage(ctx, "inner")
				defer stage.End(nil)
				return recordAndReturn(ctx, errFirst)
			})
		}, "inner/error=1"},
		{"recorded in a stage that survives, and the same in the next stage", func(ctx context.Context) error {
			recordErrorIn(ctx, "a", errFirst)
			return failIn(ctx, "b", errFirst)
		}, "a/error=1 b/error=1"},
		{"recorded in a stage that survives, and the same recorded after it", func(ctx context.Context) error {
			recordErrorIn(ctx, "a", errFirst)
			instrument.RecordError(ctx, errFirst)
			return nil
		}, "a/error=1 job/error=1"},
		{"recorded two levels further in, by stages that end without it", func(ctx context.Context) error {
			return nest(ctx, "outer", func(ctx context.Context) error {
				_ = nest(ctx, "middle", func(ctx context.Context) error { recordErrorIn(ctx, "inner", errFirst); return nil })
				return errFirst
			})
		}, "inner/error=1"},
		{"recorded at each level", func(ctx context.Context) error {
			return recordAndReturn(ctx, nest(ctx, "outer", func(ctx context.Context) error {
				return recordAndReturn(ctx, nest(ctx, "inner", func(ctx context.Context) error {
					return recordAndReturn(ctx, errFirst)
				}))
			}))
		}, "inner/error=1"},
		{"a stage's error, recorded around the stage", func(ctx context.Context) error {
			for range 2 {
				instrument.RecordError(ctx, failIn(ctx, "a", errFirst))
			}
			return nil
		}, "a/error=2"},
		{"a refusal by the budget, recorded in the context of the call that was not made", func(ctx context.Context) error {
			return instrument.RunJob(ctx, "poor", func(ctx context.Context) error {
				return nest(ctx, "a", func(ctx context.Context) error {
					ctx, call, err := instrument.StartCall(ctx, "gpu")
					if err != nil {
						instrument.RecordError(ctx, err)
						return err
					}
					call.End(&err)
					return err
				})
			}, instrument.WithBudget(0))
		}, "a/budget_exceeded=1"},
		{"a stage's error, recorded in the context of the stage that has ended", func(ctx context.Context) error {
			in, stage := instrument.StartStage(ctx, "a")
			err := errFirst
			stage.End(&err)
			instrument.RecordError(in, err)
			return err
		}, "a/error=1"},
		{"the error of a stage that outlives the one around it", func(ctx context.Context) error {
			outer, stage := instrument.StartStage(ctx, "outer")
			inner, part := instrument.StartStage(outer, "inner")
			stage.End(nil)
			err := errFirst
			instrument.RecordError(inner, err)
			part.End(&err)
			return err
		}, "inner/error=1"},
		{"the same value once more, after it was recorded", func(ctx context.Context) error {
			instrument.RecordError(ctx, failIn(ctx, "a", errFirst))
			instrument.RecordError(ctx, errFirst)
			return nil
		}, "a/error=1 job/error=1"},
		{"joined ones of parallel stages", func(ctx context.Context) error {
			return errors.Join(failIn(ctx, "a", errFirst), failIn(ctx, "b", errSecond))
		}, "a/error=1 b/error=1"},
		{"parallel stages with one sentinel", func(ctx context.Context) error {
			return errors.Join(failIn(ctx, "a", errFirst), failIn(ctx, "b", errFirst))
		}, "a/error=1 b/error=1"},
		{"stages canceled because another one failed", func(ctx context.Context) error {
			return failTogether(ctx, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		}, "a/error=1"},
		{"stages canceled because another one failed, which say so in their own words", func(ctx context.Context) error {
			return failTogether(ctx, func(ctx context.Context) error { <-ctx.Done(); return errSecond })
		}, "a/error=1"},
		{"stages canceled because another one failed, which return why", func(ctx context.Context) error {
			part, cancel := context.WithCancelCause(ctx)
			err := failIn(part, "a", statusMethod(503))
			cancel(err)
			return errors.Join(err, nest(part, "b", func(ctx context.Context) error { return fmt.Errorf("b: %w", context.Cause(ctx)) }))
		}, "a/http_503=1"},
		{"stages that fail by themselves beside it", func(ctx context.Context) error {
			return failTogether(ctx, func(ctx context.Context) error { <-ctx.Done(); return statusMethod(503) })
		}, "a/error=1 b/http_503=1 c/http_503=1"},
		{"a job in the job that counted it", func(ctx context.Context) error {
			return instrument.RunJob(ctx, "inner", func(ctx context.Context) error {
				instrument.RecordError(ctx, errSecond)
				return errFirst
			})
		}, "job/error=2"},
		{"a stage of a job in the job", func(ctx context.Context) error {
			return nest(ctx, "outer", func(ctx context.Context) error {
				return instrument.RunJob(ctx, "inner", func(ctx context.Context) error { return failIn(ctx, "a", errFirst) })
			})
		}, "a/error=1"},
		{"a panic through three stages", func(ctx context.Context) (err error) {
			defer func() { err = fmt.Errorf("recovered: %v", recover()) }()
			return nest(ctx, "outer", func(ctx context.Context) error {
				ctx, stage := instrument.StartStage(ctx, "middle")
				defer stage.End(nil)
				return nest(ctx, "inner", func(context.Context) error { panic("boom") })
			})
		}, "inner/panic=1 job/error=1"},
		{"two panics of one value", func(ctx context.Context) error {
			for range 2 {
				_ = recovered(func() { _ = nest(ctx, "a", func(context.Context) error { panic("boom") }) })
			}
			return nil
		}, "a/panic=2"},
		{"stages that meet the deadline of the job, nested", func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, 0)
			defer cancel()
			return nest(ctx, "outer", func(ctx context.Context) error {
				return nest(ctx, "inner", func(ctx context.Context) error { return ctx.Err() })
			})
		}, "inner/timeout=1"},
		{"a part of a stage that the stage has canceled", func(ctx context.Context) error {
			return nest(ctx, "a", func(ctx context.Context) error {
				ctx, cancel := context.WithCancel(ctx)
				cancel()
				return ctx.Err()
			})
		}, "a/aborted=1"},
		{"a cancellation that is recorded", func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return instrument.RunStage(ctx, "a", func(ctx context.Context) error {
				instrument.RecordError(ctx, fmt.Errorf("a: %w", ctx.Err()))
				return nil
			})
		}, ""},
		{"errors that say that they are no failure", func(ctx context.Context) error {
			instrument.RecordError(ctx, says("snoozed"))
			return failIn(ctx, "a", says("completed"))
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			_ = p.RunJob(t.Context(), "job-1", tt.run)
			if got := errorsByStage(rec); got != tt.want {
				t.Errorf("errors_total is %q, want %q", got, tt.want)
			}
		})
	}
}

// failTogether runs the stages a, b and c in parallel. a fails, which cancels the others.
func failTogether(ctx context.Context, canceled func(context.Context) error) error {
	part, cancel := context.WithCancel(ctx)
	defer cancel()
	var wait sync.WaitGroup
	errs := make([]error, 3)
	for i, name := range []string{"a", "b", "c"} {
		wait.Go(func() {
			if i > 0 {
				errs[i] = nest(part, name, canceled)
				return
			}
			errs[i] = failIn(part, name, errFirst)
			cancel() // as errgroup does
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

func TestTwoFailedAttemptsAreTwoErrors(t *testing.T) {
	p, rec := instrumenttest.New(t)
	for n := range 2 {
		_ = p.RunJob(t.Context(), "job-1", func(ctx context.Context) error { return failIn(ctx, "a", errFirst) },
			instrument.WithAttempt(n+1, 3))
	}
	if got := errorsByStage(rec); got != "a/error=2" {
		t.Errorf("errors_total is %q, want 2", got)
	}
}
