package instrument_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/internal/instruments"
)

// moneyContexts is where money is spent: outside of a job, in a job, in one with a budget that
// never runs out, and in one inside of that.
func moneyContexts(tb testing.TB) map[string]context.Context {
	p := measuredPipeline(tb)
	outside := instrument.ContextWithPipeline(context.Background(), p)
	job, _ := p.StartJob(outside, "job-1")
	budget, _ := p.StartJob(outside, "job-2", instrument.WithBudget(9_000_000_000*dollar))
	nested, _ := p.StartJob(budget, "job-3")
	return map[string]context.Context{"outside": outside, "job": job, "budget": budget, "nested": nested}
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

func freePrice(int) instrument.USD { return money.Nano }

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

func BenchmarkRunCall(b *testing.B) {
	for name, ctx := range moneyContexts(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = instrument.RunCallValue(ctx, "whisper", freePrice, freeCall)
			}
		})
	}
}

// What the histogram of a call's duration costs by itself: a call may cost one recording more than
// it did without.
func BenchmarkHistogramOfCalls(b *testing.B) {
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	b.Cleanup(func() { _ = meters.Shutdown(context.Background()) })
	h, err := instruments.NewAPICallDuration(meters.Meter("bench"))
	if err != nil {
		b.Fatal(err)
	}
	ctx, api := context.Background(), []metric.RecordOption{h.With("whisper")}
	b.ReportAllocs()
	for b.Loop() {
		h.Record(ctx, 0.001, api...)
	}
}
