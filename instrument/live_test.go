package instrument_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// At the cap a job loses its own series and nothing else: what all jobs cost together stays exact, and a counter says
// how many are not shown.
func TestLiveJobLimit(t *testing.T) {
	p, rec := instrumenttest.New(t)
	const limit = 1000 // the default
	jobs := make([]*instrument.Job, limit+1)
	for i := range jobs {
		var ctx context.Context
		ctx, jobs[i] = p.StartJob(t.Context(), fmt.Sprint("job-", i), instrument.WithBudget(instrument.Dollar))
		instrument.Spend(ctx, "gpu", instrument.Cent)
	}
	series := func(metric string) int {
		return strings.Count("\n"+rec.Exposition(vp(metric)), "\n"+vp(metric)+"{")
	}
	if cost, budget := series("job_cost_usd"), series("budget_remaining_usd"); cost != limit || budget != limit {
		t.Errorf("%d cost and %d budget series, want %d", cost, budget, limit)
	}
	if _, ok := rec.Gauge(vp("job_cost_usd"), label("job_id", "job-1000")); ok {
		t.Error("the job past the limit is shown")
	}
	s := rec.Snapshot()
	if got := s.Counter(vp("jobs_unshown_total")); got != 1 {
		t.Errorf("jobs_unshown_total = %v, want 1", got)
	}
	if got, _ := s.Gauge(vp("jobs_in_progress")); got != limit+1 {
		t.Errorf("jobs_in_progress = %v, want %d", got, limit+1)
	}
	if got := instrument.Dollars(s.Counter(vp("cost_usd_total"))); got != (limit+1)*instrument.Cent {
		t.Errorf("cost_usd_total = %v, want $10.01", got)
	}
	if left, ok := jobs[limit].BudgetRemaining(); !ok || left != 99*instrument.Cent {
		t.Errorf("the job past the limit has %v left, want $0.99: its budget holds all the same", left)
	}

	// A place that comes free is for the next job to start. A series that begins in the middle of a job would jump.
	jobs[0].End(nil)
	if _, ok := rec.Gauge(vp("job_cost_usd"), label("job_id", "job-1000")); ok || series("job_cost_usd") != limit-1 {
		t.Errorf("%d series and job-1000 %v after one ended, want %d", series("job_cost_usd"), ok, limit-1)
	}
	ctx, next := p.StartJob(t.Context(), "next")
	instrument.Spend(ctx, "gpu", instrument.Cent)
	if _, ok := rec.Gauge(vp("job_cost_usd"), label("job_id", "next")); !ok {
		t.Error("the next job is not shown, though there is a place")
	}
	next.End(nil)
	for _, job := range jobs {
		job.End(nil)
	}
	if text := rec.Exposition(vp("job_cost_usd"), vp("budget_remaining_usd")); text != "" {
		t.Errorf("series are left when all jobs have ended:\n%s", text)
	}
	if h := rec.Histogram(vp("cost_per_job_usd")); h.Count != limit+2 {
		t.Errorf("cost_per_job_usd has %d jobs, want %d", h.Count, limit+2)
	}
}

// A job that uses many APIs has many series. Past what the SDK takes of an instrument it would fold them into its
// overflow series, other ones at each scrape.
func TestLiveCostSeriesAreBounded(t *testing.T) {
	p, rec := instrumenttest.New(t)
	const jobs, apis, most = 900, 3, 1999
	var first *instrument.Job
	for i := range jobs {
		ctx, job := p.StartJob(t.Context(), fmt.Sprint("job-", i))
		if first == nil {
			first = job
		}
		for _, api := range []string{"a", "b", "c"} {
			instrument.Spend(ctx, api, instrument.Cent)
			instrument.Spend(ctx, api, instrument.Cent)
		}
	}
	series := func() (n int) {
		text := rec.Exposition(vp("job_cost_usd"))
		if strings.Contains(text, "overflow") {
			t.Error("the SDK's limit is passed")
		}
		return strings.Count(text, vp("job_cost_usd{"))
	}
	if got := series(); got != most {
		t.Errorf("%d series, want %d", got, most)
	}
	// Three series for each of 666 jobs, one for the next: of it and of those after it something is not shown.
	if got := rec.Counter(vp("jobs_unshown_total")); got != jobs-most/apis {
		t.Errorf("jobs_unshown_total = %v, want %d", got, jobs-most/apis)
	}
	first.End(nil)
	if got := series(); got != most-apis {
		t.Errorf("%d series when a job has ended, want %d", got, most-apis)
	}
	ctx, _ := p.StartJob(t.Context(), "next")
	instrument.Spend(ctx, "a", instrument.Cent)
	if got := series(); got != most-apis+1 {
		t.Errorf("%d series with the next job's, want %d", got, most-apis+1)
	}
}

