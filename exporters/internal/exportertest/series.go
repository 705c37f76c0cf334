package exportertest

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// InSpan returns a context with a sampled span whose ids begin with id.
func InSpan(id byte) context.Context {
	return trace.ContextWithSpanContext(context.Background(), trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{id}, SpanID: trace.SpanID{id}, TraceFlags: trace.FlagsSampled,
	}))
}

// ManySeries records n series, half of them counters and half histograms with 12 bounds, at most
// 1,000 for an instrument.
func ManySeries(ctx context.Context, t TB, provider metric.MeterProvider, n int) {
	t.Helper()
	meter := provider.Meter("bench")
	per := min(n/2, 1000)
	for i := range n / 2 / per {
		c, err := meter.Float64Counter(fmt.Sprintf("counter.%d", i))
		if err != nil {
			t.Fatal(err)
		}
		h, err := meter.Float64Histogram(fmt.Sprintf("duration.%d", i), metric.WithUnit("s"),
			metric.WithExplicitBucketBoundaries(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600))
		if err != nil {
			t.Fatal(err)
		}
		for j := range per {
			set := metric.WithAttributeSet(attribute.NewSet(attribute.String("stage", fmt.Sprintf("stage-%d", j)), attribute.String("api", "whisper")))
			c.Add(ctx, float64(j)+0.5, set)
			for k := range 5 {
				h.Record(ctx, float64(j*k)/7, set)
			}
		}
	}
}

// Count adds n to a counter.
func Count(provider metric.MeterProvider, name string, n int64) {
	c, err := provider.Meter("test").Int64Counter(name)
	if err != nil {
		panic(err)
	}
	c.Add(context.Background(), n)
}

// Observe makes a gauge with a callback.
func Observe(t TB, provider metric.MeterProvider, name string, callback func() (int64, error)) {
	t.Helper()
	_, err := provider.Meter("test").Int64ObservableGauge(name, metric.WithInt64Callback(
		func(_ context.Context, o metric.Int64Observer) error {
			v, err := callback()
			if err == nil {
				o.Observe(v)
			}
			return err
		}))
	if err != nil {
		t.Fatal(err)
	}
}
