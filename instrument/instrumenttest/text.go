package instrumenttest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// A textFamily holds the metrics of one name in Prometheus's text format:
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
type textFamily struct {
	name, help, typ string
	series          []textSeries
}

// A textSeries holds the samples of one set of attributes. A histogram has several.
type textSeries struct {
	labels  []label // by name
	samples []sample
}

type label struct{ name, value string }

type sample struct {
	suffix string // of the family's name: _bucket
	le     string // of a bucket
	value  float64
}

// textFamilies translates metrics of all scopes as OpenTelemetry's specification says, sorted by name:
// https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
// It returns an error for series that a Prometheus server would refuse or could not distinguish.
func textFamilies(rm *metricdata.ResourceMetrics) ([]*textFamily, error) {
	byName := make(map[string]*textFamily)
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			if err := addText(byName, m); err != nil {
				return nil, fmt.Errorf("%s: %w", m.Name, err)
			}
		}
	}
	var families []*textFamily
	for name, f := range byName {
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if f.typ == "histogram" && byName[name+suffix] != nil {
				return nil, fmt.Errorf("%s is a metric and a series of the histogram %s", name+suffix, name)
			}
		}
		if err := f.sort(); err != nil {
			return nil, err
		}
		if len(f.series) > 0 {
			families = append(families, f)
		}
	}
	slices.SortFunc(families, func(a, b *textFamily) int { return cmp.Compare(a.name, b.name) })
	return families, nil
}

// addText adds the points of m to their family.
func addText(byName map[string]*textFamily, m metricdata.Metrics) error {
	typ, series, err := textPoints(m.Data)
	if err != nil || len(series) == 0 {
		return err
	}
	name, err := prometheusName(m)
	if err != nil {
		return err
	}
	f := byName[name]
	switch {
	case f == nil:
		f = &textFamily{name: name, help: m.Description, typ: typ}
		byName[name] = f
	case f.typ != typ:
		return fmt.Errorf("a %s and a %s are named %s", f.typ, typ, name)
	}
	f.series = append(f.series, series...)
	return nil
}

// prometheusName returns the name of m in Prometheus: that of the registry, or, for an instrument
// of the program's own, the name that the exporters give it.
func prometheusName(m metricdata.Metrics) (string, error) {
	kind, translated := kindOf(m.Data)
	if known, err := lookup(m.Name); err == nil && known.Name == m.Name && known.Unit == m.Unit && known.Kind.String() == kind {
		return known.Prometheus, nil
	}
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	return namer.Build(otlptranslator.Metric{Name: m.Name, Unit: m.Unit, Type: translated})
}

// kindOf returns the kind of an instrument, as the registry and as the translator of names call it.
func kindOf(data metricdata.Aggregation) (string, otlptranslator.MetricType) {
	sum := func(monotonic bool) (string, otlptranslator.MetricType) {
		if monotonic {
			return "counter", otlptranslator.MetricTypeMonotonicCounter
		}
		return "updowncounter", otlptranslator.MetricTypeNonMonotonicCounter
	}
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		return sum(d.IsMonotonic)
	case metricdata.Sum[float64]:
		return sum(d.IsMonotonic)
	case metricdata.Gauge[int64], metricdata.Gauge[float64]:
		return "gauge", otlptranslator.MetricTypeGauge
	default:
		return "histogram", otlptranslator.MetricTypeHistogram
	}
}

// textPoints returns the type and the series of a metric.
func textPoints(data metricdata.Aggregation) (typ string, series []textSeries, err error) {
	switch d := data.(type) {
	case metricdata.Sum[int64]:
		series, err = textNumbers(d.DataPoints)
		typ = sumType(d.IsMonotonic)
	case metricdata.Sum[float64]:
		series, err = textNumbers(d.DataPoints)
		typ = sumType(d.IsMonotonic)
	case metricdata.Gauge[int64]:
		series, err = textNumbers(d.DataPoints)
		typ = "gauge"
	case metricdata.Gauge[float64]:
		series, err = textNumbers(d.DataPoints)
		typ = "gauge"
	case metricdata.Histogram[int64]:
		series, err = textHistograms(d.DataPoints)
		typ = "histogram"
	case metricdata.Histogram[float64]:
		series, err = textHistograms(d.DataPoints)
		typ = "histogram"
	case metricdata.ExponentialHistogram[int64]:
		series, err = textExponentials(d.DataPoints)
		typ = "histogram"
	case metricdata.ExponentialHistogram[float64]:
		series, err = textExponentials(d.DataPoints)
		typ = "histogram"
	default:
		err = fmt.Errorf("the text format has no %T", data)
	}
	return typ, series, err
}

func sumType(monotonic bool) string {
	if monotonic {
		return "counter"
	}
	return "gauge"
}

func textNumbers[N int64 | float64](points []metricdata.DataPoint[N]) ([]textSeries, error) {
	var all []textSeries
	for _, p := range points {
		labels, err := textLabels(&p.Attributes)
		if err != nil {
			return nil, err
		}
		all = append(all, textSeries{labels, []sample{{value: float64(p.Value)}}})
	}
	return all, nil
}