// A gauge of the last job that stays on the dashboard when the job is gone, and one job that costs what all jobs cost.
func TestSeriesOfAJobEndWithIt(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx1, first := p.StartJob(t.Context(), "job-1", instrument.WithBudget(instrument.Dollar))
	ctx2, second := p.StartJob(t.Context(), "job-2")
	instrument.Spend(ctx1, "whisper", 3*instrument.Cent)
	instrument.Spend(ctx1, "gpu", 20*instrument.Cent)
	instrument.Spend(ctx1, "gpu", 5*instrument.Cent)
	instrument.Spend(ctx2, "gpu", instrument.Dollar)
	want := `# HELP video_processing_budget_remaining_usd Budget that a job in progress has left, in US dollars.
# TYPE video_processing_budget_remaining_usd gauge
video_processing_budget_remaining_usd{job_id="job-1"} 0.72
# HELP video_processing_job_cost_usd Money spent so far on a job in progress, in US dollars.
# TYPE video_processing_job_cost_usd gauge
video_processing_job_cost_usd{api="gpu",job_id="job-1"} 0.25
video_processing_job_cost_usd{api="gpu",job_id="job-2"} 1
video_processing_job_cost_usd{api="whisper",job_id="job-1"} 0.03
`
	if got := rec.Exposition(vp("job_cost_usd"), vp("budget_remaining_usd")); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	first.End(nil)
	if _, ok := rec.Gauge(vp("job_cost_usd"), label("job_id", "job-1")); ok {
		t.Error("job-1 has ended and is shown")
	}
	if got, ok := rec.Gauge(vp("job_cost_usd"), label("job_id", "job-2")); !ok || got != 1 {
		t.Errorf("job-2 = %v, %v, want 1", got, ok)
	}
	second.End(nil)
	if got := rec.Exposition(vp("job_cost_usd"), vp("budget_remaining_usd")); got != "" {
		t.Errorf("all have ended, and there is\n%s", got)
	}
	// An id that comes back starts anew.
	_, third := p.StartJob(t.Context(), "job-1")
	defer third.End(nil)
	if _, ok := rec.Gauge(vp("job_cost_usd"), label("job_id", "job-1")); ok {
		t.Error("the cost of the former run is shown")
	}
}

// The oldest start tells of a job that hangs, whose duration never gets recorded.
func TestOldestJobStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, rec := instrumenttest.New(t)
		expect := func(reason string, want float64) {
			t.Helper()
			if got, ok := rec.Gauge(vp("oldest_job_start_timestamp_seconds")); !ok || got != want {
				t.Errorf("%s: %v, %v, want %v", reason, got, ok, want)
			}
		}
		expect("no job", 0)
		start := float64(time.Now().Unix())
		var jobs [4]*instrument.Job
		for i := range jobs {
			_, jobs[i] = p.StartJob(t.Context(), fmt.Sprint("job-", i))
			time.Sleep(time.Minute)
		}
		expect("the first", start)
		jobs[1].End(nil)
		expect("one between has ended", start)
		jobs[0].End(nil)
		expect("the first has ended, the second had before", start+120)
		jobs[3].End(nil)
		expect("the last has ended", start+120)
		jobs[2].End(nil)
		expect("all have ended", 0)
		time.Sleep(1500 * time.Millisecond)
		now := float64(time.Now().UnixMilli()) / 1000
		_, job := p.StartJob(t.Context(), "job-0")
		expect("to the millisecond", now)
		job.End(nil)
	})
}

// Jobs start, spend and end while others do and scrapes go on: nothing is lost, and nothing is left.
func TestJobsAndScrapesAtOnce(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithLiveJobLimit(5))
	const workers, each = 8, 50
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprint("job-", (w*each+i)/2) // some ids twice, at once or one after the other
				_ = p.RunJob(context.Background(), id, func(ctx context.Context) error {
					_, err := instrument.RunStageValue(ctx, fmt.Sprint("stage-", i%3), func(ctx context.Context) (int, error) {
						instrument.Spend(ctx, fmt.Sprint("api-", i%2), instrument.Cent)
						instrument.JobFromContext(ctx).SetVideoDuration(time.Minute)
						return 0, nil
					})
					return err
				}, instrument.WithBudget(instrument.Dollar))
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		s := rec.Snapshot()
		if live, _ := s.Gauge(vp("jobs_in_progress")); live < 0 || live > workers {
			t.Errorf("jobs_in_progress = %v", live)
		}
		shown := strings.Count(rec.Exposition(vp("budget_remaining_usd")), "\nvideo_processing_budget_remaining_usd{")
		if shown > 5 {
			t.Errorf("%d jobs shown, want at most 5", shown)
		}
	}
	s := rec.Snapshot()
	if got := s.Counter(vp("jobs_total"), label("status", "completed")); got != workers*each {
		t.Errorf("completed = %v, want %d", got, workers*each)
	}
	if got := instrument.Dollars(s.Counter(vp("cost_usd_total"))); got != workers*each*instrument.Cent {
		t.Errorf("cost = %v, want %v", got, workers*each*instrument.Cent)
	}
	if h := s.Histogram(vp("cost_per_job_usd")); h.Count != workers*each || instrument.Dollars(h.Sum) != workers*each*instrument.Cent {
		t.Errorf("cost_per_job_usd = %+v", h)
	}
	for _, gauge := range []string{"jobs_in_progress", "stages_in_progress", "oldest_job_start_timestamp_seconds"} {
		if got, _ := s.Gauge(vp(gauge)); got != 0 {
			t.Errorf("%s = %v, want 0", gauge, got)
		}
	}
	if text := rec.Exposition(vp("job_cost_usd"), vp("budget_remaining_usd")); text != "" {
		t.Errorf("series are left:\n%s", text)
	}
}
