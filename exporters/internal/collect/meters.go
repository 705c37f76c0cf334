package collect

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/metric"
)

// Meters returns p with callbacks that always come back: one that calls runtime.Goexit returns an
// error, as does one whose error has an Error method that does. Otherwise the SDK would lose the
// goroutine that collects, and a scrape or a push all its metrics. A panic passes.
func Meters(p metric.MeterProvider) metric.MeterProvider { return &meters{p} }

type meters struct{ metric.MeterProvider }

func (m *meters) Meter(name string, opts ...metric.MeterOption) metric.Meter {
	return meter{m.MeterProvider.Meter(name, opts...)}
}

type meter struct{ metric.Meter }

func (m meter) RegisterCallback(f metric.Callback, instruments ...metric.Observable) (metric.Registration, error) {
	if f == nil {
		return m.Meter.RegisterCallback(f, instruments...)
	}
	return m.Meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		return comesBack(func() error { return f(ctx, o) })
	}, instruments...)
}

func (m meter) Int64ObservableCounter(name string, opts ...metric.Int64ObservableCounterOption) (metric.Int64ObservableCounter, error) {
	if c := metric.NewInt64ObservableCounterConfig(opts...); len(c.Callbacks()) > 0 {
		opts = []metric.Int64ObservableCounterOption{metric.WithDescription(c.Description()), metric.WithUnit(c.Unit())}
		for _, f := range c.Callbacks() {
			opts = append(opts, metric.WithInt64Callback(int64Callback(f)))
		}
	}
	return m.Meter.Int64ObservableCounter(name, opts...)
}

func (m meter) Int64ObservableUpDownCounter(name string, opts ...metric.Int64ObservableUpDownCounterOption) (metric.Int64ObservableUpDownCounter, error) {
	if c := metric.NewInt64ObservableUpDownCounterConfig(opts...); len(c.Callbacks()) > 0 {
		opts = []metric.Int64ObservableUpDownCounterOption{metric.WithDescription(c.Description()), metric.WithUnit(c.Unit())}
		for _, f := range c.Callbacks() {
			opts = append(opts, metric.WithInt64Callback(int64Callback(f)))
		}
	}
	return m.Meter.Int64ObservableUpDownCounter(name, opts...)
}

func (m meter) Int64ObservableGauge(name string, opts ...metric.Int64ObservableGaugeOption) (metric.Int64ObservableGauge, error) {
	if c := metric.NewInt64ObservableGaugeConfig(opts...); len(c.Callbacks()) > 0 {
		opts = []metric.Int64ObservableGaugeOption{metric.WithDescription(c.Description()), metric.WithUnit(c.Unit())}
		for _, f := range c.Callbacks() {
			opts = append(opts, metric.WithInt64Callback(int64Callback(f)))
		}
	}
	return m.Meter.Int64ObservableGauge(name, opts...)
}

func (m meter) Float64ObservableCounter(name string, opts ...metric.Float64ObservableCounterOption) (metric.Float64ObservableCounter, error) {
	if c := metric.NewFloat64ObservableCounterConfig(opts...); len(c.Callbacks()) > 0 {
		opts = []metric.Float64ObservableCounterOption{metric.WithDescription(c.Description()), metric.WithUnit(c.Unit())}
		for _, f := range c.Callbacks() {
			opts = append(opts, metric.WithFloat64Callback(float64Callback(f)))
		}
	}
	return m.Meter.Float64ObservableCounter(name, opts...)
}

func (m meter) Float64ObservableUpDownCounter(name string, opts ...metric.Float64ObservableUpDownCounterOption) (metric.Float64ObservableUpDownCounter, error) {
	if c := metric.NewFloat64ObservableUpDownCounterConfig(opts...); len(c.Callbacks()) > 0 {
		opts = []metric.Float64ObservableUpDownCounterOption{metric.WithDescription(c.Description()), metric.WithUnit(c.Unit())}
		for _, f := range c.Callbacks() {
			opts = append(opts, metric.WithFloat64Callback(float64Callback(f)))
		}
	}
	return m.Meter.Float64ObservableUpDownCounter(name, opts...)
}

func (m meter) Float64ObservableGauge(name string, opts ...metric.Float64ObservableGaugeOption) (metric.Float64ObservableGauge, error) {
	if c := metric.NewFloat64ObservableGaugeConfig(opts...); len(c.Callbacks()) > 0 {
		opts = []metric.Float64ObservableGaugeOption{metric.WithDescription(c.Description()), metric.WithUnit(c.Unit())}
		for _, f := range c.Callbacks() {
			opts = append(opts, metric.WithFloat64Callback(float64Callback(f)))
		}
	}
	return m.Meter.Float64ObservableGauge(name, opts...)
}

func int64Callback(f metric.Int64Callback) metric.Int64Callback {
	return func(ctx context.Context, o metric.Int64Observer) error {
		return comesBack(func() error { return f(ctx, o) })
	}
}

func float64Callback(f metric.Float64Callback) metric.Float64Callback {
	return func(ctx context.Context, o metric.Float64Observer) error {
		return comesBack(func() error { return f(ctx, o) })
	}
}

// comesBack calls f in a goroutine of its own, which it waits for. It returns f's error as a text,
// and an error if f calls runtime.Goexit. It panics as f does.
func comesBack(f func() error) (err error) {
	var panicked any
	err = errGoexit
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { panicked = recover() }()
		if failed := f(); failed != nil {
			err = errors.New(failed.Error())
		} else {
			err = nil
		}
	}()
	<-done
	if panicked != nil {
		panic(panicked)
	}
	return err
}

var errGoexit = errors.New("a callback called runtime.Goexit")
