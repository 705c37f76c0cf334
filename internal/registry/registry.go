// Package registry describes every metric as data, for generators, test kits and tests.
//
// [Metrics] is generated from semconv/registry/*.yaml. A program that records or queries a metric needs only its name
// and its attributes, which are in package semconv; the instruments are made in package instruments.
package registry

import (
	"slices"

	"go.opentelemetry.io/otel/attribute"
)

// Kind is the kind of instrument of a metric. [Metric.Async] reports whether it is observed.
type Kind int

// Kinds of instruments.
const (
	KindCounter       Kind = iota + 1 // sum that only grows
	KindUpDownCounter                 // sum that grows and shrinks
	KindGauge                         // value that is not a sum
	KindHistogram                     // distribution over [Metric.Buckets]
)

// String returns OTel's name of k, as in "updowncounter".
func (k Kind) String() string {
	switch k {
	case KindCounter:
		return "counter"
	case KindUpDownCounter:
		return "updowncounter"
	case KindGauge:
		return "gauge"
	case KindHistogram:
		return "histogram"
	default:
		return "unknown"
	}
}

// PrometheusType returns the type that Prometheus shows for k, as in "gauge".
func (k Kind) PrometheusType() string {
	switch k {
	case KindUpDownCounter:
		return "gauge"
	default:
		return k.String()
	}
}

// Metric describes a metric.
type Metric struct {
	Name       string // OTel name: video.processing.jobs
	Prometheus string // name in Prometheus: video_processing_jobs_total
	Unit       string // UCUM code, or an annotation such as {job}
	Brief      string // one sentence; the OTel description and the Prometheus HELP
	Note       string // what the sentence leaves out; may be empty
	Kind       Kind
	Double     bool        // values are float64, else int64
	Async      bool        // observed at collection, else recorded as it happens
	Stable     bool        // name, unit, kind and attributes hold for the major version
	Buckets    []float64   // boundaries of a histogram, ascending, without +Inf
	Attributes []Attribute // in the order of the registry
	RecordedBy []string    // functions of package instrument, as Job.End, or of another, as exporters.Start
	OfPipeline bool        // a pipeline of package instrument records it
}

// Attribute describes an attribute of one metric.
type Attribute struct {
	Key    attribute.Key // OTel key: error.type
	Label  string        // label in Prometheus: error_type
	Values []string      // all values that this metric takes; nil if the set is open
	OptIn  bool          // present only if the user asked for it
}

// Labels returns the labels that every series of m has in Prometheus, sorted; nil if there are none. Opt-in attributes
// are left out.
func (m Metric) Labels() []string {
	var labels []string
	for _, a := range m.Attributes {
		if !a.OptIn {
			labels = append(labels, a.Label)
		}
	}
	slices.Sort(labels)
	return labels
}

// Zeroed reports whether the set of instruments adds 0 to every series of m before anything happens: m is a counter that
// a pipeline records, and each of its required attributes has a closed set of values.
func (m Metric) Zeroed() bool {
	open := func(a Attribute) bool { return !a.OptIn && a.Values == nil }
	return m.OfPipeline && m.Kind == KindCounter && !m.Async && !slices.ContainsFunc(m.Attributes, open)
}
