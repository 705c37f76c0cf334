//go:build !race

// The race detector allocates where the program does not.

package livepage

import (
	"context"
	"testing"

	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/instrument"
)

func freeStage(context.Context) (int, error) { return 0, nil }
func freeCall(context.Context) (int, error)  { return 0, nil }
func freePrice(int) instrument.USD           { return 0 }

var untraced = instrument.WithTracerProvider(tracenoop.NewTracerProvider())

// While nobody looks, a mounted page costs no allocation in a stage, in a call and in a report of
// progress.
func TestMountedAllocatesNothing(t *testing.T) {
	for name, f := range map[string]func(context.Context){
		"a stage":  func(ctx context.Context) { _, _ = instrument.RunStageValue(ctx, "analysis", freeStage) },
		"a call":   func(ctx context.Context) { _, _ = instrument.RunCallValue(ctx, "whisper", freePrice, freeCall) },
		"progress": func(ctx context.Context) { instrument.ReportProgress(ctx, 1, 2) },
	} {
		allocations := func(mounted bool) float64 {
			p := newPipeline(t, untraced)
			if mounted {
				mustNew(t, p)
			}
			ctx, job := p.StartJob(context.Background(), "job-1")
			defer job.End(nil)
			ctx, stage := instrument.StartStage(ctx, "rendering")
			defer stage.End(nil)
			for range 100 { // what is kept has grown to its bound
				f(ctx)
			}
			return testing.AllocsPerRun(1000, func() { f(ctx) })
		}
		if with, without := allocations(true), allocations(false); with > without {
			t.Errorf("%s: %v allocations with a mounted page, %v without", name, with, without)
		}
	}
}
