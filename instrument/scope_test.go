package instrument_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/semconv"
)

// recordEverything calls every function that finds its pipeline in the context.
func recordEverything(ctx context.Context) {
	_, stage := instrument.StartStage(ctx, "analysis")
	stage.End(nil)
	_, call, _ := instrument.StartCall(ctx, "whisper")
	call.End(nil)
	instrument.Spend(ctx, "gpu", instrument.Cent)
	instrument.RecordError(ctx, errDecoder)
	instrument.RecordLoudnessSpread(ctx, instrument.BeforeNormalization, 7)
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

// The default measures through the global providers, also through those that are set after it was made. Only the first
// ones that a process sets reach it then, so this test stands before the others that set some.
func TestDefaultUsesTheGlobalProviders(t *testing.T) {
	t.Cleanup(instrument.SetDefault(nil))
	p := instrument.Default()
	_, rec := instrumenttest.New(t) // for its providers
	otel.SetMeterProvider(rec.MeterProvider())
	otel.SetTracerProvider(rec.TracerProvider())
	t.Cleanup(func() {
		otel.SetMeterProvider(metricnoop.NewMeterProvider())
		otel.SetTracerProvider(tracenoop.NewTracerProvider())
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	recordEverything(t.Context())
	expectEverything(t, rec, 1)
	rec.Span("stage analysis")
}

// globalReader makes a meter provider the global one, and no pipeline the default, for the time of the test.
func globalReader(t *testing.T) *sdkmetric.ManualReader {
	t.Cleanup(instrument.SetDefault(nil))
	reader := sdkmetric.NewManualReader()
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	t.Cleanup(func() { otel.SetMeterProvider(metricnoop.NewMeterProvider()) })
	return reader
}

// New without SetDefault, and a recording outside of a job: two pipelines are on one provider. The idle one must not
// say that no job is running, or the alert on stuck jobs never fires.
func TestDefaultBesideAPipelineOfItsProvider(t *testing.T) {
	reader := globalReader(t)
	p, err := instrument.New()
	if err != nil {
		t.Fatal(err)
	}
	_, job := p.StartJob(t.Context(), "job-1")
	defer job.End(nil)
	instrument.RecordHighlight(context.Background(), 0.5)
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &rm); err != nil {
		t.Fatal(err)
	}
	for _, sm := range rm.ScopeMetrics {
		for _, m := range sm.Metrics {
			if gauge, ok := m.Data.(metricdata.Gauge[float64]); ok && m.Name == semconv.OldestJobStartTimestampName {
				if got := gauge.DataPoints[0].Value; got == 0 {
					t.Error("the oldest job is gone from the metrics, though it runs")
				}
				return
			}
		}
	}
	t.Error("the oldest job has no metric")
}

// A pool's function that panics is reported in the middle of a collection. An error handler that records something
// needs the default pipeline, and must not wait for the collection to end.
func TestErrorHandlerThatRecordsDuringACollection(t *testing.T) {
	reader := globalReader(t)
	captureReports(t) // puts the handler back
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { instrument.RecordError(context.Background(), err) }))
	p, err := instrument.New()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.ObservePool(instrument.PoolRedis, "cache", func() instrument.PoolStats { panic("closed") }); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = reader.Collect(context.Background(), new(metricdata.ResourceMetrics))
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("the collection never ends")
	}
}
