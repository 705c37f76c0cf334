package corpus

import (
	"context"
	"errors"
	"sync/atomic"

	"go.opentelemetry.io/otel/metric"
)

// A Run is a program that runs.
type Run struct {
	program *Program
	step    atomic.Int64
	record  []func(measurement, metric.MeasurementOption) // for each instrument; nil: it is observable
}

// errCallback is what a callback returns that fails.
var errCallback = errors.New("a callback fails")

// Start makes the program's instruments. That the SDK complains about the names of some is meant.
func (p *Program) Start(mp metric.MeterProvider) *Run {
	r := &Run{program: p}
	for _, in := range p.instruments {
		m := mp.Meter(in.scope)
		var f func(measurement, metric.MeasurementOption)
		switch {
		case in.kind.observable() && in.float:
			r.observeFloats(m, in)
		case in.kind.observable():
			r.observeInts(m, in)
		case in.float:
			f = recordFloats(m, in)
		default:
			f = recordInts(m, in)
		}
		r.record = append(r.record, f)
	}
	return r
}

// Step makes the measurements of a step. No scrape may be under way.
func (r *Run) Step(step int) {
	r.step.Store(int64(step))
	for i, in := range r.program.instruments {
		for _, s := range in.series {
			for _, m := range s.plan[step] {
				if f := r.record[i]; f != nil {
					f(m, metric.WithAttributeSet(s.attrs))
				}
			}
		}
	}
}

// observe observes what the step has.
func (r *Run) observe(in *instrument, f func(measurement, metric.MeasurementOption)) error {
	step := int(r.step.Load())
	for _, s := range in.series {
		for _, m := range s.plan[step] {
			f(m, metric.WithAttributeSet(s.attrs))
		}
	}
	if step == in.failsAt {
		return errCallback
	}
	return nil
}

// recordInts makes an instrument of int64, and returns how to measure with it.
func recordInts(m metric.Meter, in *instrument) func(measurement, metric.MeasurementOption) {
	help, unit := metric.WithDescription(in.help), metric.WithUnit(in.unit)
	switch in.kind {
	case counter:
		c, _ := m.Int64Counter(in.name, help, unit)
		return func(v measurement, o metric.MeasurementOption) { c.Add(v.context(), v.int, o) }
	case upDownCounter:
		c, _ := m.Int64UpDownCounter(in.name, help, unit)
		return func(v measurement, o metric.MeasurementOption) { c.Add(v.context(), v.int, o) }
	case gauge:
		g, _ := m.Int64Gauge(in.name, help, unit)
		return func(v measurement, o metric.MeasurementOption) { g.Record(v.context(), v.int, o) }
	default:
		h, _ := m.Int64Histogram(in.name, help, unit)
		return func(v measurement, o metric.MeasurementOption) { h.Record(v.context(), v.int, o) }
	}
}

// recordFloats makes an instrument of float64, and returns how to measure with it.
func recordFloats(m metric.Meter, in *instrument) func(measurement, metric.MeasurementOption) {
	help, unit := metric.WithDescription(in.help), metric.WithUnit(in.unit)
	switch in.kind {
	case counter:
		c, _ := m.Float64Counter(in.name, help, unit)
		return func(v measurement, o metric.MeasurementOption) { c.Add(v.context(), v.float, o) }
	case upDownCounter:
		c, _ := m.Float64UpDownCounter(in.name, help, unit)
		return func(v measurement, o metric.MeasurementOption) { c.Add(v.context(), v.float, o) }
	case gauge:
		g, _ := m.Float64Gauge(in.name, help, unit)
		return func(v measurement, o metric.MeasurementOption) { g.Record(v.context(), v.float, o) }
	default:
		h, _ := m.Float64Histogram(in.name, help, unit)
		return func(v measurement, o metric.MeasurementOption) { h.Record(v.context(), v.float, o) }
	}
}

// observeInts makes an observable instrument of int64 with its callback.
func (r *Run) observeInts(m metric.Meter, in *instrument) {
	help, unit := metric.WithDescription(in.help), metric.WithUnit(in.unit)
	own := metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
		if in.multi {
			return nil
		}
		return r.observe(in, func(v measurement, opt metric.MeasurementOption) { o.Observe(v.int, opt) })
	})
	var made metric.Int64Observable
	switch in.kind {
	case observableCounter:
		made, _ = m.Int64ObservableCounter(in.name, help, unit, own)
	case observableUpDownCounter:
		made, _ = m.Int64ObservableUpDownCounter(in.name, help, unit, own)
	default:
		made, _ = m.Int64ObservableGauge(in.name, help, unit, own)
	}
	if in.multi {
		_, _ = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
			return r.observe(in, func(v measurement, opt metric.MeasurementOption) { o.ObserveInt64(made, v.int, opt) })
		}, made)
	}
}

// observeFloats makes an observable instrument of float64 with its callback.
func (r *Run) observeFloats(m metric.Meter, in *instrument) {
	help, unit := metric.WithDescription(in.help), metric.WithUnit(in.unit)
	own := metric.WithFloat64Callback(func(_ context.Context, o metric.Float64Observer) error {
		if in.multi {
			return nil
		}
		return r.observe(in, func(v measurement, opt metric.MeasurementOption) { o.Observe(v.float, opt) })
	})
	var made metric.Float64Observable
	switch in.kind {
	case observableCounter:
		made, _ = m.Float64ObservableCounter(in.name, help, unit, own)
	case observableUpDownCounter:
		made, _ = m.Float64ObservableUpDownCounter(in.name, help, unit, own)
	default:
		made, _ = m.Float64ObservableGauge(in.name, help, unit, own)
	}
	if in.multi {
		_, _ = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
			return r.observe(in, func(v measurement, opt metric.MeasurementOption) { o.ObserveFloat64(made, v.float, opt) })
		}, made)
	}
}
