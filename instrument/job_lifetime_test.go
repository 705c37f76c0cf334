package instrument_test

import (
	"sync"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// An End in the body and a deferred one, or a second goroutine that cleans up: a job counted twice makes the success
// rate of a service more than 100 %.
func TestEndTwiceCountsOnce(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1")
	_, stage := instrument.StartStage(ctx, "analysis")
	_, call, _ := instrument.StartCall(ctx, "whisper")
	err := errDecoder
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			call.End(nil)
			stage.End(nil)
			job.End(nil)
			job.End(&err)
			stage.End(&err)
			call.End(&err)
		})
	}
	wg.Wait()
	s := rec.Snapshot()
	if got := s.Counter(vp("jobs_total"), label("status", "completed")) + s.Counter(vp("jobs_total"), label("status", "failed")); got != 1 {
		t.Errorf("%v terminal statuses, want 1", got)
	}
	if got := s.Counter(vp("api_calls_total")); got != 1 {
		t.Errorf("%v calls, want 1", got)
	}
	if got := s.Histogram(vp("duration_seconds")).Count; got != 1 {
		t.Errorf("%v stages, want 1", got)
	}
	for _, gauge := range []string{"jobs_in_progress", "stages_in_progress"} {
		if got, _ := s.Gauge(vp(gauge)); got != 0 {
			t.Errorf("%s = %v, want 0", gauge, got)
		}
	}
	if n := len(rec.Spans()); n != 3 {
		t.Errorf("%d spans, want 3", n)
	}
}

// A second End while a panic passes must not swallow it: recover was called once, for the first.
func TestPanicPassesAnEndThatCameTooLate(t *testing.T) {
	p, rec := instrumenttest.New(t)
	v := recovered(func() {
		_, job := p.StartJob(t.Context(), "job-1")
		defer job.End(nil)
		job.End(nil)
		panic("boom")
	})
	if v != "boom" {
		t.Errorf("recovered %v, want boom", v)
	}
	if got := rec.Counter(vp("jobs_total"), label("status", "completed")); got != 1 {
		t.Errorf("completed = %v, want 1: the job had ended before", got)
	}
}

// A queue that delivers at least once delivers twice. Both runs cost money and time, so both are in the totals.
func TestJobIDTwiceAtOnce(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx1, first := p.StartJob(t.Context(), "job-1")
	ctx2, second := p.StartJob(t.Context(), "job-1")
	if first == second {
		t.Fatal("two runs are one job")
	}
	instrument.Spend(ctx1, "gpu", 1*instrument.Dollar)
	instrument.Spend(ctx2, "gpu", 2*instrument.Dollar)
	if got, _ := rec.Gauge(vp("jobs_in_progress")); got != 2 {
		t.Errorf("jobs_in_progress = %v, want 2", got)
	}
	if got, _ := rec.Gauge(vp("job_cost_usd"), label("job_id", "job-1"), label("api", "gpu")); got != 3 {
		t.Errorf("job_cost_usd = %v, want 3: one series for the id", got)
	}
	first.End(nil)
	if got, ok := rec.Gauge(vp("job_cost_usd"), label("job_id", "job-1")); !ok || got != 3 {
		t.Errorf("job_cost_usd = %v, %v while one run still lives, want 3", got, ok)
	}
	second.End(nil)
	if _, ok := rec.Gauge(vp("job_cost_usd"), label("job_id", "job-1")); ok {
		t.Error("the series outlives the last run")
	}
	h := rec.Histogram(vp("cost_per_job_usd"))
	if h.Count != 2 || h.Min != 1 || h.Max != 2 {
		t.Errorf("cost_per_job_usd = %+v, want 1 and 2: each run its own", h)
	}
	if got := rec.Counter(vp("jobs_total"), label("status", "completed")); got != 2 {
		t.Errorf("completed = %v, want 2", got)
	}
}

// A job that outlives nothing: what started within it ends later, in a goroutine nobody waited for.
func TestStageThatOutlivesItsJob(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(instrument.Dollar))
	sctx, stage := instrument.StartStage(ctx, "upload")
	_, call, _ := instrument.StartCall(sctx, "s3")
	call.SetCost(10 * instrument.Cent)
	job.End(nil)
	if got, _ := rec.Gauge(vp("stages_in_progress"), label("stage", "upload")); got != 1 {
		t.Errorf("stages_in_progress = %v, want 1: it still runs", got)
	}
	call.End(nil)
	instrument.Spend(sctx, "gpu", instrument.Dollar)
	err := errDecoder
	stage.End(&err)

	s := rec.Snapshot()
	if got, _ := s.Gauge(vp("stages_in_progress"), label("stage", "upload")); got != 0 {
		t.Errorf("stages_in_progress = %v, want 0", got)
	}
	if got := s.Histogram(vp("duration_seconds"), label("stage", "upload")).Count; got != 1 {
		t.Errorf("duration_seconds_count = %v, want 1", got)
	}
	if got := s.Counter(vp("errors_total"), label("stage", "upload")); got != 1 {
		t.Errorf("errors_total = %v, want 1", got)
	}
	if got := instrument.Dollars(s.Counter(vp("cost_usd_total"))); got != 110*instrument.Cent {
		t.Errorf("cost_usd_total = %v, want $1.10: it is spent, whoever waits for it", got)
	}
	if got := s.Histogram(vp("cost_per_job_usd")); got.Count != 1 || got.Sum != 0 {
		t.Errorf("cost_per_job_usd = %+v, want one of 0", got)
	}
	if got := job.Cost(); got != 0 {
		t.Errorf("job.Cost() = %v after its end, want 0", got)
	}
	if _, ok := s.Gauge(vp("job_cost_usd")); ok {
		t.Error("a job that ended has a series again")
	}
}

// Amounts near the end of the range must not wrap: a job that spent a fortune would show a negative cost.
func TestCostStopsAtTheEndOfTheRange(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1")
	for range 3 {
		instrument.Spend(ctx, "gpu", 9_000_000_000*instrument.Dollar)
	}
	if got := job.Cost(); got < 9_000_000_000*instrument.Dollar {
		t.Errorf("Cost() = %v", got)
	}
	if got, _ := rec.Gauge(vp("job_cost_usd")); got < 9e9 {
		t.Errorf("job_cost_usd = %v", got)
	}
	job.End(nil)
	if h := rec.Histogram(vp("cost_per_job_usd")); h.Sum < 9e9 {
		t.Errorf("cost_per_job_usd_sum = %v", h.Sum)
	}
}

func TestJobInAJob(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, outer := p.StartJob(t.Context(), "album")
	inner, track := p.StartJob(ctx, "track-1")
	if instrument.JobFromContext(inner) != track || instrument.JobFromContext(ctx) != outer {
		t.Error("a context knows the wrong job")
	}
	instrument.Spend(inner, "gpu", instrument.Dollar)
	if outer.Cost() != 0 || track.Cost() != instrument.Dollar {
		t.Errorf("outer %v, inner %v, want the inner job's cost to be its own", outer.Cost(), track.Cost())
	}
	track.End(nil)
	outer.End(nil)
	rec.AssertSpanTree(`
		job
		  job
	`)
}
