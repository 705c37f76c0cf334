package event

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// jobVectors are the metrics of a job in client_golang, and a tracer of OpenTelemetry.
type jobVectors struct {
	*promRegistry
	tracer   trace.Tracer
	live     *handJobs
	jobs     *prometheus.CounterVec
	attempts *prometheus.CounterVec
	duration *prometheus.HistogramVec
	ratio    *prometheus.HistogramVec
	cost     prometheus.Observer
}

func newJobVectors(tracers trace.TracerProvider) *jobVectors {
	r := newPromRegistry()
	v := &jobVectors{
		promRegistry: r,
		tracer:       tracers.Tracer("bench"),
		live:         newHandJobs(),
		jobs:         r.counter("video_processing_jobs_total", "status"),
		attempts:     r.counter("video_processing_attempts_total", "outcome"),
		duration:     r.histogram("video_processing_job_duration_seconds", "status"),
		ratio:        r.histogram("video_processing_job_ratio", "status"),
		cost:         r.histogram("video_processing_cost_per_job_usd").WithLabelValues(),
	}
	r.observe(v.live)
	return v
}

func jobByLabels(tracers trace.TracerProvider) (rival, error) {
	v := newJobVectors(tracers)
	return rival{name: byLabels, ctx: context.Background(), handler: v.handler, close: nothing, run: v.byLabels}, nil
}

// byLabels is a job as people write it with client_golang.
func (v *jobVectors) byLabels(ctx context.Context, id string, do work) (int, error) {
	ctx, span := v.tracer.Start(ctx, "job", trace.WithAttributes(attribute.String(spanJob, id)))
	defer span.End()
	j := v.live.start(id, 0)
	defer v.live.end(j)
	v.jobs.WithLabelValues("processing").Inc()

	out, err := do(ctx)
	took, status := time.Since(j.start), "completed"
	if err != nil {
		status = "failed"
	}
	v.attempts.WithLabelValues(status).Inc()
	v.jobs.WithLabelValues(status).Inc()
	v.duration.WithLabelValues(status).Observe(took.Seconds())
	v.ratio.WithLabelValues(status).Observe(took.Seconds() / video.Seconds())
	v.cost.Observe(j.cost())
	span.SetAttributes(outcome(status, j)...)
	return out, err
}

// jobChildren are the metrics of one outcome.
type jobChildren struct {
	jobs, attempts  prometheus.Counter
	duration, ratio prometheus.Observer
}

// jobResolved has the children of each status beforehand.
func jobResolved(tracers trace.TracerProvider) (rival, error) {
	v := newJobVectors(tracers)
	processing := v.jobs.WithLabelValues("processing")
	children := make(map[string]jobChildren)
	for _, status := range []string{"completed", "failed"} {
		children[status] = jobChildren{v.jobs.WithLabelValues(status), v.attempts.WithLabelValues(status), v.duration.WithLabelValues(status),
			v.ratio.WithLabelValues(status)}
	}
	return rival{name: resolved, ctx: context.Background(), handler: v.handler, close: nothing,
		run: func(ctx context.Context, id string, do work) (int, error) {
			ctx, span := v.tracer.Start(ctx, "job", trace.WithAttributes(attribute.String(spanJob, id)))
			defer span.End()
			j := v.live.start(id, 0)
			defer v.live.end(j)
			processing.Inc()

			out, err := do(ctx)
			took, status := time.Since(j.start), "completed"
			if err != nil {
				status = "failed"
			}
			c := children[status]
			c.attempts.Inc()
			c.jobs.Inc()
			c.duration.Observe(took.Seconds())
			c.ratio.Observe(took.Seconds() / video.Seconds())
			v.cost.Observe(j.cost())
			span.SetAttributes(outcome(status, j)...)
			return out, err
		}}, nil
}
