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
func freeJob(context.Context) error          { return nil }

func startAndEnd(ctx context.Context) (err error) {
	_, stage := instrument.StartStage(ctx, "analysis")
	defer stage.End(&err)
	return nil
}

func BenchmarkStage(b *testing.B) {
	b.Run("base", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = freeStage(b.Context())
		}
	})
	for name, ctx := range stageContexts(b) {
		b.Run("RunStage/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = instrument.RunStageValue(ctx, "analysis", freeStage)
			}
		})
		b.Run("StartStage/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = startAndEnd(ctx)
			}
		})
		b.Run("RunStage with an error/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = instrument.RunStageValue(ctx, "analysis", failStage)
			}
		})
	}
}

func BenchmarkJob(b *testing.B) {
	b.Run("base", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = freeJob(b.Context())
		}
	})
	for name, ctx := range stageContexts(b) {
		run := instrument.WrapJob(func(id string) string { return id }, func(context.Context, string) (int, error) { return 0, nil })
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = run(ctx, "job-2")
			}
		})
	}
}

// Many goroutines that share one stage name: what is in progress is one atomic.
func BenchmarkStageInParallel(b *testing.B) {
	for name, ctx := range stageContexts(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_, _ = instrument.RunStageValue(ctx, "analysis", freeStage)
				}
			})
		})
	}
}
