package corpus

import (
	"slices"
	"strings"

	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// Reasons are why two ways may show a metric differently, one as rightly as the other. Mostly it is for what is random:
// the order of scopes, and that of the series of one instrument; the first is shown.
type Reasons int

const (
	// HelpOfSeveral: several scopes describe the metric differently.
	HelpOfSeveral Reasons = 1 << iota
	// HelpAfterNone: one of several instruments has no description. If it is the first, upstream drops the others, where
	// otherwise it gives them the first one's.
	HelpAfterNone
	// SeriesTwice: several scopes, or several attribute sets of one instrument, make the same series.
	SeriesTwice
	// TypeOfSeveral: several scopes have metrics of differing types under one name, or one has a name that is that of
	// a series of the other's histogram.
	TypeOfSeveral
	// ExemplarsAnew: an observable counter offers its observations as exemplars with every collection, at its time. By
	// default they are none, for a collection is in no span.
	ExemplarsAnew
)

// Has tells whether one of some reasons is there.
func (r Reasons) Has(some Reasons) bool { return r&some != 0 }

// A stream is what an instrument is in Prometheus.
type stream struct {
	of                     *instrument
	scope, name, typ, help string
	labels                 map[string]int // how many attribute sets make each
}

// Unsettled tells the metrics that two ways may show differently, by their names in Prometheus.
func (p *Program) Unsettled() map[string]Reasons {
	reasons := map[string]Reasons{}
	add := func(name string, r Reasons) { reasons[name] |= r }
	var all []stream
	for _, in := range p.instruments {
		if st, ok := in.stream(); ok {
			if p.Cardinality > 0 {
				st.labels["otel_metric_overflow=true\x00"]++ // perhaps
			}
			all = append(all, st)
		}
	}
	for i, a := range all {
		if a.of.kind == observableCounter {
			add(a.name, ExemplarsAnew)
		}
		for _, n := range a.labels {
			if n > 1 {
				add(a.name, SeriesTwice)
			}
		}
		for _, b := range all[:i] {
			a.beside(b, add)
		}
	}
	return reasons
}

// beside adds what is unsettled because both streams are there.
func (s stream) beside(other stream, add func(string, Reasons)) {
	if s.name == other.name && s.help != other.help && (s.help == "" || other.help == "") {
		add(s.name, HelpAfterNone)
	}
	if s.scope == other.scope {
		if s.of.name == other.of.name && s.of.float == other.of.float && s.typ == other.typ && s.help == other.help {
			s.share(other, add) // one store of series, without an order
		}
		return // the first is the one that was made first
	}
	if s.takes(other.name) || other.takes(s.name) {
		add(s.name, TypeOfSeveral)
		add(other.name, TypeOfSeveral)
	}
	if s.name != other.name {
		return
	}
	if s.typ != other.typ {
		add(s.name, TypeOfSeveral)
	}
	if s.help != other.help {
		add(s.name, HelpOfSeveral)
	}
	s.share(other, add)
}

// share adds what is unsettled if both streams have a series.
func (s stream) share(other stream, add func(string, Reasons)) {
	for labels := range s.labels {
		if other.labels[labels] > 0 {
			add(s.name, SeriesTwice)
		}
	}
}

// takes tells whether a name is that of one of a histogram's series.
func (s stream) takes(name string) bool {
	suffix, ok := strings.CutPrefix(name, s.name)
	return ok && s.typ == "histogram" && slices.Contains([]string{"_count", "_sum", "_bucket"}, suffix)
}

// stream is what the instrument is in Prometheus; not ok: nothing.
func (in *instrument) stream() (s stream, ok bool) {
	s = stream{of: in, scope: in.scope, help: in.help, labels: map[string]int{}}
	if s.typ = in.typ(); s.typ == "" || in.scope == bridge {
		return s, false
	}
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	name, err := namer.Build(otlptranslator.Metric{Name: in.renamed, Unit: in.unit, Type: in.translatedType()})
	if err != nil {
		return s, false
	}
	s.name = name
	seen := map[attribute.Distinct]bool{}
	for _, each := range in.series {
		set, _ := each.attrs.Filter(func(a attribute.KeyValue) bool { return in.keep == nil || in.keep[a.Key] })
		text := labels(set)
		if !seen[set.Equivalent()] {
			seen[set.Equivalent()] = true
			s.labels[text]++
		}
	}
	return s, true
}

// labels are an attribute set as Prometheus has it.
func labels(set attribute.Set) (text string) {
	namer := otlptranslator.LabelNamer{}
	values := map[string][]string{}
	var names []string
	for _, a := range set.ToSlice() {
		name, err := namer.Build(string(a.Key))
		if err != nil {
			continue
		}
		if values[name] == nil {
			names = append(names, name)
		}
		values[name] = append(values[name], a.Value.String())
	}
	slices.Sort(names)
	for _, name := range names {
		slices.Sort(values[name])
		text += name + "=" + strings.Join(values[name], ";") + "\x00"
	}
	return text
}

// typ is the type in Prometheus; empty: the instrument is dropped.
func (in *instrument) typ() string {
	switch in.aggregation.(type) {
	case sdkmetric.AggregationDrop:
		return ""
	case sdkmetric.AggregationExplicitBucketHistogram, sdkmetric.AggregationBase2ExponentialHistogram:
		return "histogram"
	case sdkmetric.AggregationSum:
		return "counter" // of a histogram
	}
	switch in.kind {
	case counter, observableCounter:
		return "counter"
	case histogram:
		return "histogram"
	}
	return "gauge"
}

// translatedType is the type as the translation of names has it.
func (in *instrument) translatedType() otlptranslator.MetricType {
	switch typ := in.typ(); {
	case typ == "counter":
		return otlptranslator.MetricTypeMonotonicCounter
	case typ == "histogram":
		return otlptranslator.MetricTypeHistogram
	case in.kind == upDownCounter || in.kind == observableUpDownCounter:
		return otlptranslator.MetricTypeNonMonotonicCounter
	}
	return otlptranslator.MetricTypeGauge
}