func textHistograms[N int64 | float64](points []metricdata.HistogramDataPoint[N]) ([]textSeries, error) {
	var all []textSeries
	for _, p := range points {
		var buckets []sample
		var below uint64
		for i, bound := range p.Bounds {
			below += p.BucketCounts[i]
			buckets = append(buckets, sample{"_bucket", formatFloat(bound), float64(below)})
		}
		s, err := histogramSeries(&p.Attributes, buckets, float64(p.Sum), p.Count)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// textExponentials returns only the bucket +Inf: the text format cannot express the others. A scale
// below -4 cannot be expressed in Prometheus.
func textExponentials[N int64 | float64](points []metricdata.ExponentialHistogramDataPoint[N]) ([]textSeries, error) {
	var all []textSeries
	for _, p := range points {
		if p.Scale < -4 {
			return nil, fmt.Errorf("an exponential histogram of scale %d, below -4", p.Scale)
		}
		s, err := histogramSeries(&p.Attributes, nil, float64(p.Sum), p.Count)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func histogramSeries(attrs *attribute.Set, buckets []sample, sum float64, count uint64) (textSeries, error) {
	labels, err := textLabels(attrs)
	if err != nil {
		return textSeries{}, err
	}
	if slices.ContainsFunc(labels, func(l label) bool { return l.name == "le" }) {
		return textSeries{}, fmt.Errorf("a histogram has an attribute le, which its buckets need")
	}
	if len(buckets) == 0 || buckets[len(buckets)-1].le != "+Inf" {
		buckets = append(buckets, sample{"_bucket", "+Inf", float64(count)})
	}
	return textSeries{labels, append(buckets, sample{"_sum", "", sum}, sample{"_count", "", float64(count)})}, nil
}

// textLabels returns the labels of a series by name. Values of attributes whose keys become one
// name are joined by semicolons, as the specification says.
func textLabels(attrs *attribute.Set) ([]label, error) {
	values := make(map[string][]string, attrs.Len())
	for it := attrs.Iter(); it.Next(); {
		kv := it.Attribute()
		name, err := (&otlptranslator.LabelNamer{}).Build(string(kv.Key))
		switch {
		case err != nil:
			return nil, err
		case strings.HasPrefix(name, "__"):
			return nil, fmt.Errorf("the label %s is reserved", name)
		case !utf8.ValidString(kv.Value.String()):
			return nil, fmt.Errorf("the label %s is not UTF-8: %q", name, kv.Value.String())
		}
		values[name] = append(values[name], kv.Value.String())
	}
	labels := make([]label, 0, len(values))
	for name, v := range values {
		slices.Sort(v)
		labels = append(labels, label{name, strings.Join(v, ";")})
	}
	slices.SortFunc(labels, func(a, b label) int { return cmp.Compare(a.name, b.name) })
	return labels, nil
}

// sort sorts the series by the values of their labels, those with fewer labels first.
func (f *textFamily) sort() error {
	byValue := func(a, b label) int { return cmp.Compare(a.value, b.value) }
	byName := func(a, b label) int { return cmp.Compare(a.name, b.name) }
	slices.SortFunc(f.series, func(a, b textSeries) int {
		return cmp.Or(cmp.Compare(len(a.labels), len(b.labels)),
			slices.CompareFunc(a.labels, b.labels, byValue), slices.CompareFunc(a.labels, b.labels, byName))
	})
	for i := 1; i < len(f.series); i++ {
		if slices.Equal(f.series[i].labels, f.series[i-1].labels) {
			return fmt.Errorf("two series are %s%s", f.name, f.series[i].text(""))
		}
	}
	return nil
}

var (
	helpEscaper  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	valueEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// writeTo prints f.
func (f *textFamily) writeTo(b *strings.Builder) {
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", f.name, helpEscaper.Replace(f.help), f.name, f.typ)
	for _, s := range f.series {
		for _, v := range s.samples {
			b.WriteString(f.name + v.suffix + s.text(v.le) + " " + formatFloat(v.value) + "\n")
		}
	}
}

// text returns the labels: {a="b",le="1"}, or "" if there is none. le is empty except for a bucket.
func (s textSeries) text(le string) string {
	pairs := make([]string, 0, len(s.labels)+1)
	for _, l := range s.labels {
		pairs = append(pairs, l.name+`="`+valueEscaper.Replace(l.value)+`"`)
	}
	if le != "" {
		pairs = append(pairs, `le="`+le+`"`)
	}
	if len(pairs) == 0 {
		return ""
	}
	return "{" + strings.Join(pairs, ",") + "}"
}

// formatFloat prints a number as Prometheus's Go client does: 1e+06, NaN, +Inf.
func formatFloat(v float64) string {
	return strconv.FormatFloat(v+0, 'g', -1, 64) // plus 0: no minus before a zero
}
