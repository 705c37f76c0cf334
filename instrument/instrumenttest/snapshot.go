package instrumenttest

import (
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/internal/registry"
)

// A Snapshot holds the state of all metrics at one moment, or the difference of two:
//
//	before := rec.Snapshot()
//	render(ctx, video)
//	during := rec.Snapshot().Sub(before)
//
// It does not change.
type Snapshot struct {
	t        testing.TB
	families map[string]*family // by OpenTelemetry name
}

type family struct {
	kind   registry.Kind
	series map[attribute.Distinct]*series
}

type series struct {
	attrs     attribute.Set
	value     float64 // of a counter or gauge
	histogram Histogram
	exemplars []Exemplar
}

// An Exemplar is a recorded value and the span in which it was recorded.
type Exemplar struct {
	Value   float64
	TraceID trace.TraceID
	SpanID  trace.SpanID
}

// Counter returns the sum of the series of a counter that have these attributes, or 0 if there is
// none. A sum of floats, such as an amount of money, is not exact; instrument.Dollars(value) rounds
// it to the nano-dollar.
func (s *Snapshot) Counter(name string, attrs ...attribute.KeyValue) float64 {
	s.t.Helper()
	var sum float64
	for _, series := range s.find(name, attrs, registry.KindCounter) {
		sum += series.value
	}
	return sum
}

// Gauge returns the sum of the series of a gauge or up-down counter that have these attributes, and
// whether there is any. The series of a job end with the job.
func (s *Snapshot) Gauge(name string, attrs ...attribute.KeyValue) (value float64, ok bool) {
	s.t.Helper()
	found := s.find(name, attrs, registry.KindGauge, registry.KindUpDownCounter)
	for _, series := range found {
		value += series.value
	}
	return value, len(found) > 0
}

// Histogram returns the series of a histogram that have these attributes, merged. It returns the
// zero Histogram if there is none.
func (s *Snapshot) Histogram(name string, attrs ...attribute.KeyValue) Histogram {
	s.t.Helper()
	var h Histogram
	for _, series := range s.find(name, attrs, registry.KindHistogram) {
		h = h.add(series.histogram)
	}
	return h
}

// Exemplars returns the exemplars of the series of a counter or histogram that have these
// attributes. The SDK keeps a sample: one for each bucket of a histogram, a fixed number for each
// series of a counter.
func (s *Snapshot) Exemplars(name string, attrs ...attribute.KeyValue) []Exemplar {
	s.t.Helper()
	var all []Exemplar
	for _, series := range s.find(name, attrs, registry.KindCounter, registry.KindHistogram) {
		all = append(all, series.exemplars...)
	}
	return all
}

// Sub returns what happened between before and s: counters and histograms are the difference,
// gauges and exemplars those of s.
func (s *Snapshot) Sub(before *Snapshot) *Snapshot {
	d := &Snapshot{t: s.t, families: make(map[string]*family, len(s.families))}
	for name, f := range s.families {
		old := before.families[name]
		if old == nil || f.kind != registry.KindCounter && f.kind != registry.KindHistogram {
			d.families[name] = f
			continue
		}
		diff := &family{kind: f.kind, series: make(map[attribute.Distinct]*series, len(f.series))}
		for key, now := range f.series {
			if then := old.series[key]; then != nil {
				now = &series{now.attrs, now.value - then.value, now.histogram.sub(then.histogram), now.exemplars}
			}
			diff.series[key] = now
		}
		d.families[name] = diff
	}
	return d
}

func newSnapshot(t testing.TB, rm *metricdata.ResourceMetrics) *Snapshot {
	s := &Snapshot{t: t, families: make(map[string]*family)}
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			s.add(m.Name, m.Data)
		}
	}
	return s
}

func (s *Snapshot) add(name string, data metricdata.Aggregation) {
	f := s.families[name]
	if f == nil {
		f = &family{series: make(map[attribute.Distinct]*series)}
		s.families[name] = f
	}
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		f.kind = sumKind(d.IsMonotonic)
		addPoints(f, d.DataPoints)
	case metricdata.Sum[float64]:
		f.kind = sumKind(d.IsMonotonic)
		addPoints(f, d.DataPoints)
	case metricdata.Gauge[int64]:
		f.kind = registry.KindGauge
		addPoints(f, d.DataPoints)
	case metricdata.Gauge[float64]:
		f.kind = registry.KindGauge
		addPoints(f, d.DataPoints)
	case metricdata.Histogram[int64]:
		f.kind = registry.KindHistogram
		addHistograms(f, d.DataPoints)
	case metricdata.Histogram[float64]:
		f.kind = registry.KindHistogram
		addHistograms(f, d.DataPoints)
	}
}

func sumKind(monotonic bool) registry.Kind {
	if monotonic {
		return registry.KindCounter
	}
	return registry.KindUpDownCounter
}

func addPoints[N int64 | float64](f *family, points []metricdata.DataPoint[N]) {
	for _, p := range points {
		f.series[p.Attributes.Equivalent()] = &series{
			attrs: p.Attributes, value: float64(p.Value), exemplars: exemplars(p.Exemplars),
		}
	}
}

func addHistograms[N int64 | float64](f *family, points []metricdata.HistogramDataPoint[N]) {
	for _, p := range points {
		h := Histogram{Count: p.Count, Sum: float64(p.Sum), Bounds: p.Bounds, Counts: p.BucketCounts}
		lo, _ := p.Min.Value()
		hi, _ := p.Max.Value()
		h.Min, h.Max = float64(lo), float64(hi)
		f.series[p.Attributes.Equivalent()] = &series{
			attrs: p.Attributes, histogram: h, exemplars: exemplars(p.Exemplars),
		}
	}
}

func exemplars[N int64 | float64](in []metricdata.Exemplar[N]) []Exemplar {
	out := make([]Exemplar, 0, len(in))
	for _, e := range in {
		x := Exemplar{Value: float64(e.Value)}
		copy(x.TraceID[:], e.TraceID)
		copy(x.SpanID[:], e.SpanID)
		out = append(out, x)
	}
	return out
}
