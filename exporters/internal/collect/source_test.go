package collect

import (
	"context"
	"errors"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/goleak"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A selector is an exporter that only selects temporality and aggregation.
type selector struct {
	sdkmetric.Exporter
	temporality metricdata.Temporality
}

func (s selector) Temporality(sdkmetric.InstrumentKind) metricdata.Temporality { return s.temporality }
func (selector) Aggregation(k sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	return sdkmetric.DefaultAggregationSelector(k)
}

// start returns a source with a temporality, and its provider.
func start(t *testing.T, temporality metricdata.Temporality) (*Source, *sdkmetric.MeterProvider) {
	t.Helper()
	s := NewSourceFor(selector{temporality: temporality})
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(s.Reader()))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	return s, provider
}

// sums returns the value of each sum of integers.
func sums(rm *metricdata.ResourceMetrics) map[string]int64 {
	values := map[string]int64{}
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok {
				for _, p := range sum.DataPoints {
					values[m.Name] += p.Value
				}
			}
		}
	}
	return values
}

// The SDK returns at once if the context is over. That is no collection without metrics, which a
// scrape would answer with an empty page.
func TestCollectUnderAContextThatIsOver(t *testing.T) {
	s, provider := start(t, metricdata.CumulativeTemporality)
	exportertest.Count(provider, "jobs", 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var rm metricdata.ResourceMetrics
	if collected, err := s.read(ctx, &rm); collected || !errors.Is(err, context.Canceled) {
		t.Errorf("collected %v, %v", collected, err)
	}
	if collected, err := s.read(t.Context(), &rm); !collected || err != nil {
		t.Errorf("collected %v, %v", collected, err)
	}
}

// Temporality decides whether a second collection has what the first one had.
func TestDelta(t *testing.T) {
	for temporality, want := range map[metricdata.Temporality]int64{metricdata.CumulativeTemporality: 3, metricdata.DeltaTemporality: 0} {
		s, provider := start(t, temporality)
		exportertest.Count(provider, "jobs", 3)
		var rm metricdata.ResourceMetrics
		for range 2 {
			if collected, err := s.Collect(t.Context(), &rm); !collected || err != nil {
				t.Fatal(collected, err)
			}
		}
		if got := sums(&rm)["jobs"]; got != want || s.Delta() != (want == 0) {
			t.Errorf("%v: jobs = %d, want %d; Delta() = %v", temporality, got, want, s.Delta())
		}
	}
}

// A callback that returns an error costs only its own metric.
func TestCallbackThatFails(t *testing.T) {
	s, provider := start(t, metricdata.CumulativeTemporality)
	exportertest.Count(provider, "jobs", 1)
	exportertest.Observe(t, provider, "pool", func() (int64, error) { return 0, errors.New("db gone") })
	var rm metricdata.ResourceMetrics
	collected, err := s.Collect(t.Context(), &rm)
	if !collected || err == nil || !strings.Contains(err.Error(), "db gone") || sums(&rm)["jobs"] != 1 {
		t.Errorf("collected %v, %v, %v", collected, err, sums(&rm))
	}
}

// What was observed before another callback panicked is not counted twice, whichever way collects
// next.
func TestObservedBeforeAPanic(t *testing.T) {
	for _, outside := range []bool{false, true} {
		s, provider := start(t, metricdata.CumulativeTemporality)
		meter := provider.Meter("test")
		up, err := meter.Int64ObservableUpDownCounter("connections")
		down, err2 := meter.Int64ObservableGauge("pool")
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		panics := true
		_, err = meter.RegisterCallback(func(_ context.Context, o metric.Observer) error { o.ObserveInt64(up, 7); return nil }, up)
		_, err2 = meter.RegisterCallback(func(context.Context, metric.Observer) error {
			if panics {
				panic("nil pool")
			}
			return nil
		}, down)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		var rm metricdata.ResourceMetrics
		for range 2 {
			if collected, err := s.Collect(t.Context(), &rm); collected || err == nil || !strings.Contains(err.Error(), "nil pool") {
				t.Fatalf("collected %v, %v", collected, err)
			}
		}
		panics = false
		for range 2 {
			if outside {
				s.Outside(func() bool { return s.reader.Collect(t.Context(), &rm) == nil })
			} else if _, err := s.Collect(t.Context(), &rm); err != nil {
				t.Fatal(err)
			}
			if got := sums(&rm)["connections"]; got != 7 {
				t.Errorf("outside: %v: %d connections, want 7", outside, got)
			}
		}
	}
}
