package event

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// callInstruments are those of a call.
type callInstruments struct {
	*otelSDK
	calls      metric.Int64Counter
	inProgress metric.Int64UpDownCounter
	duration   metric.Float64Histogram
	cost       metric.Float64Counter
	job        *handJob
}

func newCallInstruments(tracers trace.TracerProvider, limit float64) (*callInstruments, error) {
	o, err := newOTel(tracers)
	if err != nil {
		return nil, err
	}
	jobs := newHandJobs()
	o.observe(jobs)
	i := &callInstruments{
		otelSDK:    o,
		calls:      o.counter("video_processing_api_calls_total"),
		inProgress: o.upDown("video_processing_api_calls_in_progress"),
		duration:   o.histogram("video_processing_api_call_duration_seconds"),
		cost:       o.floatCounter("video_processing_cost_usd_total"),
		job:        jobs.start("job-1", limit),
	}
	return i, o.err()
}

func callByHand(tracers trace.TracerProvider, limit float64) (rival, error) {
	i, err := newCallInstruments(tracers, limit)
	if err != nil {
		return rival{}, err
	}
	return rival{name: budgeted(byHand, limit), ctx: context.Background(), handler: i.handler, close: i.close,
		run: func(ctx context.Context, _ string, do work) (int, error) { return i.byHand(ctx, apiName, do) }}, nil
}

// byHand is a call as OpenTelemetry's documentation has people write it.
func (i *callInstruments) byHand(ctx context.Context, api string, do work) (int, error) {
	ctx, span := i.tracer.Start(ctx, "call "+api, spanOfAPI(api)...)
	defer span.End()
	if err := i.job.admit(); err != nil {
		i.calls.Add(ctx, 1, metric.WithAttributes(attribute.String("api", api), attribute.String("status", "refused")))
		span.SetStatus(codes.Error, err.Error())
		return 0, err
	}
	i.inProgress.Add(ctx, 1, metric.WithAttributes(attribute.String("api", api)))
	defer i.inProgress.Add(ctx, -1, metric.WithAttributes(attribute.String("api", api)))

	start := time.Now()
	out, err := do(ctx)
	i.duration.Record(ctx, time.Since(start).Seconds(), metric.WithAttributes(attribute.String("api", api)))
	if err != nil {
		i.calls.Add(ctx, 1, metric.WithAttributes(attribute.String("api", api), attribute.String("status", "error")))
		span.SetStatus(codes.Error, err.Error())
		return out, err
	}
	i.calls.Add(ctx, 1, metric.WithAttributes(attribute.String("api", api), attribute.String("status", "success")))
	i.cost.Add(ctx, price, metric.WithAttributes(attribute.String("api", api)))
	i.job.spend(api, price)
	span.SetAttributes(attribute.Float64(spanCost, price))
	return out, nil
}

// callPrebuilt has everything built beforehand, for each API and status.
func callPrebuilt(tracers trace.TracerProvider, limit float64) (rival, error) {
	i, err := newCallInstruments(tracers, limit)
	if err != nil {
		return rival{}, err
	}
	add := func(attrs ...attribute.KeyValue) []metric.AddOption {
		return []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attrs...))}
	}
	api := attribute.String("api", apiName)
	ofAPI, record := add(api), []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(api))}
	success := add(api, attribute.String("status", "success"))
	failed, refused := add(api, attribute.String("status", "error")), add(api, attribute.String("status", "refused"))
	spanName, opts := callSpan()
	return rival{name: budgeted(prebuilt, limit), ctx: context.Background(), handler: i.handler, close: i.close,
		run: func(ctx context.Context, _ string, do work) (int, error) {
			ctx, span := i.tracer.Start(ctx, spanName, opts...)
			defer span.End()
			if err := i.job.admit(); err != nil {
				i.calls.Add(ctx, 1, refused...)
				span.SetStatus(codes.Error, err.Error())
				return 0, err
			}
			i.inProgress.Add(ctx, 1, ofAPI...)
			defer i.inProgress.Add(ctx, -1, ofAPI...)

			start := time.Now()
			out, err := do(ctx)
			i.duration.Record(ctx, time.Since(start).Seconds(), record...)
			if err != nil {
				i.calls.Add(ctx, 1, failed...)
				span.SetStatus(codes.Error, err.Error())
				return out, err
			}
			i.calls.Add(ctx, 1, success...)
			i.cost.Add(ctx, price, ofAPI...)
			i.job.spend(apiName, price)
			span.SetAttributes(attribute.Float64(spanCost, price))
			return out, nil
		}}, nil
}
