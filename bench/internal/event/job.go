package event

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument"
)

// job is one job, from its start to its end.
var job = scenario{
	name:  "job",
	title: "A job",
	intro: "One job that does nothing: counted as processing and as completed, in progress, its duration, its ratio to the " +
		"length of the video, its cost, a span with the id, and an entry in the registry of live jobs, which by hand is a map " +
		"with a mutex, observed at a collection.",
	ours: []string{runJob, startJob},
	metrics: []string{"video_processing_jobs_total", "video_processing_attempts_total", "video_processing_jobs_in_progress",
		"video_processing_job_duration_seconds", "video_processing_job_ratio", "video_processing_cost_per_job_usd"},
	rivals: jobRivals,
}

// The ways that a user can write it.
const (
	runJob   = "stagemeter RunJob"
	startJob = "stagemeter StartJob, End"
)

// Attributes of a job's span, beside spanCost.
const (
	spanJob     = "video.processing.job.id"
	spanStatus  = "video.processing.job.status"
	spanOutcome = "video.processing.outcome"
	spanVideo   = "video.processing.video.duration_s"
)

// outcome is what a job's span says at its end.
func outcome(status string, j *handJob) []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String(spanStatus, status), attribute.String(spanOutcome, status), attribute.Float64(spanCost, j.cost()),
		attribute.Float64(spanVideo, video.Seconds())}
}

func jobRivals(tracers trace.TracerProvider) (rivals, error) {
	var rs rivals
	rs.add(ourRunJob(tracers))
	rs.add(ourStartJob(tracers))
	rs.add(jobByHand(tracers))
	rs.add(jobPrebuilt(tracers))
	rs.add(jobByLabels(tracers))
	rs.add(jobResolved(tracers))
	rs.add(newSpanAlone(tracers, "job", trace.SpanKindInternal, attribute.String(spanJob, "job-1")), nil)
	return rs, rs.err()
}

func ourRunJob(tracers trace.TracerProvider) (rival, error) {
	o, err := newOurs(tracers)
	if err != nil {
		return rival{}, err
	}
	return rival{name: runJob, ctx: o.ctx, handler: o.tel.Handler(), close: o.close,
		run: func(ctx context.Context, id string, do work) (out int, err error) {
			err = o.pipeline.RunJob(ctx, id, func(ctx context.Context) (err error) { out, err = do(ctx); return err },
				instrument.WithVideoDuration(video))
			return out, err
		}}, nil
}

func ourStartJob(tracers trace.TracerProvider) (rival, error) {
	o, err := newOurs(tracers)
	if err != nil {
		return rival{}, err
	}
	return rival{name: startJob, ctx: o.ctx, handler: o.tel.Handler(), close: o.close,
		run: func(ctx context.Context, id string, do work) (_ int, err error) {
			ctx, j := o.pipeline.StartJob(ctx, id, instrument.WithVideoDuration(video))
			defer j.End(&err)
			return do(ctx)
		}}, nil
}
