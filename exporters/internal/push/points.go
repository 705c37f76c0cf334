package push

import (
	"sort"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
)

// points are the data points of a collection, numbered through all its metrics.
type points struct {
	resource *resource.Resource
	fixed    int // bytes of the resource
	series   []series
	bytes    []int // bytes[i] are those of the points before i, with the metrics that begin there
}

// A series is the points of one metric in points.
type series struct {
	scope  *metricdata.ScopeMetrics
	metric *metricdata.Metrics
	first  int // number of its first point
	header int // bytes of the metric and its scope without points
	cut    func(from, to int) metricdata.Aggregation
}

// newPoints numbers the points of rm. The result shares their data.
func newPoints(rm *metricdata.ResourceMetrics) *points {
	p := &points{resource: rm.Resource, fixed: resourceSize(rm.Resource), bytes: []int{0}}
	for i := range rm.ScopeMetrics {
		scope := &rm.ScopeMetrics[i]
		ofScope := scopeSize(scope.Scope)
		for j := range scope.Metrics {
			m := &scope.Metrics[j]
			n, size, cut := pointsOf(m.Data)
			if n == 0 {
				continue
			}
			s := series{scope: scope, metric: m, first: p.len(), header: ofScope + metricSize(m), cut: cut}
			p.series = append(p.series, s)
			total := p.bytes[len(p.bytes)-1] + s.header
			for k := range n {
				total += size(k)
				p.bytes = append(p.bytes, total)
			}
		}
	}
	return p
}

func (p *points) len() int { return len(p.bytes) - 1 }

// at returns the index of the series of point i.
func (p *points) at(i int) int {
	return sort.Search(len(p.series), func(k int) bool { return p.series[k].first > i }) - 1
}

// size returns an upper bound of the bytes of a request with the points [from, to).
func (p *points) size(from, to int) int {
	n := p.fixed + p.bytes[to] - p.bytes[from]
	if s := p.series[p.at(from)]; s.first != from {
		n += s.header
	}
	return n
}

// name returns the name of the metric of point i.
func (p *points) name(i int) string { return p.series[p.at(i)].metric.Name }

// part returns the points [from, to). They share their data with p.
func (p *points) part(from, to int) *metricdata.ResourceMetrics {
	part := &metricdata.ResourceMetrics{Resource: p.resource}
	var own *metricdata.ScopeMetrics // the last of part
	var scope *metricdata.ScopeMetrics
	for k := p.at(from); from < to; k++ {
		s, end := p.series[k], to
		if k+1 < len(p.series) {
			end = min(to, p.series[k+1].first)
		}
		if s.scope != scope {
			scope = s.scope
			part.ScopeMetrics = append(part.ScopeMetrics, metricdata.ScopeMetrics{Scope: scope.Scope})
			own = &part.ScopeMetrics[len(part.ScopeMetrics)-1]
		}
		m := *s.metric
		m.Data = s.cut(from-s.first, end-s.first)
		own.Metrics = append(own.Metrics, m)
		from = end
	}
	return part
}

// pointsOf returns the number of data points, the size of each, and a function that cuts out some.
func pointsOf(data metricdata.Aggregation) (n int, size func(i int) int, cut func(from, to int) metricdata.Aggregation) {
	switch d := data.(type) {
	case metricdata.Gauge[int64]:
		return cutter(d.DataPoints, numberSize, func(some []metricdata.DataPoint[int64]) metricdata.Aggregation { d.DataPoints = some; return d })
	case metricdata.Gauge[float64]:
		return cutter(d.DataPoints, numberSize, func(some []metricdata.DataPoint[float64]) metricdata.Aggregation { d.DataPoints = some; return d })
	case metricdata.Sum[int64]:
		return cutter(d.DataPoints, numberSize, func(some []metricdata.DataPoint[int64]) metricdata.Aggregation { d.DataPoints = some; return d })
	case metricdata.Sum[float64]:
		return cutter(d.DataPoints, numberSize, func(some []metricdata.DataPoint[float64]) metricdata.Aggregation { d.DataPoints = some; return d })
	case metricdata.Histogram[int64]:
		return cutter(d.DataPoints, histogramSize, func(some []metricdata.HistogramDataPoint[int64]) metricdata.Aggregation {
			d.DataPoints = some
			return d
		})
	case metricdata.Histogram[float64]:
		return cutter(d.DataPoints, histogramSize, func(some []metricdata.HistogramDataPoint[float64]) metricdata.Aggregation {
			d.DataPoints = some
			return d
		})
	case metricdata.ExponentialHistogram[int64]:
		return cutter(d.DataPoints, exponentialSize, func(some []metricdata.ExponentialHistogramDataPoint[int64]) metricdata.Aggregation {
			d.DataPoints = some
			return d
		})
	case metricdata.ExponentialHistogram[float64]:
		return cutter(d.DataPoints, exponentialSize, func(some []metricdata.ExponentialHistogramDataPoint[float64]) metricdata.Aggregation {
			d.DataPoints = some
			return d
		})
	}
	return 0, nil, nil // this SDK collects no summaries
}

// cutter returns the number of all, the size of each and a function that cuts out some, of which of
// makes a metric's data.
func cutter[P any](all []P, size func(*P) int, of func([]P) metricdata.Aggregation) (int, func(i int) int, func(from, to int) metricdata.Aggregation) {
	return len(all), func(i int) int { return size(&all[i]) }, func(from, to int) metricdata.Aggregation { return of(all[from:to]) }
}
