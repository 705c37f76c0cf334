package instrument_test

import (
	"context"
	"sync"
	"testing"

	"go.opentelemetry.io/otel"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// recordEverything calls every function that finds its pipeline in the context.
func recordEverything(ctx context.Context) {
	_, stage := instrument.StartStage(ctx, "analysis")
	stage.End(nil)
	_, call, _ := instrument.StartCall(ctx, "whisper")
	call.End(nil)
	instrument.Spend(ctx, "gpu", instrument.Cent)
	instrument.RecordError(ctx, "analysis", errDecoder)
	instrument.RecordLoudnessSpread(ctx, instrument.Before, 7)
	instrument.RecordNormalization(ctx, -3)
	instrument.RecordSegments(ctx, 4)
	instrument.RecordHighlight(ctx, 0.5)
	_, _ = instrument.WrapJob(nil, func(context.Context, int) (int, error) { return 0, nil })(ctx, 1)
	instrument.TrackProcess(ctx) // never done
}

func expectEverything(t *testing.T, rec *instrumenttest.Recorder, want float64) {
	t.Helper()
	s := rec.Snapshot()
	processes, _ := s.Gauge(vp("ffmpeg_processes"))
	for name, got := range map[string]float64{
		"duration_seconds":         float64(s.Histogram(vp("duration_seconds")).Count),
		"api_calls_total":          s.Counter(vp("api_calls_total")),
		"cost_usd_total":           s.Counter(vp("cost_usd_total")) * 100,
		"errors_total":             s.Counter(vp("errors_total")),
		"audio_loudness_spread_lu": float64(s.Histogram(vp("audio_loudness_spread_lu")).Count),
		"audio_normalization_db":   float64(s.Histogram(vp("audio_normalization_db")).Count),
		"segments_detected":        float64(s.Histogram(vp("segments_detected")).Count),
		"highlight_scores":         float64(s.Histogram(vp("highlight_scores")).Count),
		"jobs_total":               s.Counter(vp("jobs_total"), label("status", "completed")),
		"ffmpeg_processes":         processes,
	} {
		if got != want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
}

// What is recorded outside of a job is not lost, as it would be with a no-op in place of a pipeline.
func TestOutsideOfAJobTheDefaultRecords(t *testing.T) {
	p, rec := instrumenttest.New(t)
	t.Cleanup(instrument.SetDefault(p))
	if instrument.Default() != p {
		t.Error("Default is not what SetDefault was given")
	}
	recordEverything(t.Context())
	expectEverything(t, rec, 1)
	var none context.Context
	recordEverything(none)
	expectEverything(t, rec, 2)
	if instrument.JobFromContext(t.Context()) != nil || instrument.JobFromContext(none) != nil {
		t.Error("there is a job outside of any")
	}
}

func TestContextWithPipeline(t *testing.T) {
	byDefault, recDefault := instrumenttest.New(t)
	t.Cleanup(instrument.SetDefault(byDefault))
	p, rec := instrumenttest.New(t)
	var none context.Context
	recordEverything(instrument.ContextWithPipeline(none, p))
	expectEverything(t, rec, 1)
	expectEverything(t, recDefault, 0)

	// nil says: record nothing. It is not the same as to say nothing.
	for _, off := range []*instrument.Pipeline{nil, {}} {
		ctx := instrument.ContextWithPipeline(t.Context(), off)
		recordEverything(ctx)
		ctx, job := off.StartJob(t.Context(), "job-1")
		recordEverything(ctx)
		job.End(nil)
	}
	expectEverything(t, rec, 1)
	expectEverything(t, recDefault, 0)
}

// A job's pipeline goes with its context, whatever the default is by then.
func TestAJobStaysWithItsPipeline(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1")
	other, _ := instrumenttest.New(t)
	t.Cleanup(instrument.SetDefault(other))
	instrument.Spend(ctx, "gpu", instrument.Cent)
	job.End(nil)
	if got := rec.Counter(vp("cost_usd_total")); got != 0.01 {
		t.Errorf("cost = %v, want 0.01", got)
	}
}

// As in log/slog, a test that sets the default can undo it.
func TestSetDefaultIsUndone(t *testing.T) {
	before := instrument.Default()
	one, _ := instrumenttest.New(t)
	two, _ := instrumenttest.New(t)
	undoOne := instrument.SetDefault(one)
	undoTwo := instrument.SetDefault(two)
	undoTwo()
	if instrument.Default() != one {
		t.Error("the first undo does not bring the first one back")
	}
	undoOne()
	if instrument.Default() != before {
		t.Error("the second undo does not bring back what was")
	}
	t.Cleanup(instrument.SetDefault(one))
	undoTwo() // late, and once more
	if instrument.Default() != one {
		t.Error("an undo works twice")
	}
}

func TestDefaultIsMadeOnce(t *testing.T) {
	t.Cleanup(instrument.SetDefault(nil))
	made := make([]*instrument.Pipeline, 32)
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() { made[i] = instrument.Default() })
	}
	wg.Wait()
	for _, p := range made {
		if p == nil || p != made[0] {
			t.Fatalf("two goroutines got %p and %p", p, made[0])
		}
	}
}

// The default measures through the global providers, also through those that are set after it was made.
func TestDefaultUsesTheGlobalProviders(t *testing.T) {
	t.Cleanup(instrument.SetDefault(nil))
	p := instrument.Default()
	_, rec := instrumenttest.New(t) // for its providers
	otel.SetMeterProvider(rec.MeterProvider())
	otel.SetTracerProvider(rec.TracerProvider())
	t.Cleanup(func() {
		otel.SetMeterProvider(metricnoop.NewMeterProvider())
		otel.SetTracerProvider(tracenoop.NewTracerProvider())
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	recordEverything(t.Context())
	expectEverything(t, rec, 1)
	rec.Span("stage analysis")
}
