package event

import (
	"context"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// setHandler serves a set of VictoriaMetrics/metrics.
func setHandler(set *metrics.Set) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { set.WritePrometheus(w) })
}

// The metrics of a stage, named as VictoriaMetrics has it, with the label in the name.
const (
	victoriaInProgress = `video_processing_stages_in_progress{stage="`
	victoriaDuration   = `video_processing_duration_seconds{stage="`
	victoriaRatio      = `video_processing_ratio{stage="`
)

// stageVictoriaByName looks each metric up by its name with labels, which is what the library's own examples do.
func stageVictoriaByName(tracers trace.TracerProvider) (rival, error) {
	set, tracer := metrics.NewSet(), tracers.Tracer("bench")
	durations, ratios := stageBounds()
	byName := func(ctx context.Context, name string, do work) (int, error) {
		ctx, span := tracer.Start(ctx, "stage "+name, trace.WithAttributes(attribute.String(spanStage, name)))
		defer span.End()
		set.GetOrCreateGauge(victoriaInProgress+name+`"}`, nil).Inc()
		defer set.GetOrCreateGauge(victoriaInProgress+name+`"}`, nil).Dec()

		start := time.Now()
		out, err := do(ctx)
		took := time.Since(start)

		set.GetOrCreatePrometheusHistogramExt(victoriaDuration+name+`"}`, durations).Update(took.Seconds())
		set.GetOrCreatePrometheusHistogramExt(victoriaRatio+name+`"}`, ratios).Update(took.Seconds() / video.Seconds())
		return out, err
	}
	return rival{name: victoriaName, ctx: context.Background(), handler: setHandler(set), close: nothing,
		run: func(ctx context.Context, _ string, do work) (int, error) { return byName(ctx, stageName, do) }}, nil
}

func stageBounds() (durations, ratios []float64) {
	return metricOf("video_processing_duration_seconds").Buckets, metricOf("video_processing_ratio").Buckets
}

func stageVictoria(tracers trace.TracerProvider) (rival, error) {
	set, tracer := metrics.NewSet(), tracers.Tracer("bench")
	durations, ratios := stageBounds()
	inProgress := set.NewGauge(victoriaInProgress+stageName+`"}`, nil)
	duration := set.NewPrometheusHistogramExt(victoriaDuration+stageName+`"}`, durations)
	ratio := set.NewPrometheusHistogramExt(victoriaRatio+stageName+`"}`, ratios)
	spanName, opts := stageSpan()
	return rival{name: victoria, ctx: context.Background(), handler: setHandler(set), close: nothing,
		run: func(ctx context.Context, _ string, do work) (int, error) {
			ctx, span := tracer.Start(ctx, spanName, opts...)
			defer span.End()
			inProgress.Inc()
			defer inProgress.Dec()

			start := time.Now()
			out, err := do(ctx)
			took := time.Since(start)

			duration.Update(took.Seconds())
			ratio.Update(took.Seconds() / video.Seconds())
			return out, err
		}}, nil
}
