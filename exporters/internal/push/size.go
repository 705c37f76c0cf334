package push

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/protobuf/encoding/protowire"
)

// The functions below return upper bounds, a few percent above the truth, of the bytes that
// something takes in an OTLP request. The exporters make the messages themselves and show none.

// Bytes of the fields of a point, an exemplar and a span that have a fixed size, with room for the
// flags and counts that are usually left out.
const (
	pointBytes    = 60
	exemplarBytes = 48
	spanBytes     = 120
	itemBytes     = 40 // of an event, a link, a metric or a scope, without its texts
)

// nested is the size of a field of n bytes in a message: a tag, the length and the bytes.
func nested(n int) int { return 2 + protowire.SizeBytes(n) }

func textsSize(texts ...string) (n int) {
	for _, t := range texts {
		n += nested(len(t))
	}
	return n
}

func attributesSize(attrs []attribute.KeyValue) (n int) {
	for _, a := range attrs {
		n += attributeSize(a)
	}
	return n
}

func attributeSize(a attribute.KeyValue) int {
	return nested(nested(len(a.Key)) + nested(valueSize(a.Value)))
}

func setSize(s attribute.Set) (n int) {
	for it := s.Iter(); it.Next(); {
		n += attributeSize(it.Attribute())
	}
	return n
}

func valueSize(v attribute.Value) (n int) {
	const number = 11 // of a tag and a varint
	switch v.Type() {
	case attribute.STRING:
		return nested(len(v.AsString()))
	case attribute.BYTESLICE:
		return nested(len(v.AsByteSlice()))
	case attribute.STRINGSLICE:
		for _, s := range v.AsStringSlice() {
			n += nested(nested(len(s)))
		}
	case attribute.BOOLSLICE:
		n = len(v.AsBoolSlice()) * nested(number)
	case attribute.INT64SLICE:
		n = len(v.AsInt64Slice()) * nested(number)
	case attribute.FLOAT64SLICE:
		n = len(v.AsFloat64Slice()) * nested(number)
	case attribute.SLICE:
		for _, e := range v.AsSlice() {
			n += nested(valueSize(e))
		}
	case attribute.MAP:
		n = attributesSize(v.AsMap())
	default:
		return number
	}
	return nested(n)
}

func resourceSize(r *resource.Resource) int {
	return 2*itemBytes + textsSize(r.SchemaURL()) + attributesSize(r.Attributes())
}

func scopeSize(s instrumentation.Scope) int {
	return 2*itemBytes + textsSize(s.Name, s.Version, s.SchemaURL) + setSize(s.Attributes)
}

func metricSize(m *metricdata.Metrics) int {
	return 2*itemBytes + textsSize(m.Name, m.Description, m.Unit)
}

func exemplarsSize[N int64 | float64](exemplars []metricdata.Exemplar[N]) (n int) {
	for _, e := range exemplars {
		n += nested(exemplarBytes + attributesSize(e.FilteredAttributes))
	}
	return n
}

func numberSize[N int64 | float64](p *metricdata.DataPoint[N]) int {
	return nested(pointBytes + setSize(p.Attributes) + exemplarsSize(p.Exemplars))
}

func histogramSize[N int64 | float64](p *metricdata.HistogramDataPoint[N]) int {
	return nested(pointBytes + setSize(p.Attributes) + exemplarsSize(p.Exemplars) +
		nested(8*len(p.BucketCounts)) + nested(8*len(p.Bounds)))
}

func exponentialSize[N int64 | float64](p *metricdata.ExponentialHistogramDataPoint[N]) int {
	return nested(2*pointBytes + setSize(p.Attributes) + exemplarsSize(p.Exemplars) +
		countsSize(p.PositiveBucket.Counts) + countsSize(p.NegativeBucket.Counts))
}

func countsSize(counts []uint64) int {
	n := 0
	for _, c := range counts {
		n += protowire.SizeVarint(c)
	}
	return itemBytes + nested(n)
}

func spanSize(s sdktrace.ReadOnlySpan) int {
	n := spanBytes + textsSize(s.Name(), s.SpanContext().TraceState().String(), s.Status().Description) + attributesSize(s.Attributes())
	for _, e := range s.Events() {
		n += nested(itemBytes + textsSize(e.Name) + attributesSize(e.Attributes))
	}
	for _, l := range s.Links() {
		n += nested(2*itemBytes + textsSize(l.SpanContext.TraceState().String()) + attributesSize(l.Attributes))
	}
	return nested(n)
}
