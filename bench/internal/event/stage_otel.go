package event

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// stageInstruments are those of a stage, as a program keeps them in a struct.
type stageInstruments struct {
	*otelSDK
	inProgress metric.Int64UpDownCounter
	duration   metric.Float64Histogram
	ratio      metric.Float64Histogram
}

func newStageInstruments(tracers trace.TracerProvider) (*stageInstruments, error) {
	o, err := newOTel(tracers)
	if err != nil {
		return nil, err
	}
	i := &stageInstruments{
		otelSDK:    o,
		inProgress: o.upDown("video_processing_stages_in_progress"),
		duration:   o.histogram("video_processing_duration_seconds"),
		ratio:      o.histogram("video_processing_ratio"),
	}
	return i, o.err()
}

func stageByHand(tracers trace.TracerProvider) (rival, error) {
	i, err := newStageInstruments(tracers)
	if err != nil {
		return rival{}, err
	}
	return rival{name: byHand, ctx: context.Background(), handler: i.handler, close: i.close, fill: i.fill,
		run: func(ctx context.Context, _ string, do work) (int, error) { return i.byHand(ctx, stageName, do) }}, nil
}

// byHand is a stage as OpenTelemetry's documentation has people write it: each recording says its attributes.
func (i *stageInstruments) byHand(ctx context.Context, name string, do work) (int, error) {
	ctx, span := i.tracer.Start(ctx, "stage "+name, trace.WithAttributes(attribute.String(spanStage, name)))
	defer span.End()
	i.inProgress.Add(ctx, 1, metric.WithAttributes(attribute.String("stage", name)))
	defer i.inProgress.Add(ctx, -1, metric.WithAttributes(attribute.String("stage", name)))

	start := time.Now()
	out, err := do(ctx)
	took := time.Since(start)

	i.duration.Record(ctx, took.Seconds(), metric.WithAttributes(attribute.String("stage", name)))
	i.ratio.Record(ctx, took.Seconds()/video.Seconds(), metric.WithAttributes(attribute.String("stage", name)))
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
	}
	return out, err
}

func stagePrebuilt(tracers trace.TracerProvider) (rival, error) {
	i, err := newStageInstruments(tracers)
	if err != nil {
		return rival{}, err
	}
	s := i.prebuild(stageName)
	return rival{name: prebuilt, ctx: context.Background(), handler: i.handler, close: i.close, fill: i.fill,
		run: func(ctx context.Context, _ string, do work) (int, error) { return s.run(ctx, do) }}, nil
}

// builtStage is one stage with everything built beforehand: the span's name and options, and the slices of options
// that make a recording free of allocations. Whoever measures the stage holds on to it.
type builtStage struct {
	*stageInstruments
	spanName string
	span     []trace.SpanStartOption
	add      []metric.AddOption
	record   []metric.RecordOption
}

func (i *stageInstruments) prebuild(name string) *builtStage {
	set := metric.WithAttributeSet(attribute.NewSet(attribute.String("stage", name)))
	return &builtStage{
		stageInstruments: i,
		spanName:         "stage " + name,
		span:             []trace.SpanStartOption{trace.WithAttributes(attribute.String(spanStage, name))},
		add:              []metric.AddOption{set},
		record:           []metric.RecordOption{set},
	}
}

func (s *builtStage) run(ctx context.Context, do work) (int, error) {
	ctx, span := s.tracer.Start(ctx, s.spanName, s.span...)
	defer span.End()
	s.inProgress.Add(ctx, 1, s.add...)
	defer s.inProgress.Add(ctx, -1, s.add...)

	start := time.Now()
	out, err := do(ctx)
	took := time.Since(start)

	s.duration.Record(ctx, took.Seconds(), s.record...)
	s.ratio.Record(ctx, took.Seconds()/video.Seconds(), s.record...)
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
	}
	return out, err
}
