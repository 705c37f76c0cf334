package instrument_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/semconv"
)

// A Goexit is one failure, also if a stage that cannot see it lies between those that can.
func TestGoexitCountsOncePastADeferredEnd(t *testing.T) {
	p, rec := instrumenttest.New(t)
	inGoroutine(func() {
		_ = p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
			return instrument.RunStage(ctx, "outer", func(ctx context.Context) (err error) {
				ctx, stage := instrument.StartStage(ctx, "between")
				defer stage.End(&err)
				return instrument.RunStage(ctx, "inner", func(context.Context) error { runtime.Goexit(); return nil })
			})
		})
	})
	// Another one, in another goroutine, is another failure.
	inGoroutine(func() {
		_ = p.RunJob(t.Context(), "job-2", func(context.Context) error { runtime.Goexit(); return nil })
	})
	for stage, want := range map[string]float64{"inner": 1, "between": 0, "outer": 0, "job": 1} {
		if got := rec.Counter(vp("errors_total"), semconv.AttrStage.String(stage)); got != want {
			t.Errorf("%v errors of %s, want %v", got, stage, want)
		}
	}
}

func inGoroutine(f func()) {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	<-done
}
