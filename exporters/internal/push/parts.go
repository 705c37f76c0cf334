package push

import (
	"iter"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// maxBatch is how many data points one request holds. A histogram's point with an exemplar in each
// of 15 buckets takes about 1 KiB, and a gRPC receiver accepts 4 MiB by default.
const maxBatch = 2048

// parts splits rm into parts of at most limit data points. The parts share their data with rm and
// with each other.
func parts(rm *metricdata.ResourceMetrics, limit int) iter.Seq[*metricdata.ResourceMetrics] {
	return func(yield func(*metricdata.ResourceMetrics) bool) {
		part := metricdata.ResourceMetrics{Resource: rm.Resource}
		room := limit
		for _, scope := range rm.ScopeMetrics {
			var own *metricdata.ScopeMetrics // scope's place in part
			for _, m := range scope.Metrics {
				n, cut := points(m.Data)
				for from := 0; from < n; {
					if own == nil {
						part.ScopeMetrics = append(part.ScopeMetrics, metricdata.ScopeMetrics{Scope: scope.Scope})
						own = &part.ScopeMetrics[len(part.ScopeMetrics)-1]
					}
					to := min(n, from+room)
					m.Data = cut(from, to)
					own.Metrics = append(own.Metrics, m)
					room -= to - from
					from = to
					if room > 0 {
						continue
					}
					if !yield(&part) {
						return
					}
					part.ScopeMetrics, own, room = nil, nil, limit
				}
			}
		}
		if room < limit {
			yield(&part)
		}
	}
}

// points returns the number of data points, and a function that cuts out some of them.
func points(data metricdata.Aggregation) (n int, cut func(from, to int) metricdata.Aggregation) {
	switch d := data.(type) {
	case metricdata.Gauge[int64]:
		all := d.DataPoints
		return len(all), func(i, j int) metricdata.Aggregation { d.DataPoints = all[i:j]; return d }
	case metricdata.Gauge[float64]:
		all := d.DataPoints
		return len(all), func(i, j int) metricdata.Aggregation { d.DataPoints = all[i:j]; return d }
	case metricdata.Sum[int64]:
		all := d.DataPoints
		return len(all), func(i, j int) metricdata.Aggregation { d.DataPoints = all[i:j]; return d }
	case metricdata.Sum[float64]:
		all := d.DataPoints
		return len(all), func(i, j int) metricdata.Aggregation { d.DataPoints = all[i:j]; return d }
	case metricdata.Histogram[int64]:
		all := d.DataPoints
		return len(all), func(i, j int) metricdata.Aggregation { d.DataPoints = all[i:j]; return d }
	case metricdata.Histogram[float64]:
		all := d.DataPoints
		return len(all), func(i, j int) metricdata.Aggregation { d.DataPoints = all[i:j]; return d }
	case metricdata.ExponentialHistogram[int64]:
		all := d.DataPoints
		return len(all), func(i, j int) metricdata.Aggregation { d.DataPoints = all[i:j]; return d }
	case metricdata.ExponentialHistogram[float64]:
		all := d.DataPoints
		return len(all), func(i, j int) metricdata.Aggregation { d.DataPoints = all[i:j]; return d }
	}
	return 0, nil // this SDK collects no summaries
}
