package instruments

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
)

var errRefused = errors.New("refused")

// refusingMeter is the meter of an SDK that refuses every instrument.
type refusingMeter struct{ noop.Meter }

func (refusingMeter) Int64Counter(name string, _ ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return refuse[metric.Int64Counter](name)
}

func (refusingMeter) Int64UpDownCounter(name string, _ ...metric.Int64UpDownCounterOption) (metric.Int64UpDownCounter, error) {
	return refuse[metric.Int64UpDownCounter](name)
}

func (refusingMeter) Int64Histogram(name string, _ ...metric.Int64HistogramOption) (metric.Int64Histogram, error) {
	return refuse[metric.Int64Histogram](name)
}

func (refusingMeter) Int64Gauge(name string, _ ...metric.Int64GaugeOption) (metric.Int64Gauge, error) {
	return refuse[metric.Int64Gauge](name)
}

func (refusingMeter) Int64ObservableCounter(name string, _ ...metric.Int64ObservableCounterOption) (metric.Int64ObservableCounter, error) {
	return refuse[metric.Int64ObservableCounter](name)
}

func (refusingMeter) Int64ObservableUpDownCounter(name string, _ ...metric.Int64ObservableUpDownCounterOption) (metric.Int64ObservableUpDownCounter, error) {
	return refuse[metric.Int64ObservableUpDownCounter](name)
}

func (refusingMeter) Int64ObservableGauge(name string, _ ...metric.Int64ObservableGaugeOption) (metric.Int64ObservableGauge, error) {
	return refuse[metric.Int64ObservableGauge](name)
}

func (refusingMeter) Float64Counter(name string, _ ...metric.Float64CounterOption) (metric.Float64Counter, error) {
	return refuse[metric.Float64Counter](name)
}

func (refusingMeter) Float64UpDownCounter(name string, _ ...metric.Float64UpDownCounterOption) (metric.Float64UpDownCounter, error) {
	return refuse[metric.Float64UpDownCounter](name)
}

func (refusingMeter) Float64Histogram(name string, _ ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return refuse[metric.Float64Histogram](name)
}

func (refusingMeter) Float64Gauge(name string, _ ...metric.Float64GaugeOption) (metric.Float64Gauge, error) {
	return refuse[metric.Float64Gauge](name)
}

func (refusingMeter) Float64ObservableCounter(name string, _ ...metric.Float64ObservableCounterOption) (metric.Float64ObservableCounter, error) {
	return refuse[metric.Float64ObservableCounter](name)
}

func (refusingMeter) Float64ObservableUpDownCounter(name string, _ ...metric.Float64ObservableUpDownCounterOption) (metric.Float64ObservableUpDownCounter, error) {
	return refuse[metric.Float64ObservableUpDownCounter](name)
}

func (refusingMeter) Float64ObservableGauge(name string, _ ...metric.Float64ObservableGaugeOption) (metric.Float64ObservableGauge, error) {
	return refuse[metric.Float64ObservableGauge](name)
}

func refuse[I any](name string) (none I, err error) {
	return none, errors.Join(errors.New(name), errRefused)
}
