package instrument_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/internal/seam"
	"github.com/stagemeter/stagemeter/internal/registry"
)

// What is declared is there from the first scrape, at 0. A series born at 1 has an increase() of 0, so an alert on the
// first failure would stay silent; and a service that idles would divide by nothing.
func TestFreshPipeline(t *testing.T) {
	_, rec := instrumenttest.New(t, instrument.WithStages("analysis", "rendering"), instrument.WithAPIs("whisper"))
	golden, err := os.ReadFile("testdata/fresh.prom")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range registry.Metrics() {
		// A counter that is new in the registry and begins at 0 by itself needs no line in the file.
		if m.OfPipeline && (!m.Zeroed() || strings.Contains(string(golden), "# TYPE "+m.Prometheus+" ")) {
			names = append(names, m.Prometheus)
		}
	}
	rec.Golden("fresh.prom", names...)
}

// Each metric has the kind that the registry says: a counter that is exported as a gauge has no rate.
func TestKindsAndBucketsAreThoseOfTheRegistry(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithDetails())
	for _, kind := range []instrument.PoolKind{instrument.PoolDatabase, instrument.PoolRedis} {
		stats := instrument.PoolStats{Max: 10, CountsWaits: true}
		if _, err := p.ObservePool(kind, "main", func() instrument.PoolStats { return stats }); err != nil {
			t.Fatal(err)
		}
	}
	recordEverything(instrument.ContextWithPipeline(t.Context(), p))
	carrier := carrierOf(p, t.Context())
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(instrument.Dollar), instrument.WithVideoDuration(time.Minute),
		instrument.WithCarrier(carrier))
	instrument.RecordHighlight(ctx, -1)
	instrument.Spend(ctx, "gpu", instrument.Cent)
	_ = instrument.RunCall(ctx, "whisper", func(ctx context.Context) error {
		seam.PricesChecked(instrument.CallFromContext(ctx), time.Unix(1, 0)) // as a transport of aihttp does
		return errDecoder
	})
	_, _ = instrument.RunStageValue(ctx, "analysis", func(context.Context) (int, error) { return 0, nil })
	sctx, stage := instrument.StartStage(ctx, "rendering")
	defer stage.End(nil)
	instrument.ReportProgress(sctx, 1, 2)
	_, second := p.StartJob(t.Context(), "job-2", instrument.WithVideoDuration(time.Minute), instrument.WithCarrier(carrier))
	second.End(nil)
	defer job.End(nil)
	text := rec.Exposition()
	for _, m := range registry.Metrics() {
		if !m.OfPipeline || strings.HasPrefix(m.RecordedBy[0], "aihttp.") { // whose tests do the same for its own
			continue
		}
		if !strings.Contains(text, "# TYPE "+m.Prometheus+" "+m.Kind.PrometheusType()+"\n") {
			t.Errorf("no %s %s in\n%s", m.Kind.PrometheusType(), m.Prometheus, text)
		}
		if m.Kind == registry.KindHistogram {
			if got := rec.Histogram(m.Name); !slices.Equal(got.Bounds, m.Buckets) || !slices.IsSorted(got.Bounds) {
				t.Errorf("buckets of %s are %v, want %v", m.Name, got.Bounds, m.Buckets)
			}
		}
	}
}

// Two pipelines on one provider, such as a library's and its program's: no total is lost.
func TestTwoPipelinesAddUp(t *testing.T) {
	one, rec := instrumenttest.New(t)
	two, err := instrument.New(instrument.WithMeterProvider(rec.MeterProvider()), instrument.WithTracerProvider(rec.TracerProvider()))
	if err != nil {
		t.Fatal(err)
	}
	var jobs []*instrument.Job
	for _, p := range []*instrument.Pipeline{one, two} {
		ctx, job := p.StartJob(t.Context(), "job-1")
		jobs = append(jobs, job)
		instrument.Spend(ctx, "gpu", instrument.Dollar)
		_, stage := instrument.StartStage(ctx, "analysis")
		defer stage.End(nil)
		if _, err := p.ObservePool(instrument.PoolRedis, "cache", func() instrument.PoolStats { return instrument.PoolStats{Used: 2} }); err != nil {
			t.Fatal(err)
		}
	}
	s := rec.Snapshot()
	gauge := func(name string) float64 { v, _ := s.Gauge(vp(name)); return v }
	for name, got := range map[string]float64{
		"jobs_total": s.Counter(vp("jobs_total"), label("status", "processing")), "cost_usd_total": s.Counter(vp("cost_usd_total")),
		"jobs_in_progress": gauge("jobs_in_progress"), "stages_in_progress": gauge("stages_in_progress"),
		"job_cost_usd": gauge("job_cost_usd"), "redis_connections": gauge("redis_connections") / 2,
	} {
		if got != 2 {
			t.Errorf("%s = %v, want 2", name, got)
		}
	}
	// To close one takes its own share, not the other's.
	if err := two.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, _ := rec.Gauge(vp("jobs_in_progress")); got != 1 {
		t.Errorf("jobs_in_progress = %v after one was closed, want 1", got)
	}
	for _, job := range jobs {
		job.End(nil)
	}
	if got := rec.Counter(vp("jobs_total"), label("status", "completed")); got != 2 {
		t.Errorf("completed = %v, want 2: a closed pipeline still counts", got)
	}
}

func TestClose(t *testing.T) {
	p, rec := instrumenttest.New(t)
	_, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(instrument.Dollar))
	for range 2 {
		if err := p.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, gauge := range []string{"jobs_in_progress", "budget_remaining_usd", "oldest_job_start_timestamp_seconds", "ffmpeg_processes"} {
		if _, ok := rec.Gauge(vp(gauge)); ok {
			t.Errorf("%s is still reported", gauge)
		}
	}
	job.End(nil)
	if got := rec.Counter(vp("jobs_total"), label("status", "completed")); got != 1 {
		t.Errorf("completed = %v, want 1", got)
	}
}
