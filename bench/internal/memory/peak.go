package memory

import (
	"fmt"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/stagemeter/stagemeter/bench/internal/figures"
	"github.com/stagemeter/stagemeter/bench/internal/page"
	"github.com/stagemeter/stagemeter/bench/internal/rounds"
	"github.com/stagemeter/stagemeter/bench/internal/workload"
)

// peaks measures how high the heap rises during scrapes.
func peaks(sec *figures.Section, s rounds.Settings, quick bool) error {
	series := 100_000
	if quick {
		series = 10_000
	}
	c := workload.New(series)
	t := figures.Table{Title: fmt.Sprintf("Heap during four scrapes of %d series with gzip", series),
		Columns: []string{"", "before", "highest", "rise"}}
	for _, name := range workload.Names {
		if s.Keep != nil && !s.Keep(name) {
			continue
		}
		encoding := "gzip"
		if name == workload.Victoria {
			encoding = "identity"
		}
		store, err := workload.Open(name, c, false)
		if err != nil {
			return err
		}
		before := heap()
		highest := during(func() {
			scraper := page.NewScraper(store.Handler(), page.Text, encoding)
			for range 4 {
				scraper.Scrape()
			}
		})
		_ = store.Close() // nothing is pushed, nothing is served
		t.Add(name, figures.Bytes(before), figures.Bytes(highest), figures.Bytes(highest-before))
	}
	sec.Tables = append(sec.Tables, t)
	sec.Note("VictoriaMetrics has no compression: its four scrapes are plain.")
	return nil
}

// during looks at the heap every half millisecond while something is done, and returns the highest.
func during(do func()) float64 {
	var stop atomic.Bool
	highest := make(chan float64)
	go func() {
		sample, top := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}, 0.0
		for !stop.Load() {
			metrics.Read(sample)
			top = max(top, float64(sample[0].Value.Uint64()))
			time.Sleep(500 * time.Microsecond)
		}
		highest <- top
	}()
	do()
	stop.Store(true)
	return <-highest
}
