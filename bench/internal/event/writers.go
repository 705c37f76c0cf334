package event

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/bench/internal/figures"
	"github.com/stagemeter/stagemeter/bench/internal/page"
	"github.com/stagemeter/stagemeter/bench/internal/rounds"
	"github.com/stagemeter/stagemeter/bench/internal/workload"
)

const (
	writerSeries  = 100_000 // beside those of the stage
	quickSeries   = 20_000
	writerSamples = 200_000 // at least, of each rival
	writerScrapes = 2       // at least, in each turn
)

// A writer is a rival whose stages are timed one by one.
type writer struct {
	rival
	alone, scraped rounds.Latency
	scrapes        int
}

func writers(s rounds.Settings, quick bool) (figures.Section, error) {
	series, turns := writerSeries, min(s.Rounds, 2)
	if quick {
		series, turns = quickSeries, 1
	}
	sec := figures.Section{Name: "writers", Title: "Writers during a scrape",
		Intro: fmt.Sprintf("The time of single stages, without a tracer, in one goroutine, while another scrapes %d series in "+
			"OpenMetrics without a pause, and without that. It includes reading the clock twice.", series)}
	if err := stage.check(); err != nil {
		return sec, fmt.Errorf("stage: %w", err)
	}
	ws, err := newWriters(s, series)
	defer func() {
		for _, w := range ws {
			w.close()
		}
	}()
	if err != nil {
		return sec, err
	}
	for range turns {
		for _, w := range ws {
			w.turn(writerSamples / turns)
		}
	}

	t := figures.Table{Title: "One stage", Columns: []string{"", "alone: p50", "p99", "p99.9", "during scrapes: p50", "p99", "p99.9",
		"stages", "scrapes"}}
	during := make(map[string]float64)
	for _, w := range ws {
		during[w.name] = w.scraped.Quantile(0.999)
		cells := []string{w.name}
		for _, l := range []*rounds.Latency{&w.alone, &w.scraped} {
			for _, q := range []float64{0.5, 0.99, 0.999} {
				cells = append(cells, figures.Duration(l.Quantile(q)))
			}
		}
		t.Add(append(cells, fmt.Sprint(w.scraped.Count()), fmt.Sprint(w.scrapes))...)
	}
	sec.Tables = append(sec.Tables, t)
	if quick {
		sec.Note("A quick run has %d series instead of %d.", quickSeries, writerSeries)
	}
	if theirs := during[byLabels]; theirs > 0 {
		sec.Ratio("A stage during a scrape: p99.9, to client_golang", runStage, during[runStage]/theirs, 1)
	}
	return sec, nil
}

// newWriters are the rivals of a stage that can hold a workload beside it.
func newWriters(s rounds.Settings, series int) (ws []*writer, err error) {
	rs, err := stageRivals(tracenoop.NewTracerProvider())
	for _, r := range rs.all {
		switch r.name {
		case runStage, prebuilt, byLabels, resolved:
			if s.Keep == nil || s.Keep(r.name) {
				ws = append(ws, &writer{rival: r})
				continue
			}
		}
		r.close()
	}
	if err != nil {
		return ws, err
	}
	c := workload.New(series)
	for _, w := range ws {
		if err := w.fill(c); err != nil {
			return ws, fmt.Errorf("%s: %w", w.name, err)
		}
		w.loop(10_000) // warm, as the next too: in a first scrape the labels of all series are new
		page.NewScraper(w.handler, page.OpenMetrics, "identity").Scrape()
	}
	return ws, nil
}

// turn times stages, first alone and then while a goroutine scrapes.
func (w *writer) turn(samples int) {
	w.write(&w.alone, samples, func() bool { return true })

	var scrapes atomic.Int64
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		scraper := page.NewScraper(w.handler, page.OpenMetrics, "identity")
		for !stop.Load() {
			scraper.Scrape()
			scrapes.Add(1)
		}
	}()
	w.write(&w.scraped, samples, func() bool { return scrapes.Load() >= writerScrapes })
	stop.Store(true)
	<-done
	w.scrapes += int(scrapes.Load())
}

// write times stages until there are enough and enough has happened beside them.
func (w *writer) write(l *rounds.Latency, samples int, enough func() bool) {
	free := func(context.Context) (int, error) { return 0, nil }
	for i := 0; i < samples || !enough(); i++ {
		start := time.Now()
		_, _ = w.run(w.ctx, "", free)
		l.Add(time.Since(start))
	}
}
