package event

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// stageVectors are the metrics of a stage in client_golang, and a tracer of OpenTelemetry.
type stageVectors struct {
	*promRegistry
	tracer     trace.Tracer
	inProgress *prometheus.GaugeVec
	duration   *prometheus.HistogramVec
	ratio      *prometheus.HistogramVec
}

func newStageVectors(tracers trace.TracerProvider) *stageVectors {
	g := newPromRegistry()
	return &stageVectors{
		promRegistry: g,
		tracer:       tracers.Tracer("bench"),
		inProgress:   g.gauge("video_processing_stages_in_progress", "stage"),
		duration:     g.histogram("video_processing_duration_seconds", "stage"),
		ratio:        g.histogram("video_processing_ratio", "stage"),
	}
}

func stageByLabels(tracers trace.TracerProvider) (rival, error) {
	v := newStageVectors(tracers)
	return rival{name: byLabels, ctx: context.Background(), handler: v.handler, close: nothing, fill: v.fill,
		run: func(ctx context.Context, _ string, do work) (int, error) { return v.byLabels(ctx, stageName, do) }}, nil
}

// byLabels is a stage as people write it with client_golang.
func (v *stageVectors) byLabels(ctx context.Context, name string, do work) (int, error) {
	ctx, span := v.tracer.Start(ctx, "stage "+name, trace.WithAttributes(attribute.String(spanStage, name)))
	defer span.End()
	v.inProgress.WithLabelValues(name).Inc()
	defer v.inProgress.WithLabelValues(name).Dec()

	start := time.Now()
	out, err := do(ctx)
	took := time.Since(start)

	v.duration.WithLabelValues(name).Observe(took.Seconds())
	v.ratio.WithLabelValues(name).Observe(took.Seconds() / video.Seconds())
	return out, err
}

func stageResolved(tracers trace.TracerProvider) (rival, error) {
	v := newStageVectors(tracers)
	inProgress := v.inProgress.WithLabelValues(stageName)
	duration, ratio := v.duration.WithLabelValues(stageName), v.ratio.WithLabelValues(stageName)
	spanName, opts := stageSpan()
	return rival{name: resolved, ctx: context.Background(), handler: v.handler, close: nothing, fill: v.fill,
		run: func(ctx context.Context, _ string, do work) (int, error) {
			ctx, span := v.tracer.Start(ctx, spanName, opts...)
			defer span.End()
			inProgress.Inc()
			defer inProgress.Dec()

			start := time.Now()
			out, err := do(ctx)
			took := time.Since(start)

			duration.Observe(took.Seconds())
			ratio.Observe(took.Seconds() / video.Seconds())
			return out, err
		}}, nil
}
