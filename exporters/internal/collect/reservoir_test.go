package collect

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// exemplarsOf collects from r, and returns the values and the first bytes of the trace ids.
func exemplarsOf(r exemplar.Reservoir) (values []float64, traces []byte) {
	var all []exemplar.Exemplar
	r.Collect(&all)
	for _, e := range all {
		values = append(values, e.Value.Float64())
		traces = append(traces, append(slices.Clone(e.TraceID), 0)[0])
	}
	return values, traces
}

// The newest exemplar of each bucket stays: that of a slow run an hour ago is still there after
// thousands of quick ones. A collection removes nothing.
func TestReservoirOfHistogram(t *testing.T) {
	r := reservoirs(sdkmetric.AggregationExplicitBucketHistogram{Boundaries: []float64{10, 1}})(attribute.Set{}) // sorted by the SDK too
	if values, _ := exemplarsOf(r); values != nil {
		t.Fatalf("exemplars of nothing: %v", values)
	}
	for i, v := range []float64{70, 0.5, 1, 5, 0.1} {
		r.Offer(exportertest.InSpan(byte(i+1)), time.Unix(int64(i), 0), exemplar.NewValue(v), nil)
	}
	for range 2 {
		values, traces := exemplarsOf(r)
		if !slices.Equal(values, []float64{0.1, 5, 70}) || !slices.Equal(traces, []byte{5, 4, 1}) {
			t.Fatalf("values %v of traces %v, want 0.1, 5, 70 of 5, 4, 1", values, traces)
		}
	}
	r.Offer(exportertest.InSpan(9), time.Unix(10, 0), exemplar.NewValue(int64(7)), nil)
	r.Offer(exportertest.InSpan(8), time.Unix(10, 0), exemplar.NewValue(math.NaN()), nil)
	r.Offer(exportertest.InSpan(7), time.Unix(10, 0).Add(newest-1), exemplar.NewValue(math.NaN()), nil) // as new
	if _, traces := exemplarsOf(r); !slices.Equal(traces, []byte{5, 9, 8}) {
		t.Errorf("traces %v, want 9 in the middle bucket, 8 in the last", traces)
	}
}

func TestReservoirOfSum(t *testing.T) {
	r := reservoirs(sdkmetric.AggregationSum{})(attribute.Set{})
	for i := range 3 {
		r.Offer(exportertest.InSpan(byte(i+1)), time.Unix(int64(i), 0), exemplar.NewValue(float64(i)), nil)
	}
	if values, traces := exemplarsOf(r); !slices.Equal(values, []float64{2}) || !slices.Equal(traces, []byte{3}) {
		t.Errorf("values %v of traces %v, want the last", values, traces)
	}
	r.Offer(context.Background(), time.Unix(3, 0), exemplar.NewValue(5.0), nil) // always_on
	if values, traces := exemplarsOf(r); !slices.Equal(values, []float64{5}) || !slices.Equal(traces, []byte{0}) {
		t.Errorf("values %v of traces %v, want 5 without a trace", values, traces)
	}
}

// The ids in a collection do not change: a push still reads them during the next measurement.
func TestReservoirLendsIDs(t *testing.T) {
	r := reservoirs(sdkmetric.AggregationSum{})(attribute.Set{})
	r.Offer(exportertest.InSpan(1), time.Unix(1, 0), exemplar.NewValue(1.0), nil)
	var lent []exemplar.Exemplar
	r.Collect(&lent)
	r.Offer(exportertest.InSpan(2), time.Unix(2, 0), exemplar.NewValue(2.0), nil)
	if lent[0].TraceID[0] != 1 || lent[0].SpanID[0] != 1 {
		t.Errorf("ids changed to %x and %x", lent[0].TraceID, lent[0].SpanID)
	}
}

// The user's views keep their effect: changed streams, unchanged ones, two for one instrument,
// reservoirs of their own. No instrument has a series twice.
func TestViewsKeepTheirEffect(t *testing.T) {
	var asked int
	own := func(sdkmetric.Aggregation) exemplar.ReservoirProvider {
		asked++
		return exemplar.FixedSizeReservoirProvider(1)
	}
	reader := sdkmetric.NewManualReader()
	views := Views([]sdkmetric.View{
		sdkmetric.NewView(sdkmetric.Instrument{Name: "renamed"}, sdkmetric.Stream{Name: "new.name"}),
		sdkmetric.NewView(sdkmetric.Instrument{Name: "buckets"}, sdkmetric.Stream{Aggregation: sdkmetric.AggregationExplicitBucketHistogram{Boundaries: []float64{7}}}),
		sdkmetric.NewView(sdkmetric.Instrument{Name: "own"}, sdkmetric.Stream{ExemplarReservoirProviderSelector: own}),
		sdkmetric.NewView(sdkmetric.Instrument{Name: "dropped"}, sdkmetric.Stream{Aggregation: sdkmetric.AggregationDrop{}}),
		sdkmetric.NewView(sdkmetric.Instrument{Name: "twice"}, sdkmetric.Stream{Name: "twice.a"}),
		sdkmetric.NewView(sdkmetric.Instrument{Name: "twice"}, sdkmetric.Stream{Name: "twice.b"}),
	})
	m := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithView(views...)).Meter("test")
	for _, name := range []string{"renamed", "buckets", "own", "dropped", "twice", "advised"} {
		h, err := m.Float64Histogram(name, metric.WithExplicitBucketBoundaries(1, 2, 3), metric.WithDescription("d"), metric.WithUnit("s"))
		if err != nil {
			t.Fatal(err)
		}
		h.Record(exportertest.InSpan(1), 2.5)
	}
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &rm); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, m := range rm.ScopeMetrics[0].Metrics {
		p := m.Data.(metricdata.Histogram[float64]).DataPoints[0]
		got[m.Name] += len(p.Bounds)
		if len(p.Exemplars) != 1 || m.Description != "d" || m.Unit != "s" {
			t.Errorf("%s: %d exemplars, %q, %q", m.Name, len(p.Exemplars), m.Description, m.Unit)
		}
	}
	want := map[string]int{"new.name": 3, "buckets": 1, "own": 3, "twice.a": 3, "twice.b": 3, "advised": 3}
	if len(got) != len(want) {
		t.Errorf("metrics %v, want %v", got, want)
	}
	for name, bounds := range want {
		if got[name] != bounds {
			t.Errorf("%s has %d buckets, want %d", name, got[name], bounds)
		}
	}
	if asked != 1 {
		t.Errorf("the view's own reservoirs were asked for %d times, want once", asked)
	}
}
