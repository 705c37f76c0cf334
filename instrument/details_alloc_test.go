//go:build !race

// The race detector allocates where the program does not.

package instrument_test

import (
	"context"
	"testing"

	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// Events and details allocate nothing for a stage and a call, a report of progress once.
func TestAllocationsOfEventsAndDetails(t *testing.T) {
	events := instrument.WithEvents(instrument.Events{
		StageStarted: func(context.Context, instrument.StageEvent) {},
		StageEnded:   func(context.Context, instrument.StageEvent) {},
		CallStarted:  func(context.Context, instrument.CallEvent) {},
		CallEnded:    func(context.Context, instrument.CallEvent) {},
		Progress:     func(context.Context, instrument.ProgressEvent) {},
	})
	details, frames := instrument.WithDetails(), instrument.WithUnit("frames")
	allocations := func(f func(context.Context), opts ...instrument.Option) float64 {
		p, _ := instrumenttest.New(t, append(opts, instrument.WithTracerProvider(tracenoop.NewTracerProvider()))...)
		ctx, job := p.StartJob(context.Background(), "job-1")
		defer job.End(nil)
		ctx, stage := instrument.StartStage(ctx, "rendering")
		defer stage.End(nil)
		return testing.AllocsPerRun(1000, func() { f(ctx) })
	}
	stage := func(ctx context.Context) { _, _ = instrument.RunStageValue(ctx, "analysis", freeStage) }
	call := func(ctx context.Context) { _, _ = instrument.RunCallValue(ctx, "whisper", freePrice, freeCall) }
	progress := func(ctx context.Context) { instrument.ReportProgress(ctx, 1, 2, frames) }
	ofStage, ofCall := allocations(stage), allocations(call)
	for _, tt := range []struct {
		name string
		got  float64
		want float64
	}{
		{"a stage with events", allocations(stage, events), ofStage},
		{"a stage with details", allocations(stage, details), ofStage},
		{"a call with events", allocations(call, events), ofCall},
		{"a call with details", allocations(call, details), ofCall},
		{"progress", allocations(progress), 1},
		{"progress with events and details", allocations(progress, events, details), 1},
	} {
		if tt.got > tt.want {
			t.Errorf("%s: %v allocations, want at most %v", tt.name, tt.got, tt.want)
		}
	}
}
