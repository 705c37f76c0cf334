package instrument_test

import (
	"context"
	"testing"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/instrument"
)

// stageContexts is where stages run: with no tracer, with one that samples nothing and one that samples all, in a job
// whose video has a length. The meters are the SDK's, with one reader.
func stageContexts(tb testing.TB) map[string]context.Context {
	contexts := make(map[string]context.Context)
	for name, tracers := range map[string]trace.TracerProvider{
		"no tracer": tracenoop.NewTracerProvider(),
		"never":     sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())),
		"always":    sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.AlwaysSample())),
	} {
		meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
		tb.Cleanup(func() { _ = meters.Shutdown(context.Background()) })
		p, err := instrument.New(instrument.WithMeterProvider(meters), instrument.WithTracerProvider(tracers), instrument.WithStages("analysis"))
		if err != nil {
			tb.Fatal(err)
		}
		contexts[name], _ = p.StartJob(instrument.ContextWithPipeline(context.Background(), p), "job-1", instrument.WithVideoDuration(time.Minute))
	}
	return contexts
}

func freeStage(context.Context) (int, error) { return 0, nil }
func failStage(context.Context) (int, error) { return 0, errDecoder }

// What an error costs a stage. `make bench` times a stage that succeeds, a call and a job, beside their rivals.
func BenchmarkStageError(b *testing.B) {
	for name, ctx := range stageContexts(b) {
		b.Run("Base/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = instrument.RunStageValue(ctx, "analysis", freeStage)
			}
		})
		b.Run("With/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = instrument.RunStageValue(ctx, "analysis", failStage)
			}
		})
	}
}
