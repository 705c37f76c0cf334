package collect

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// An Instrument is one that has more series than the provider's limit: the SDK has added
// measurements to a series of its own, which has the attribute otel.metric.overflow.
type Instrument struct {
	Name, Unit string
	Kind       Kind
}

// A Kind is how an instrument is aggregated.
type Kind int

// The kinds.
const (
	Counter Kind = iota
	UpDownCounter
	Gauge
	Histogram
)

// overflow is what the collections of a Source have shown about the limit of series. Its zero value
// is ready for use.
type overflow struct {
	mu    sync.Mutex
	last  time.Time // of the collections
	found map[Instrument]bool
}

// Overflowed returns the instruments that any collection has found over the limit of series, and
// when the last collection was, which is zero if there was none. It waits for no collection.
func (s *Source) Overflowed() (found []Instrument, last time.Time) {
	o := &s.overflow
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.found) > 0 {
		found = slices.SortedFunc(maps.Keys(o.found), func(a, b Instrument) int { return strings.Compare(a.Name, b.Name) })
	}
	return found, o.last
}

// collected records a collection and the instruments over the limit in it.
func (o *overflow) collected(rm *metricdata.ResourceMetrics) {
	var over []Instrument
	for i := range rm.ScopeMetrics {
		for j := range rm.ScopeMetrics[i].Metrics {
			m := &rm.ScopeMetrics[i].Metrics[j]
			if kind, is := overLimit(m.Data); is {
				over = append(over, Instrument{m.Name, m.Unit, kind})
			}
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = time.Now()
	for _, i := range over {
		if o.found == nil {
			o.found = make(map[Instrument]bool)
		}
		o.found[i] = true
	}
}

// overLimit reports whether a point of data is the one for measurements over the limit.
func overLimit(data metricdata.Aggregation) (Kind, bool) {
	switch d := data.(type) {
	case metricdata.Gauge[int64]:
		return Gauge, anyOver(d.DataPoints)
	case metricdata.Gauge[float64]:
		return Gauge, anyOver(d.DataPoints)
	case metricdata.Sum[int64]:
		return sumKind(d.IsMonotonic), anyOver(d.DataPoints)
	case metricdata.Sum[float64]:
		return sumKind(d.IsMonotonic), anyOver(d.DataPoints)
	case metricdata.Histogram[int64]:
		return Histogram, anyOverHistogram(d.DataPoints)
	case metricdata.Histogram[float64]:
		return Histogram, anyOverHistogram(d.DataPoints)
	case metricdata.ExponentialHistogram[int64]:
		return Histogram, anyOverExponential(d.DataPoints)
	case metricdata.ExponentialHistogram[float64]:
		return Histogram, anyOverExponential(d.DataPoints)
	}
	return 0, false
}

func sumKind(monotonic bool) Kind {
	if monotonic {
		return Counter
	}
	return UpDownCounter
}

func anyOver[N int64 | float64](points []metricdata.DataPoint[N]) bool {
	for i := range points {
		if isOverflow(&points[i].Attributes) {
			return true
		}
	}
	return false
}

func anyOverHistogram[N int64 | float64](points []metricdata.HistogramDataPoint[N]) bool {
	for i := range points {
		if isOverflow(&points[i].Attributes) {
			return true
		}
	}
	return false
}

func anyOverExponential[N int64 | float64](points []metricdata.ExponentialHistogramDataPoint[N]) bool {
	for i := range points {
		if isOverflow(&points[i].Attributes) {
			return true
		}
	}
	return false
}

// overflowKey is the identity of the attributes that the SDK gives to the series over the limit.
var overflowKey = func() attribute.Distinct {
	set := attribute.NewSet(attribute.Bool("otel.metric.overflow", true))
	return set.Equivalent()
}()

// isOverflow compares two numbers: a collection calls it for every series.
func isOverflow(attrs *attribute.Set) bool { return attrs.Equivalent() == overflowKey }
