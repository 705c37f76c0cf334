package event

import (
	"context"
	"errors"
	"net/http"

	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/bench/internal/workload"
)

// otelSDK is OpenTelemetry with one reader, the upstream exporter, as its documentation sets it up.
type otelSDK struct {
	provider *sdkmetric.MeterProvider
	handler  http.Handler
	meter    metric.Meter
	tracer   trace.Tracer
	errs     []error // of making instruments
}

func newOTel(tracers trace.TracerProvider) (*otelSDK, error) {
	provider, handler, err := workload.NewUpstream()
	if err != nil {
		return nil, err
	}
	return &otelSDK{provider: provider, handler: handler, meter: provider.Meter("bench"), tracer: tracers.Tracer("bench")}, nil
}

func (o *otelSDK) histogram(prometheusName string) metric.Float64Histogram {
	m := metricOf(prometheusName)
	h, err := o.meter.Float64Histogram(m.Name, metric.WithUnit(m.Unit), metric.WithDescription(m.Brief),
		metric.WithExplicitBucketBoundaries(m.Buckets...))
	o.errs = append(o.errs, err)
	return h
}

func (o *otelSDK) upDown(prometheusName string) metric.Int64UpDownCounter {
	m := metricOf(prometheusName)
	c, err := o.meter.Int64UpDownCounter(m.Name, metric.WithUnit(m.Unit), metric.WithDescription(m.Brief))
	o.errs = append(o.errs, err)
	return c
}

func (o *otelSDK) counter(prometheusName string) metric.Int64Counter {
	m := metricOf(prometheusName)
	c, err := o.meter.Int64Counter(m.Name, metric.WithUnit(m.Unit), metric.WithDescription(m.Brief))
	o.errs = append(o.errs, err)
	return c
}

func (o *otelSDK) floatCounter(prometheusName string) metric.Float64Counter {
	m := metricOf(prometheusName)
	c, err := o.meter.Float64Counter(m.Name, metric.WithUnit(m.Unit), metric.WithDescription(m.Brief))
	o.errs = append(o.errs, err)
	return c
}

func (o *otelSDK) err() error { return errors.Join(o.errs...) }

func (o *otelSDK) fill(c workload.Workload) error { return workload.FillMeters(o.provider, c) }

func (o *otelSDK) close() { _ = o.provider.Shutdown(context.Background()) } // nothing is pushed
