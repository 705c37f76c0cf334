package event

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/bench/internal/corpus"
	"github.com/stagemeter/stagemeter/bench/internal/page"
	"github.com/stagemeter/stagemeter/bench/internal/report"
	"github.com/stagemeter/stagemeter/bench/internal/rounds"
)

const (
	writerSeries  = 100_000 // beside those of the stage
	writerSamples = 200_000 // at least, of each rival
	writerScrapes = 1       // at least, in each turn
)

// A writer is a rival whose stages are timed one by one.
type writer struct {
	rival
	alone, scraped rounds.Latency
	scrapes        int
}

func writers(s rounds.Settings, quick bool) (report.Section, error) {
	sec := report.Section{Name: "writers", Title: "Writers during a scrape", Intro: fmt.Sprintf("The time of single stages, without a tracer, in one goroutine, "+
		"while another scrapes %d series in OpenMetrics without a pause, and without that. It includes reading the clock twice.", writerSeries)}
	if err := stage.check(); err != nil {
		return sec, fmt.Errorf("stage: %w", err)
	}
	ws, err := newWriters(s)
	defer func() {
		for _, w := range ws {
			w.close()
		}
	}()
	if err != nil {
		return sec, err
	}
	turns := min(s.Rounds, 3)
	if quick {
		turns = 1
	}
	for range turns {
		for _, w := range ws {
			w.turn(writerSamples / turns)
		}
	}

	t := report.Table{Title: "One stage", Columns: []string{"", "alone: p50", "p99", "p99.9", "during scrapes: p50", "p99", "p99.9", "stages", "scrapes"}}
	during := make(map[string]float64)
	for _, w := range ws {
		during[w.name] = w.scraped.Quantile(0.999)
		cells := []string{w.name}
		for _, l := range []*rounds.Latency{&w.alone, &w.scraped} {
			for _, q := range []float64{0.5, 0.99, 0.999} {
				cells = append(cells, report.Duration(l.Quantile(q)))
			}
		}
		t.Add(append(cells, fmt.Sprint(w.scraped.Count()), fmt.Sprint(w.scrapes))...)
	}
	sec.Tables = append(sec.Tables, t)
	if theirs := during[byLabels]; theirs > 0 {
		sec.Ratio("A stage during a scrape: p99.9, to client_golang", runStage, during[runStage]/theirs, 1)
	}
	return sec, nil
}

// newWriters are the rivals of a stage that can hold a corpus beside it.
func newWriters(s rounds.Settings) (ws []*writer, err error) {
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
	c := corpus.New(writerSeries)
	for _, w := range ws {
		if err := w.fill(c); err != nil {
			return ws, fmt.Errorf("%s: %w", w.name, err)
		}
		w.loop(10_000) // warm
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
