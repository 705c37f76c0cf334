package exposition

import (
	"encoding/hex"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// usable reports whether a point has exemplars to show. If one of them cannot be shown, none is,
// and the error goes to otel's error handler.
func usable[N int64 | float64](exemplars []metricdata.Exemplar[N]) bool {
	for i := range exemplars {
		e := &exemplars[i]
		if len(e.FilteredAttributes) == 0 {
			continue
		}
		if _, err := exemplarLabels(e.TraceID, e.SpanID, e.FilteredAttributes); err != nil {
			otel.Handle(err)
			return false
		}
	}
	return len(exemplars) > 0
}

// spread returns, for each bucket, the index of its last exemplar, or -1.
func spread[N int64 | float64](dst []int, exemplars []metricdata.Exemplar[N], bounds []float64) []int {
	dst = dst[:0]
	for range len(bounds) + 1 {
		dst = append(dst, -1)
	}
	for i := range exemplars {
		v := float64(exemplars[i].Value)
		dst[sort.SearchFloat64s(bounds, v)] = i
	}
	return dst
}

// appendExemplar prints an exemplar after the value of its series. It prints nothing if a label has
// a NUL, where Prometheus's parser of OpenMetrics would end.
func appendExemplar[N int64 | float64](dst []byte, e *metricdata.Exemplar[N]) []byte {
	begin := len(dst)
	dst = append(dst, " # {"...)
	if len(e.FilteredAttributes) == 0 {
		dst = append(dst, otlptranslator.ExemplarTraceIDKey+`="`...)
		dst = hex.AppendEncode(dst, e.TraceID)
		dst = append(dst, `",`+otlptranslator.ExemplarSpanIDKey+`="`...)
		dst = append(hex.AppendEncode(dst, e.SpanID), '"')
	} else {
		l, _ := exemplarLabels(e.TraceID, e.SpanID, e.FilteredAttributes) // usable has checked for errors
		if strings.Contains(l, "\x00") {
			return dst[:begin]
		}
		dst = append(dst, l...)
	}
	dst = append(dst, "} "...)
	dst = append(appendFloat(dst, float64(e.Value), OpenMetrics), ' ')
	if e.Time.IsZero() { // a reservoir may have no times
		return appendTime(dst, time.Now())
	}
	return appendTime(dst, e.Time)
}

// appendTime prints seconds since 1970 with microseconds. Prometheus keeps milliseconds.
func appendTime(dst []byte, t time.Time) []byte {
	us := t.UnixMicro()
	if us < 0 {
		return strconv.AppendFloat(dst, float64(us)/1e6, 'f', -1, 64)
	}
	dst = strconv.AppendInt(dst, us/1e6, 10)
	from := len(dst)
	dst = strconv.AppendInt(dst, 1e6+us%1e6, 10) // a 1 before the six digits
	dst[from] = '.'
	return dst
}

// exemplarLabels prints the ids of a span and the attributes that a view has removed from the
// series. Of equal names the last one wins, and an id wins over every attribute.
func exemplarLabels(traceID, spanID []byte, attrs []attribute.KeyValue) (string, error) {
	values := make(map[string]string)
	for _, kv := range attrs {
		name, err := labelName(kv.Key)
		if err != nil {
			return "", err
		}
		values[name] = kv.Value.String()
	}
	values[otlptranslator.ExemplarTraceIDKey] = hex.EncodeToString(traceID)
	values[otlptranslator.ExemplarSpanIDKey] = hex.EncodeToString(spanID)
	runes := 0
	pairs := make([]label, 0, len(values))
	for name, v := range values {
		p := label{name, v}
		if err := p.check(); err != nil {
			return "", err
		}
		runes += utf8.RuneCountInString(name) + utf8.RuneCountInString(v)
		pairs = append(pairs, p)
	}
	if runes > prometheus.ExemplarMaxRunes {
		return "", fmt.Errorf("the labels of an exemplar have %d characters, more than %d", runes, prometheus.ExemplarMaxRunes)
	}
	return join(pairs), nil
}
