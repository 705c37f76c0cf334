// Package instruments makes the OpenTelemetry instruments of the metrics in the registry.
//
// All but this file is generated from semconv/registry/*.yaml. [New] makes the instruments that a pipeline of package
// instrument records; what other packages record they make one by one, as package exporters does with
// [NewExportFailures].
//
// # One instrument
//
// Each metric has a type and a constructor that gives the instrument its name, description, unit and boundaries. A
// constructor with a nil meter returns a no-op. With an error it returns an instrument that is safe to use and may
// record nothing. The zero value of a metric's type is not usable.
//
// The type of a synchronous metric embeds its OpenTelemetry instrument. If it has attributes, its With method takes
// their values:
//
//	jobs, err := instruments.NewJobs(meter)
//	failed := []metric.AddOption{jobs.With(semconv.JobStatusFailed)} // kept
//	jobs.Add(ctx, 1, failed...)                                      // no allocation
//
// The type of an observable metric is an alias of its OpenTelemetry instrument, because the Meter and the Observer of
// an SDK take only what the SDK itself has made, nothing that wraps it:
//
//	running, err := instruments.NewJobsInProgress(meter)
//	reg, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
//		o.ObserveInt64(running, n.Load())
//		return nil
//	}, running)
package instruments

import (
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

// meter returns m, or a meter that does nothing if m is nil.
func meter(m metric.Meter) metric.Meter {
	if m == nil {
		return noop.Meter{}
	}
	return m
}

// create stores an instrument in dst and appends its error, nil or not.
func create[I any](errs *[]error, m metric.Meter, constructor func(metric.Meter) (I, error), dst *I) {
	i, err := constructor(m)
	*dst = i
	*errs = append(*errs, err)
}

// Observer passes on observations, except those of instruments that the meter refused: an SDK would log each of them.
type Observer struct{ metric.Observer }

// ObserveInt64 observes v for i, unless i was refused.
func (o Observer) ObserveInt64(i metric.Int64Observable, v int64, opts ...metric.ObserveOption) {
	if !refused(i) {
		o.Observer.ObserveInt64(i, v, opts...)
	}
}

// ObserveFloat64 observes v for i, unless i was refused.
func (o Observer) ObserveFloat64(i metric.Float64Observable, v float64, opts ...metric.ObserveOption) {
	if !refused(i) {
		o.Observer.ObserveFloat64(i, v, opts...)
	}
}

// refused reports whether i is the no-op that a constructor returns for an instrument that the meter refused.
func refused(i metric.Observable) bool {
	switch i.(type) {
	case noop.Int64ObservableCounter, noop.Int64ObservableUpDownCounter, noop.Int64ObservableGauge,
		noop.Float64ObservableCounter, noop.Float64ObservableUpDownCounter, noop.Float64ObservableGauge:
		return true
	}
	return false
}
