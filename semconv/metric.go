package semconv

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// Kind is the kind of a metric's instrument. Whether it is synchronous is told
// by [Metric.Async].
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
	Note       string // more than the sentence tells; may be empty
	Kind       Kind
	Double     bool        // values are float64, else int64
	Async      bool        // observed at collection, else recorded as it happens
	Stable     bool        // name, unit, kind and attributes hold for the major version
	Buckets    []float64   // boundaries of a histogram, ascending, without +Inf
	Attributes []Attribute // in the order of the registry
	RecordedBy []string    // functions of the API, as in Job.End
}

// Attribute describes an attribute of one metric.
type Attribute struct {
	Key    attribute.Key // OTel key: error.type
	Label  string        // label in Prometheus: error_type
	Values []string      // all values that this metric takes; nil if the set is open
	OptIn  bool          // present only if the user asked for it
}

// meter returns m, or a meter that does nothing if m is nil.
func meter(m metric.Meter) metric.Meter {
	if m == nil {
		return noop.Meter{}
	}
	return m
}
