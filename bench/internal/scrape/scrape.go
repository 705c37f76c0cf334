// Package scrape times a scrape: what a handler does between the request and the last byte of its answer.
package scrape

import (
	"fmt"

	"github.com/stagemeter/stagemeter/bench/internal/figures"
	"github.com/stagemeter/stagemeter/bench/internal/page"
	"github.com/stagemeter/stagemeter/bench/internal/rounds"
	"github.com/stagemeter/stagemeter/bench/internal/workload"
)

// A request is what a scraper asks for.
type request struct {
	format, encoding string
	title            string
}

var requests = []request{
	{page.Text, "identity", "text"},
	{page.Text, "gzip", "text, gzip"},
	{page.Text, "zstd", "text, zstd"},
	{page.OpenMetrics, "identity", "OpenMetrics"},
	{page.OpenMetrics, "gzip", "OpenMetrics, gzip"},
	{page.OpenMetrics, "zstd", "OpenMetrics, zstd"},
}

// takes tells whether a rival can answer a request with the same telemetry: VictoriaMetrics has one format, no
// compression and no exemplars.
func (r request) takes(rival string) bool {
	return rival != workload.Victoria || r.format == page.Text && r.encoding == "identity"
}

// Goals of a scrape.
const (
	timeToClientGolang  = 1.0 / 5
	bytesToClientGolang = 1.0 / 20
	timeToUpstream      = 1.0 / 10
)

// Measure checks that the rivals answer the same, and times them.
func Measure(s rounds.Settings, quick bool) (figures.Section, error) {
	sec := figures.Section{Name: "scrape", Title: "A scrape",
		Intro: "One scrape of the handler of each, answered into a writer that counts the bytes and drops them. Half of the series " +
			"are counters, half histograms of 12 boundaries, with one or two labels. A tenth of them changes between two scrapes, " +
			"outside of the clock. Exemplars are on, as by default: first nothing is sampled, then every series holds exemplars " +
			"of a sampled span."}
	for _, size := range []int{1000, 10_000, 100_000} {
		for _, traced := range []bool{false, true} {
			if quick && size == 100_000 && traced {
				sec.Note("A quick run leaves out 100,000 series with exemplars, and some answers of the others.")
				continue
			}
			if err := measure(&sec, s, size, traced, quick); err != nil {
				return sec, err
			}
		}
	}
	return sec, nil
}

func measure(sec *figures.Section, s rounds.Settings, size int, traced, quick bool) error {
	c := workload.New(size)
	stores, err := open(c, traced)
	defer stores.close()
	if err != nil {
		return err
	}
	t := figures.Table{
		Title:   fmt.Sprintf("%d series, %s", size, holding(traced)),
		Columns: []string{"answer", "rival", "time", "ratio", "allocated", "ratio", "allocs", "body", "exemplars"},
	}
	exemplars := make(map[string]map[string]int) // by format and rival
	for _, r := range requests {
		if !timed(r, size, traced, quick) {
			continue
		}
		if compared(r, size, traced, quick) {
			if exemplars[r.format], err = stores.compare(r, traced); err != nil {
				return fmt.Errorf("%s, %s: %w", t.Title, r.title, err)
			}
		}
		results, sizes := stores.time(limit(s, size, quick), r)
		if err := alike(sizes, r); err != nil {
			return fmt.Errorf("%s, %s: %w", t.Title, r.title, err)
		}
		ours := results.Of(workload.Ours)
		for i, res := range results {
			shown := "–" // not compared
			if n, ok := exemplars[r.format]; ok {
				shown = fmt.Sprint(n[res.Name])
			}
			t.Add(first(i, r.title), res.Name, figures.Times(res.Nanos()), times(rounds.Ratio(ours, &res, nil)),
				figures.Bytes(res.Bytes().Median), times(rounds.BytesRatio(ours, &res)),
				figures.Figure(float64(int(res.Allocs().Median))), figures.Bytes(float64(sizes[res.Name])), shown)
		}
		goals(sec, t.Title+", "+r.title, r, results)
	}
	sec.Tables = append(sec.Tables, t)
	return nil
}

// timed leaves out what there is no time for: of 100,000 series a scrape takes a second or two, and all of the rivals'
// series together make the garbage collector slow.
func timed(r request, size int, traced, quick bool) bool {
	switch {
	case size == 1000:
		return true
	case size == 10_000 && !quick:
		return r.format == page.OpenMetrics || r.encoding == "identity" || !traced
	case size == 10_000 && traced, !quick && traced:
		return r.title == "OpenMetrics" || r.title == "OpenMetrics, zstd"
	case size == 10_000, !quick:
		return r.title == "text" || r.title == "OpenMetrics" || r.title == "OpenMetrics, gzip"
	default:
		return r.title == "text"
	}
}

// compared tells which answers are read and compared: of 1,000 series all of them, of 10,000 one of each format, of
// 100,000 one, and in a quick run none. What differs could hardly depend on the number of series alone; of the others
// the sizes are compared.
func compared(r request, size int, traced, quick bool) bool {
	switch size {
	case 1000:
		return true
	case 10_000:
		return r.encoding == "identity"
	default:
		return !quick && !traced && r.title == "text"
	}
}

// limit bounds the rounds of what takes long.
func limit(s rounds.Settings, size int, quick bool) rounds.Settings {
	most := map[int]int{1000: 15, 10_000: 5, 100_000: 3}
	if quick {
		most = map[int]int{1000: 5, 10_000: 3, 100_000: 2}
	}
	s.Rounds = min(s.Rounds, most[size])
	return s
}

func goals(sec *figures.Section, what string, r request, results rounds.Results) {
	ours, google, upstream := results.Of(workload.Ours), results.Of(workload.ClientGolang), results.Of(workload.Upstream)
	kind := "scrape"
	if r.encoding != "identity" {
		kind = "scrape, " + r.encoding
	}
	sec.Ratio(kind+": time, to client_golang", what, rounds.Ratio(ours, google, nil), timeToClientGolang)
	sec.Ratio(kind+": bytes allocated, to client_golang", what, rounds.BytesRatio(ours, google), bytesToClientGolang)
	sec.Ratio(kind+": time, to the OTel exporter", what, rounds.Ratio(ours, upstream, nil), timeToUpstream)
}

func holding(traced bool) string {
	if traced {
		return "each with exemplars"
	}
	return "nothing sampled"
}

func first(i int, s string) string {
	if i == 0 {
		return s
	}
	return ""
}

func times(ratio float64) string {
	if ratio == 0 {
		return ""
	}
	return figures.Figure(ratio) + figures.Ratio
}
