// Package memory measures what stays in memory: for each series, during a scrape, and after a million jobs.
package memory

import (
	"fmt"
	"runtime"

	"github.com/stagemeter/stagemeter/bench/internal/figures"
	"github.com/stagemeter/stagemeter/bench/internal/page"
	"github.com/stagemeter/stagemeter/bench/internal/rounds"
	"github.com/stagemeter/stagemeter/bench/internal/workload"
)

// Measure measures the memory of series and of scrapes.
func Measure(s rounds.Settings, quick bool) (figures.Section, error) {
	sec := figures.Section{Name: "memory", Title: "Memory of series and scrapes",
		Intro: "What the heap holds after a collection of garbage, by series: after each was recorded three times, and after two " +
			"scrapes of them in OpenMetrics by gzip, as Prometheus asks for it, of which a handler may keep something. Histograms have 12 boundaries. Then the " +
			"highest that the heap has reached during four scrapes with gzip, with all that was not yet collected."}
	n := 20_000
	if quick {
		n = 5000
	}
	for _, traced := range []bool{false, true} {
		if err := bySeries(&sec, s, n, traced); err != nil {
			return sec, err
		}
	}
	return sec, peaks(&sec, s, quick)
}

// held is what the heap holds of a series, in bytes.
type held struct{ recorded, scraped float64 }

func bySeries(sec *figures.Section, s rounds.Settings, n int, traced bool) error {
	title := "nothing sampled"
	if traced {
		title = "each with exemplars of a sampled span"
	}
	t := figures.Table{Title: fmt.Sprintf("Bytes for each of %d series, %s", n, title),
		Columns: []string{"", "counter", "after two scrapes", "histogram", "after two scrapes"}}
	kinds := map[string]workload.Workload{"counter": workload.Counters(n), "histogram": workload.Histograms(n)}
	took := make(map[string]map[string]held)
	for _, name := range workload.Names {
		if s.Keep != nil && !s.Keep(name) || traced && name == workload.Victoria {
			continue
		}
		took[name] = make(map[string]held)
		for kind, c := range kinds {
			h, err := hold(name, c, traced)
			if err != nil {
				return err
			}
			took[name][kind] = h
		}
		c, h := took[name]["counter"], took[name]["histogram"]
		t.Add(name, figures.Figure(c.recorded), figures.Figure(c.scraped), figures.Figure(h.recorded), figures.Figure(h.scraped))
	}
	sec.Tables = append(sec.Tables, t)
	ours, theirs := took[workload.Ours], took[workload.ClientGolang]
	if ours == nil || theirs == nil {
		return nil
	}
	for _, kind := range []string{"counter", "histogram"} {
		sec.Ratio("Memory of a "+kind+", to client_golang", title+", recorded", ours[kind].recorded/theirs[kind].recorded, 1)
		sec.Ratio("Memory of a "+kind+", to client_golang", title+", after two scrapes", ours[kind].scraped/theirs[kind].scraped, 1)
	}
	return nil
}

// hold fills a rival and tells what it holds of each series.
func hold(name string, c workload.Workload, traced bool) (h held, err error) {
	before := heap()
	s, err := workload.Open(name, c, traced)
	if err != nil {
		return h, err
	}
	defer s.Close()
	h.recorded = (heap() - before) / float64(c.Series)
	scraper := page.NewScraper(s.Handler(), page.OpenMetrics, "gzip")
	for range 2 {
		scraper.Scrape()
	}
	h.scraped = (heap() - before) / float64(c.Series)
	runtime.KeepAlive(scraper)
	return h, nil
}

// heap is what lives on the heap. The first collection lets finalizers and pools go, the second what they held.
func heap() float64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
