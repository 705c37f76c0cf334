package memory

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/bench/internal/figures"
	"github.com/stagemeter/stagemeter/bench/internal/page"
	"github.com/stagemeter/stagemeter/bench/internal/rounds"
	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
)

const (
	firstJobs = 1000
	workers   = 4

	// A call costs a 64th of a dollar, which a float64 holds exactly, so that a total of any number of them is exact.
	callPrice = instrument.Dollar / 64
)

// Jobs runs very many jobs through one pipeline, and holds its totals against what was run.
func Jobs(_ rounds.Settings, quick bool) (figures.Section, error) {
	n := 1_000_000
	if quick {
		n = 100_000
	}
	sec := figures.Section{Name: "jobs", Title: "A million jobs",
		Intro: fmt.Sprintf("%d jobs with ids of their own, each with a budget, one stage and one call, in %d goroutines of one "+
			"process.", n, workers)}
	if quick {
		sec.Note("A quick run has a tenth of a million.")
	}
	p, err := newPlant()
	if err != nil {
		return sec, err
	}
	defer p.close()
	took, err := p.measure(&sec, n)
	if err != nil {
		return sec, err
	}
	sec.Note("All totals are exact: jobs, stages, calls and dollars. The jobs took %s, scrapes in between included.",
		took.Round(time.Millisecond))
	return sec, nil
}

// A plant is a pipeline and its scrape.
type plant struct {
	tel      *exporters.Telemetry
	pipeline *instrument.Pipeline
	scraper  *page.Scraper
	ran      atomic.Int64
}

func newPlant() (*plant, error) {
	tel, err := exporters.Start(context.Background(), exporters.WithoutServer(), exporters.WithoutGlobals())
	if err != nil {
		return nil, err
	}
	p, err := instrument.New(instrument.WithMeterProvider(tel.MeterProvider()),
		instrument.WithTracerProvider(tracenoop.NewTracerProvider()), instrument.WithStages("analysis"), instrument.WithAPIs("whisper"))
	return &plant{tel: tel, pipeline: p, scraper: page.NewScraper(tel.Handler(), page.OpenMetrics, "identity")}, err
}

func (p *plant) close() { _ = p.tel.Shutdown(context.Background()) } // nothing is pushed, nothing is served

// state is what can grow.
type state struct {
	heap, scrape float64 // bytes, ns
	size         int     // of an answer
}

func (p *plant) state() state {
	var times []float64
	s := state{}
	for range 21 {
		start := time.Now()
		s.size = p.scraper.Scrape()
		times = append(times, float64(time.Since(start)))
	}
	s.scrape = rounds.SpreadOf(times).Median
	s.heap = heap()
	return s
}

func (p *plant) measure(sec *figures.Section, n int) (took time.Duration, err error) {
	p.run(firstJobs)
	early := p.state()
	most, start := 0, time.Now()
	for range 10 {
		done := make(chan struct{})
		go func() { defer close(done); p.run((n - firstJobs) / 10) }()
		for running := true; running; {
			series, failed := p.live()
			most, err = max(most, series), errors.Join(err, failed)
			select {
			case <-done:
				running = false
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	if err != nil {
		return 0, err
	}
	p.run(n - int(p.ran.Load()))
	took = time.Since(start)
	late := p.state()
	if err := p.exact(n); err != nil {
		return 0, err
	}
	if most > workers+1 {
		return 0, fmt.Errorf("jobs: %d series of live jobs, with %d jobs at a time", most, workers)
	}
	t := figures.Table{Title: "Before and after",
		Columns: []string{"", fmt.Sprintf("after %d", firstJobs), fmt.Sprintf("after %d", n)}}
	t.Add("heap", figures.Bytes(early.heap), figures.Bytes(late.heap))
	t.Add("time of a scrape", figures.Duration(early.scrape), figures.Duration(late.scrape))
	t.Add("size of a scrape", figures.Bytes(float64(early.size)), figures.Bytes(float64(late.size)))
	t.Add("most series of live jobs", "", fmt.Sprint(most))
	sec.Tables = append(sec.Tables, t)
	sec.Absolute("Jobs: heap, over that after the first thousand", fmt.Sprint(n), late.heap/early.heap, 1.1, "")
	sec.Absolute("Jobs: time of a scrape, over that after the first thousand", fmt.Sprint(n), late.scrape/early.scrape, 1.25, "")
	return took, nil
}

// run runs n more jobs.
func (p *plant) run(n int) {
	var wg sync.WaitGroup
	for w := range workers {
		share := n / workers
		if w < n%workers {
			share++
		}
		wg.Go(func() {
			for range share {
				p.job("job-" + strconv.FormatInt(p.ran.Add(1), 10))
			}
		})
	}
	wg.Wait()
}

func (p *plant) job(id string) {
	_ = p.pipeline.RunJob(context.Background(), id, func(ctx context.Context) error {
		_, err := instrument.RunStageValue(ctx, "analysis", func(ctx context.Context) (int, error) {
			return instrument.RunCallValue(ctx, "whisper", func(int) instrument.USD { return callPrice },
				func(context.Context) (int, error) { return 0, nil })
		})
		return err
	}, instrument.WithVideoDuration(time.Minute), instrument.WithBudget(instrument.Dollar)) // nothing in it can fail
}

// live is how many series of live jobs a scrape shows.
func (p *plant) live() (int, error) {
	got, err := p.scraper.Page()
	if err != nil {
		return 0, err
	}
	return got.Only("video_processing_job_cost_usd").Series(), nil
}

// exact says, as an error, which totals are not those of n jobs that have ended.
func (p *plant) exact(n int) error {
	got, err := p.scraper.Page()
	if err != nil {
		return err
	}
	want := map[string]float64{
		`video_processing_jobs_total{status="processing"}`:                 float64(n),
		`video_processing_jobs_total{status="completed"}`:                  float64(n),
		`video_processing_jobs_total{status="failed"}`:                     0,
		`video_processing_jobs_total{status="canceled"}`:                   0,
		`video_processing_jobs_in_progress{}`:                              0,
		`video_processing_duration_seconds_count{stage="analysis"}`:        float64(n),
		`video_processing_ratio_count{stage="analysis"}`:                   float64(n),
		`video_processing_job_duration_seconds_count{status="completed"}`:  float64(n),
		`video_processing_api_calls_total{api="whisper",status="success"}`: float64(n),
		`video_processing_cost_usd_total{api="whisper"}`:                   float64(n) / 64,
		`video_processing_cost_per_job_usd_count{}`:                        float64(n),
		`video_processing_cost_per_job_usd_sum{}`:                          float64(n) / 64,
	}
	for k, v := range want {
		if w, ok := got.Samples[k]; !ok || math.Float64bits(w) != math.Float64bits(v) {
			return fmt.Errorf("jobs: %s is %v after %d jobs, not %v", k, w, n, v)
		}
	}
	if left := got.Only("video_processing_job_cost_usd", "video_processing_budget_remaining_usd").Series(); left > 0 {
		return fmt.Errorf("jobs: %d series are left of jobs that have ended", left)
	}
	return nil
}
