package exposition

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// A stream is the points of one instrument in one collection.
type stream interface {
	len() int
	attributes(point int) *attribute.Set
	bounds() []float64 // of a histogram's buckets
	appendTo(dst []byte, f *family, format Format, labels string, point int) []byte
}

// newStream returns the stream of data and its kind, or nil if this package cannot write data.
func newStream(data metricdata.Aggregation) (stream, kind) {
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		return numbers[int64](d.DataPoints), kindOf(d.IsMonotonic)
	case metricdata.Sum[float64]:
		return numbers[float64](d.DataPoints), kindOf(d.IsMonotonic)
	case metricdata.Gauge[int64]:
		return numbers[int64](d.DataPoints), gauge
	case metricdata.Gauge[float64]:
		return numbers[float64](d.DataPoints), gauge
	case metricdata.Histogram[int64]:
		return histograms[int64](d.DataPoints), histogram
	case metricdata.Histogram[float64]:
		return histograms[float64](d.DataPoints), histogram
	default:
		return nil, 0
	}
}

// kindOf returns the kind of a sum.
func kindOf(monotonic bool) kind {
	if monotonic {
		return counter
	}
	return upDown
}

type numbers[N int64 | float64] []metricdata.DataPoint[N]

func (s numbers[N]) len() int                        { return len(s) }
func (s numbers[N]) attributes(i int) *attribute.Set { return &s[i].Attributes }
func (numbers[N]) bounds() []float64                 { return nil }

func (s numbers[N]) appendTo(dst []byte, f *family, format Format, labels string, i int) []byte {
	dst = appendName(dst, f.pieces[format].sample, labels)
	dst = appendFloat(dst, float64(s[i].Value), format)
	if e := s[i].Exemplars; format == OpenMetrics && f.kind == counter && usable(e) {
		dst = appendExemplar(dst, &e[len(e)-1])
	}
	return append(dst, '\n')
}

type histograms[N int64 | float64] []metricdata.HistogramDataPoint[N]

func (s histograms[N]) len() int                        { return len(s) }
func (s histograms[N]) attributes(i int) *attribute.Set { return &s[i].Attributes }

func (s histograms[N]) bounds() []float64 {
	if len(s) == 0 {
		return nil
	}
	return s[0].Bounds
}

func (s histograms[N]) appendTo(dst []byte, f *family, format Format, labels string, i int) []byte {
	p, point := &f.pieces[format], &s[i]
	exemplars := format == OpenMetrics && usable(point.Exemplars)
	if exemplars {
		f.spread = spread(f.spread, point.Exemplars, f.bounds)
	}
	var total uint64
	for b, count := range point.BucketCounts {
		total += count
		dst = append(append(dst, p.sample...), labels...)
		if labels != "" {
			dst = append(dst, ',')
		}
		dst = append(dst, p.le[b]...)
		dst = appendCount(dst, total, format)
		if exemplars && f.spread[b] >= 0 {
			dst = appendExemplar(dst, &point.Exemplars[f.spread[b]])
		}
		dst = append(dst, '\n')
	}
	dst = appendName(dst, p.sum, labels)
	dst = append(appendFloat(dst, float64(point.Sum), format), '\n')
	dst = appendName(dst, p.count, labels)
	return append(appendCount(dst, point.Count, format), '\n')
}

// appendName prints a line up to the value.
func appendName(dst []byte, name, labels string) []byte {
	dst = append(dst, name...)
	if labels != "" {
		dst = append(append(append(dst, '{'), labels...), '}')
	}
	return append(dst, ' ')
}
