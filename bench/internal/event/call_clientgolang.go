package event

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// callVectors are the metrics of a call in client_golang, and a tracer of OpenTelemetry.
type callVectors struct {
	*promRegistry
	tracer     trace.Tracer
	calls      *prometheus.CounterVec
	inProgress *prometheus.GaugeVec
	duration   *prometheus.HistogramVec
	cost       *prometheus.CounterVec
	job        *handJob
}

func newCallVectors(tracers trace.TracerProvider, limit float64) *callVectors {
	r, jobs := newPromRegistry(), newHandJobs()
	r.observe(jobs)
	return &callVectors{
		promRegistry: r,
		tracer:       tracers.Tracer("bench"),
		calls:        r.counter("video_processing_api_calls_total", "api", "status"),
		inProgress:   r.gauge("video_processing_api_calls_in_progress", "api"),
		duration:     r.histogram("video_processing_api_call_duration_seconds", "api"),
		cost:         r.counter("video_processing_cost_usd_total", "api"),
		job:          jobs.start("job-1", limit),
	}
}

func callByLabels(tracers trace.TracerProvider, limit float64) (rival, error) {
	v := newCallVectors(tracers, limit)
	return rival{name: budgeted(byLabels, limit), ctx: context.Background(), handler: v.handler, close: nothing,
		run: func(ctx context.Context, _ string, do work) (int, error) { return v.byLabels(ctx, apiName, do) }}, nil
}

// byLabels is a call as people write it with client_golang.
func (v *callVectors) byLabels(ctx context.Context, api string, do work) (int, error) {
	ctx, span := v.tracer.Start(ctx, "call "+api, spanOfAPI(api)...)
	defer span.End()
	if err := v.job.admit(); err != nil {
		v.calls.WithLabelValues(api, "refused").Inc()
		return 0, err
	}
	v.inProgress.WithLabelValues(api).Inc()
	defer v.inProgress.WithLabelValues(api).Dec()

	start := time.Now()
	out, err := do(ctx)
	v.duration.WithLabelValues(api).Observe(time.Since(start).Seconds())
	if err != nil {
		v.calls.WithLabelValues(api, "error").Inc()
		return out, err
	}
	v.calls.WithLabelValues(api, "success").Inc()
	v.cost.WithLabelValues(api).Add(price)
	v.job.spend(api, price)
	span.SetAttributes(attribute.Float64(spanCost, price))
	return out, nil
}

func callResolved(tracers trace.TracerProvider, limit float64) (rival, error) {
	v := newCallVectors(tracers, limit)
	cost, success := v.cost.WithLabelValues(apiName), v.calls.WithLabelValues(apiName, "success")
	inProgress, duration := v.inProgress.WithLabelValues(apiName), v.duration.WithLabelValues(apiName)
	failed, refused := v.calls.WithLabelValues(apiName, "error"), v.calls.WithLabelValues(apiName, "refused")
	spanName, opts := callSpan()
	return rival{name: budgeted(resolved, limit), ctx: context.Background(), handler: v.handler, close: nothing,
		run: func(ctx context.Context, _ string, do work) (int, error) {
			ctx, span := v.tracer.Start(ctx, spanName, opts...)
			defer span.End()
			if err := v.job.admit(); err != nil {
				refused.Inc()
				return 0, err
			}
			inProgress.Inc()
			defer inProgress.Dec()

			start := time.Now()
			out, err := do(ctx)
			duration.Observe(time.Since(start).Seconds())
			if err != nil {
				failed.Inc()
				return out, err
			}
			success.Inc()
			cost.Add(price)
			v.job.spend(apiName, price)
			span.SetAttributes(attribute.Float64(spanCost, price))
			return out, nil
		}}, nil
}
