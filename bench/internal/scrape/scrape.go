// Package scrape times a scrape: what a handler does between the request and the last byte of its answer.
package scrape

import (
	"fmt"

	"github.com/stagemeter/stagemeter/bench/internal/corpus"
	"github.com/stagemeter/stagemeter/bench/internal/page"
	"github.com/stagemeter/stagemeter/bench/internal/report"
	"github.com/stagemeter/stagemeter/bench/internal/rounds"
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
	return rival != corpus.Victoria || r.format == page.Text && r.encoding == "identity"
}

// Goals of a scrape.
const (
	timeToClientGolang  = 1.0 / 5
	bytesToClientGolang = 1.0 / 20
	timeToUpstream      = 1.0 / 10
)

// Measure checks that the rivals answer the same, and times them.
func Measure(s rounds.Settings, quick bool) (report.Section, error) {
	sec := report.Section{Name: "scrape", Title: "A scrape", Intro: "One scrape of the handler of each, answered into a writer that counts the bytes and " +
		"drops them. Half of the series are counters, half histograms of 12 boundaries, with one or two labels. A tenth of " +
		"them changes between two scrapes, outside of the clock. Exemplars are on, as by default: first nothing is sampled, " +
		"then every series holds exemplars of a sampled span."}
	for _, size := range []int{1000, 10_000, 100_000} {
		for _, traced := range []bool{false, true} {
			if err := measure(&sec, s, size, traced, quick); err != nil {
				return sec, err
			}
		}
	}
	return sec, nil
}

func measure(sec *report.Section, s rounds.Settings, size int, traced, quick bool) error {
	c := corpus.New(size)
	stores, err := open(c, traced)
	defer stores.close()
	if err != nil {
		return err
	}
	t := report.Table{
		Title:   fmt.Sprintf("%d series, %s", size, holding(traced)),
		Columns: []string{"answer", "rival", "time", "ratio", "allocated", "ratio", "allocs", "body", "exemplars"},
	}
	for _, r := range requests {
		if skip(r, size, traced, quick) {
			continue
		}
		exemplars, err := stores.compare(r, traced)
		if err != nil {
			return fmt.Errorf("scrape: %s, %s: %w", t.Title, r.title, err)
		}
		one := s
		if size == 100_000 { // a turn is one scrape, of up to a second: the rounds would take too long
			one.Rounds = min(s.Rounds, 3)
		}
		results, sizes := stores.time(one, r)
		for i, res := range results {
			t.Add(first(i, r.title), res.Name, report.Times(res.Nanos()), times(rounds.Ratio(results.Of(corpus.Ours), &res, nil)),
				report.Bytes(res.Bytes().Median), times(rounds.BytesRatio(results.Of(corpus.Ours), &res)),
				report.Figure(float64(int(res.Allocs().Median))), report.Bytes(float64(sizes[res.Name])), fmt.Sprint(exemplars[res.Name]))
		}
		goals(sec, t.Title+", "+r.title, r, results)
	}
	sec.Tables = append(sec.Tables, t)
	return nil
}

// skip leaves out what a quick run has no time for.
func skip(r request, size int, traced, quick bool) bool {
	switch {
	case !quick || size < 10_000:
		return false
	case size == 10_000:
		return r.format == page.Text && r.encoding != "identity"
	default:
		return r.encoding == "zstd" || (r.encoding == "gzip") != traced
	}
}

func goals(sec *report.Section, what string, r request, results rounds.Results) {
	ours, google, upstream := results.Of(corpus.Ours), results.Of(corpus.ClientGolang), results.Of(corpus.Upstream)
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
	return report.Figure(ratio) + report.Ratio
}
