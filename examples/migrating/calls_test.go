package migrating

import (
	"context"
	"database/sql"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/attribute"

	_ "modernc.org/sqlite" // a driver for the pool

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// Each call moves the metric that the Python module's call moved.

func TestJobs(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	headers := enqueue(ctx, Video{"queued"})
	if err := work(ctx, Video{"queued"}, headers); err != nil {
		t.Fatal(err)
	}
	if reel, err := processVideo(ctx, Video{"wrapped"}); err != nil || reel.Path != "wrapped.mp4" {
		t.Errorf("the decorated function returned %v, %v", reel, err)
	}
	for status, want := range map[string]float64{"queued": 1, "processing": 2, "completed": 2, "failed": 0} {
		if got := rec.Counter("video_processing_jobs_total", attribute.String("status", status)); got != want {
			t.Errorf("%v jobs %s, want %v", got, status, want)
		}
	}
	if got := rec.Histogram("video_processing_queue_wait_seconds").Count; got != 1 {
		t.Errorf("%d waits, want that of the job that was queued", got)
	}
}

func TestCosts(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	book(ctx)
	if answer, err := ask(ctx, "hello"); err != nil || answer.Text != "hello" {
		t.Errorf("the decorated function returned %v, %v", answer, err)
	}
	if got := instrument.Dollars(rec.Counter("video_processing_cost_usd_total", attribute.String("api", "openai"))); got != 6*instrument.Cent {
		t.Errorf("the cost is %v, want $0.05 that was booked and $0.01 for 500 tokens", got)
	}
	if got := rec.Counter("video_processing_api_calls_total", attribute.String("api", "openai"), attribute.String("status", "success")); got != 1 {
		t.Errorf("%v calls, want 1", got)
	}

	if err := billed(ctx, ""); !errors.Is(err, errFiltered) {
		t.Errorf("the call returned %v, want its own error", err)
	}
	if got := instrument.Dollars(rec.Counter("video_processing_cost_usd_total", attribute.String("api", "openai"))); got != 7*instrument.Cent {
		t.Errorf("the cost is %v, want $0.01 more for the failed call of 500 tokens", got)
	}
}

func TestBudget(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	if err := withBudget(ctx, Video{"v"}); err != nil {
		t.Fatal(err)
	}
	if err := instrument.RunJob(ctx, "v", func(ctx context.Context) error {
		showRemaining(ctx)
		if got, ok := rec.Gauge("video_processing_budget_remaining_usd", attribute.String("job_id", "v")); !ok || got != 4.5 {
			t.Errorf("%v remains, %v; want 4.5", got, ok)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestStages(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	if _, err := transcribe(ctx, Video{"v"}); err != nil {
		t.Fatal(err)
	}
	if err := check(ctx, Video{"v"}); err != nil {
		t.Fatal(err)
	}
	if got := rec.Histogram("video_processing_duration_seconds", attribute.String("stage", "validation")).Count; got != 1 {
		t.Errorf("the validation was recorded %d times, want once", got)
	}
	for _, name := range []string{"video_processing_duration_seconds", "video_processing_ratio"} {
		if got := rec.Histogram(name, attribute.String("stage", "transcription")).Count; got != 1 {
			t.Errorf("%s was recorded %d times, want once", name, got)
		}
	}
	failing, stage := instrument.StartStage(ctx, "transcription")
	recordError(failing, &APIError{"no answer"})
	stage.End(nil)
	if got := rec.Counter("video_processing_errors_total", attribute.String("stage", "transcription"),
		attribute.String("error_type", "APIError")); got != 1 {
		t.Errorf("%v errors of type APIError, want 1", got)
	}
}

func TestQuality(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	spread(ctx)
	normalization(ctx)
	segments(ctx)
	highlight(ctx)
	for name, want := range map[string]float64{
		"video_processing_audio_loudness_spread_lu": 1.2,
		"video_processing_audio_normalization_db":   -3.5,
		"video_processing_segments_detected":        15,
		"video_processing_highlight_scores":         0.92,
	} {
		if got := rec.Histogram(name); got.Count != 1 || got.Sum != want {
			t.Errorf("%s has %d values with the sum %v, want one of %v", name, got.Count, got.Sum, want)
		}
	}
}

func TestProcesses(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	running := func() float64 {
		n, _ := rec.Gauge("video_processing_ffmpeg_processes")
		return n
	}
	failure := errors.New("the process failed")
	if err := trackProcess(ctx, func() error {
		if got := running(); got != 1 {
			t.Errorf("%v processes while one runs", got)
		}
		return failure
	}); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	if got := running(); got != 0 {
		t.Errorf("%v processes after the last one", got)
	}

	in, out := filepath.Join(t.TempDir(), "in.mkv"), filepath.Join(t.TempDir(), "out.mp4")
	if msg, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=d=0.2", "-c:v", "ffv1", in).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, msg)
	}
	if err := runFFmpeg(ctx, in, out); err != nil {
		t.Error(err)
	}
}

func TestPools(t *testing.T) {
	p, rec := instrumenttest.New(t)
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"})
	defer client.Close()
	unregister, err := observePools(p, db, client)
	if err != nil {
		t.Fatal(err)
	}
	for name, pool := range map[string]string{"video_processing_database_connections": "main", "video_processing_redis_connections": "cache"} {
		if _, ok := rec.Gauge(name, attribute.String("pool", pool)); !ok {
			t.Errorf("%s has no pool %s", name, pool)
		}
	}
	unregister()
	if _, ok := rec.Gauge("video_processing_database_connections", attribute.String("pool", "main")); ok {
		t.Error("the pool is still shown")
	}
}

func TestSetUp(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_PROMETHEUS_HOST", "127.0.0.1")
	t.Setenv("OTEL_EXPORTER_PROMETHEUS_PORT", "0")
	former := instrument.Default()
	t.Cleanup(func() { instrument.SetDefault(former) })
	setUp(t.Context())()
	if instrument.Default() == former {
		t.Error("the pipeline is not the default")
	}
	p, err := keepJobIDs()
	if err != nil {
		t.Error(err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
