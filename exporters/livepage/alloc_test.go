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

// While no client is connected, a mounted page costs no allocation in a stage, a call or a report
// of progress.
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
			for range 100 { // until the lists have their full size
				f(ctx)
			}
			return testing.AllocsPerRun(1000, func() { f(ctx) })
		}
		if with, without := allocations(true), allocations(false); with > without {
			t.Errorf("%s: %v allocations with a mounted page, %v without", name, with, without)
		}
	}
}

// With a mounted page a job allocates its details and, at its end, its state: a few allocations,
// however many stages and calls it has had.
func TestMountedJobAllocatesItsState(t *testing.T) {
	allocations := func(mounted bool, stages int) float64 {
		p := newPipeline(t, untraced)
		if mounted {
			mustNew(t, p)
		}
		run := func() {
			_ = p.RunJob(context.Background(), "job-1", func(ctx context.Context) error {
				for range stages {
					_, _ = instrument.RunStageValue(ctx, "analysis", freeStage)
				}
				return nil
			})
		}
		for range 100 { // until the earlier runs have their full size
			run()
		}
		return testing.AllocsPerRun(200, run)
	}
	if with, without := allocations(true, 0), allocations(false, 0); with > without+3 {
		t.Errorf("a job: %v allocations with a mounted page, %v without: want at most 3 more", with, without)
	}
	few, many := allocations(true, 70), allocations(true, 140)
	if added := many - few - (allocations(false, 140) - allocations(false, 70)); added > 0 {
		t.Errorf("%v allocations more for 70 stages more", added)
	}
}
