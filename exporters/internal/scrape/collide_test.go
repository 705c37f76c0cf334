package scrape

import (
	"errors"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// Metrics of one scope whose names or series collide: the one that was made first is shown, as
// upstream does. A program of the corpus seldom has only one such collision.
func TestNamesThatCollide(t *testing.T) {
	quiet()
	gauge := func(m metric.Meter, name string) error {
		g, err := m.Int64Gauge(name)
		g.Record(exportertest.InSpan(1), 7)
		return err
	}
	histogram := func(m metric.Meter, name, help string, bounds ...float64) error {
		h, err := m.Float64Histogram(name, metric.WithDescription(help), metric.WithExplicitBucketBoundaries(bounds...))
		h.Record(exportertest.InSpan(1), 2, metric.WithAttributes(attribute.String("help", help)))
		return err
	}
	for name, measure := range map[string]func(metric.Meter) error{
		"count, then histogram":  func(m metric.Meter) error { return errors.Join(gauge(m, "x_count"), histogram(m, "x", "a", 1)) },
		"sum, then histogram":    func(m metric.Meter) error { return errors.Join(gauge(m, "x_sum"), histogram(m, "x", "a", 1)) },
		"bucket, then histogram": func(m metric.Meter) error { return errors.Join(gauge(m, "x_bucket"), histogram(m, "x", "a", 1)) },
		"histogram, then count":  func(m metric.Meter) error { return errors.Join(histogram(m, "x", "a", 1), gauge(m, "x_count")) },
		"histogram, then bucket": func(m metric.Meter) error { return errors.Join(histogram(m, "x", "a", 1), gauge(m, "x_bucket")) },
		"gauge, then histogram":  func(m metric.Meter) error { return errors.Join(gauge(m, "x"), histogram(m, "x", "a", 1)) },
		"histogram, then gauge":  func(m metric.Meter) error { return errors.Join(histogram(m, "x", "a", 1), gauge(m, "x")) },
		"gauges of two names":    func(m metric.Meter) error { return errors.Join(gauge(m, "x.y"), gauge(m, "x_y")) },
		"other buckets": func(m metric.Meter) error {
			return errors.Join(histogram(m, "x", "a", 1, 5), histogram(m, "x", "b", 1, 2, 5))
		},
		"as many other buckets": func(m metric.Meter) error {
			return errors.Join(histogram(m, "x", "a", 1, 5), histogram(m, "x", "b", 2, 6))
		},
		"the same buckets": func(m metric.Meter) error {
			return errors.Join(histogram(m, "x", "a", 1, 5), histogram(m, "x", "b", 1, 5))
		},
		"what a target is": func(m metric.Meter) error { return errors.Join(gauge(m, "target.info"), gauge(m, "x")) },
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t, setup{})
			if err := measure(p.provider.Meter("test")); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				running{program: p}.check(t, nil)
			}
		})
	}
}
