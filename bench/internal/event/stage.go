package event

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument"
)

// stage is one stage: in progress while it runs, its duration, its ratio to the length of the video, and a span.
var stage = scenario{
	name:  "stage",
	title: "A stage",
	intro: "One stage that does nothing: in progress +1 and −1, its duration and its ratio to the length of the video in a " +
		"histogram each, and a span.",
	ours:    []string{runStage, startStage},
	metrics: []string{"video_processing_stages_in_progress", "video_processing_duration_seconds", "video_processing_ratio"},
	rivals:  stageRivals,
	allocs:  true,
}

// The ways that a user can write it.
const (
	runStage   = "stagemeter RunStage"
	startStage = "stagemeter StartStage, End"
)

// spanStage is the attribute of a stage's span.
const spanStage = "video.processing.stage"

// stageSpan is a stage's span, built beforehand.
func stageSpan() (name string, opts []trace.SpanStartOption) {
	return "stage " + stageName, []trace.SpanStartOption{trace.WithAttributes(attribute.String(spanStage, stageName))}
}

func stageRivals(tracers trace.TracerProvider) (rivals, error) {
	var rs rivals
	rs.add(ourRunStage(tracers))
	rs.add(ourStartStage(tracers))
	rs.add(stageByHand(tracers))
	rs.add(stagePrebuilt(tracers))
	rs.add(stageByLabels(tracers))
	rs.add(stageResolved(tracers))
	rs.add(stageVictoriaByName(tracers))
	rs.add(stageVictoria(tracers))
	rs.add(newSpanAlone(tracers, "stage "+stageName, trace.SpanKindInternal, attribute.String(spanStage, stageName)), nil)
	return rs, rs.err()
}

func ourRunStage(tracers trace.TracerProvider) (rival, error) {
	o, err := newOurs(tracers)
	if err != nil {
		return rival{}, err
	}
	return rival{name: runStage, ctx: o.job(), handler: o.tel.Handler(), close: o.close, fill: o.fill,
		run: func(ctx context.Context, _ string, do work) (int, error) {
			return instrument.RunStageValue(ctx, stageName, do)
		}}, nil
}

func ourStartStage(tracers trace.TracerProvider) (rival, error) {
	o, err := newOurs(tracers)
	if err != nil {
		return rival{}, err
	}
	return rival{name: startStage, ctx: o.job(), handler: o.tel.Handler(), close: o.close, fill: o.fill,
		run: func(ctx context.Context, _ string, do work) (_ int, err error) {
			ctx, s := instrument.StartStage(ctx, stageName)
			defer s.End(&err)
			return do(ctx)
		}}, nil
}
