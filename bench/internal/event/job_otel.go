package event

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// jobInstruments are those of a job.
type jobInstruments struct {
	*otelSDK
	live     *handJobs
	jobs     metric.Int64Counter
	attempts metric.Int64Counter
	duration metric.Float64Histogram
	ratio    metric.Float64Histogram
	cost     metric.Float64Histogram
}

func newJobInstruments(tracers trace.TracerProvider) (*jobInstruments, error) {
	o, err := newOTel(tracers)
	if err != nil {
		return nil, err
	}
	i := &jobInstruments{
		otelSDK:  o,
		live:     newHandJobs(),
		jobs:     o.counter("video_processing_jobs_total"),
		attempts: o.counter("video_processing_attempts_total"),
		duration: o.histogram("video_processing_job_duration_seconds"),
		ratio:    o.histogram("video_processing_job_ratio"),
		cost:     o.histogram("video_processing_cost_per_job_usd"),
	}
	o.observe(i.live)
	return i, o.err()
}

func jobByHand(tracers trace.TracerProvider) (rival, error) {
	i, err := newJobInstruments(tracers)
	if err != nil {
		return rival{}, err
	}
	return rival{name: byHand, ctx: context.Background(), handler: i.handler, close: i.close, run: i.byHand}, nil
}

// byHand is a job as OpenTelemetry's documentation has people write it.
func (i *jobInstruments) byHand(ctx context.Context, id string, do work) (int, error) {
	ctx, span := i.tracer.Start(ctx, "job", trace.WithAttributes(attribute.String(spanJob, id)))
	defer span.End()
	j := i.live.start(id, 0)
	defer i.live.end(j)
	i.jobs.Add(ctx, 1, metric.WithAttributes(attribute.String("status", "processing")))

	out, err := do(ctx)
	took, status := time.Since(j.start), "completed"
	if err != nil {
		status = "failed"
		span.SetStatus(codes.Error, err.Error())
	}
	i.attempts.Add(ctx, 1, metric.WithAttributes(attribute.String("outcome", status)))
	i.jobs.Add(ctx, 1, metric.WithAttributes(attribute.String("status", status)))
	i.duration.Record(ctx, took.Seconds(), metric.WithAttributes(attribute.String("status", status)))
	i.ratio.Record(ctx, took.Seconds()/video.Seconds(), metric.WithAttributes(attribute.String("status", status)))
	i.cost.Record(ctx, j.cost())
	span.SetAttributes(outcome(status, j)...)
	return out, err
}

// jobPrebuilt has everything built beforehand, for each status. The id of a job cannot be.
func jobPrebuilt(tracers trace.TracerProvider) (rival, error) {
	i, err := newJobInstruments(tracers)
	if err != nil {
		return rival{}, err
	}
	add, record := make(map[string][]metric.AddOption), make(map[string][]metric.RecordOption)
	ended := make(map[string][]metric.AddOption) // by outcome
	for _, status := range []string{"processing", "completed", "failed"} {
		set := metric.WithAttributeSet(attribute.NewSet(attribute.String("status", status)))
		ended[status] = []metric.AddOption{metric.WithAttributeSet(attribute.NewSet(attribute.String("outcome", status)))}
		add[status], record[status] = []metric.AddOption{set}, []metric.RecordOption{set}
	}
	processing := add["processing"]
	run := func(ctx context.Context, id string, do work) (int, error) {
		ctx, span := i.tracer.Start(ctx, "job", trace.WithAttributes(attribute.String(spanJob, id)))
		defer span.End()
		j := i.live.start(id, 0)
		defer i.live.end(j)
		i.jobs.Add(ctx, 1, processing...)

		out, err := do(ctx)
		took, status := time.Since(j.start), "completed"
		if err != nil {
			status = "failed"
			span.SetStatus(codes.Error, err.Error())
		}
		i.attempts.Add(ctx, 1, ended[status]...)
		i.jobs.Add(ctx, 1, add[status]...)
		i.duration.Record(ctx, took.Seconds(), record[status]...)
		i.ratio.Record(ctx, took.Seconds()/video.Seconds(), record[status]...)
		i.cost.Record(ctx, j.cost())
		span.SetAttributes(outcome(status, j)...)
		return out, err
	}
	return rival{name: prebuilt, ctx: context.Background(), handler: i.handler, close: i.close, run: run}, nil
}
