package instrument_test

import (
	"context"
	"testing"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// moneyContexts is where money is spent: outside of a job, in a job, and in one with a budget that never runs out.
func moneyContexts(tb testing.TB) map[string]context.Context {
	p := measuredPipeline(tb)
	outside := instrument.ContextWithPipeline(context.Background(), p)
	job, _ := p.StartJob(outside, "job-1")
	budget, _ := p.StartJob(outside, "job-2", instrument.WithBudget(9_000_000_000*dollar))
	return map[string]context.Context{"outside": outside, "job": job, "budget": budget}
}

// measuredPipeline is one with the SDK's meters and no tracer: what a span costs is the SDK's matter.
func measuredPipeline(tb testing.TB) *instrument.Pipeline {
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	tb.Cleanup(func() { _ = meters.Shutdown(context.Background()) })
	p, err := instrument.New(instrument.WithMeterProvider(meters), instrument.WithAPIs("whisper"),
		instrument.WithTracerProvider(tracenoop.NewTracerProvider()))
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func freeCall(context.Context) (int, error) { return 0, nil }

func BenchmarkSpend(b *testing.B) {
	for name, ctx := range moneyContexts(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				instrument.Spend(ctx, "whisper", money.Nano)
			}
		})
	}
}
