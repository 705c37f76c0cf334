//go:build !race

// The race detector allocates where the program does not, so these gates are for a run without it.

package instrument_test

import (
	"context"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
)

// Measured with the SDK's meters. More than this is a regression on the path of every stage; less is a gate to lower.
func TestStageAllocations(t *testing.T) {
	contexts := stageContexts(t)
	runJob := instrument.WrapJob(func(id string) string { return id }, func(context.Context, string) (int, error) { return 0, nil })
	for _, tt := range []struct {
		name   string
		f      func(context.Context)
		tracer string
		want   float64
		reason string
	}{
		{"RunStage", func(ctx context.Context) { _, _ = instrument.RunStageValue(ctx, "analysis", freeStage) }, "no tracer", 1, "the Stage, which is its own context"},
		{"RunStage", func(ctx context.Context) { _, _ = instrument.RunStageValue(ctx, "analysis", freeStage) }, "never", 4, "and the span that is not recorded, its attribute and its context"},
		{"RunStage", func(ctx context.Context) { _, _ = instrument.RunStageValue(ctx, "analysis", freeStage) }, "always", 5, "and the span that is"},
		{"StartStage and End", func(ctx context.Context) { _ = startAndEnd(ctx) }, "no tracer", 1, "the same as RunStage"},
		{"RunStage with an error", func(ctx context.Context) { _, _ = instrument.RunStageValue(ctx, "analysis", failStage) }, "no tracer", 4, "and three to classify the error"},
		{"WrapJob", func(ctx context.Context) { _, _ = runJob(ctx, "job-2") }, "no tracer", 2, "the Job, which is its own context, and the no-op span's context"},
		{"WrapJob", func(ctx context.Context) { _, _ = runJob(ctx, "job-2") }, "never", 5, "the Job, an option, and the span that is not recorded"},
		{"WrapJob", func(ctx context.Context) { _, _ = runJob(ctx, "job-2") }, "always", 8, "and the span that is, with what it learns at its end"},
		{"RecordHighlight", func(ctx context.Context) { instrument.RecordHighlight(ctx, 0.5) }, "no tracer", 0, "a histogram without attributes"},
		{"RecordError", func(ctx context.Context) { instrument.RecordError(ctx, errDecoder) }, "no tracer", 3, "to classify the error; its attributes are kept"},
	} {
		if got := testing.AllocsPerRun(1000, func() { tt.f(contexts[tt.tracer]) }); got > tt.want {
			t.Errorf("%s, %s: %v allocations, want at most %v (%s)", tt.name, tt.tracer, got, tt.want, tt.reason)
		}
	}
}

func startAndEnd(ctx context.Context) (err error) {
	_, stage := instrument.StartStage(ctx, "analysis")
	defer stage.End(&err)
	return nil
}
