package exporters

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// manySeries records n series, half of them counters, half histograms with 12
// bounds, at most 1,000 in an instrument.
func manySeries(ctx context.Context, tb testing.TB, tel *Telemetry, n int) {
	tb.Helper()
	meter := tel.MeterProvider().Meter("bench")
	per := min(n/2, 1000)
	for i := range n / 2 / per {
		c, err := meter.Float64Counter(fmt.Sprintf("counter.%d", i))
		if err != nil {
			tb.Fatal(err)
		}
		h, err := meter.Float64Histogram(fmt.Sprintf("duration.%d", i), metric.WithUnit("s"),
			metric.WithExplicitBucketBoundaries(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600))
		if err != nil {
			tb.Fatal(err)
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

// nowhere is a client that reads an answer and forgets it.
type nowhere struct {
	header http.Header
	status int
	n      int
}

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) WriteHeader(status int)      { w.status = status }
func (w *nowhere) Write(p []byte) (int, error) { w.n += len(p); return len(p), nil }
