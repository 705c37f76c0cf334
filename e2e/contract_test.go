package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/internal/registry"
)

// settleWithin is how long the slower ways may take to show what the program last recorded.
const settleWithin = 3 * time.Minute

// testThreeWays: a user's dashboard shows the same whether Prometheus scrapes the program, or a collector to
// which it pushes, or receives the push itself; and it is what the program shows.
func testThreeWays(t *testing.T, p prometheus, e editor) {
	var all map[way]snapshot
	var diffs []string
	for deadline := time.Now().Add(settleWithin); ; time.Sleep(time.Second) {
		all = snapshots(t, p)
		for _, seen := range all {
			seen.forgetJobs(e.jobs)
		}
		if diffs = differences(all, exposed(t, e.metricsURL)); len(diffs) == 0 || time.Now().After(deadline) {
			break
		}
	}
	if len(diffs) > 0 {
		t.Errorf("%d series differ:\n%s", len(diffs), strings.Join(diffs, "\n"))
	}
	for from, series := range all {
		for _, m := range registry.Metrics() {
			if m.Stable {
				t.Run(from.String()+"/"+m.Prometheus, func(t *testing.T) { checkMetric(t, series, m) })
			}
		}
	}
}

// forgetJobs takes out the series of each job that did not complete: it was shown only while it was alive,
// which for a file that is no video is less than the time from one scrape or push to the next. A completed job
// was alive for seconds after its last paid call.
func (all snapshot) forgetJobs(jobs []jobReport) {
	for _, job := range jobs {
		if job.Status == "completed" {
			continue
		}
		maps.DeleteFunc(all, func(_ string, s sample) bool { return string(s.labels["job_id"]) == job.ID })
	}
}

// differences are those of each way against the scrape, in both directions, and of the scrape against page,
// which the program shows: Prometheus remembers more, the series of jobs that have ended.
func differences(all map[way]snapshot, page snapshot) []string {
	var diffs []string
	compare := func(title string, want, got snapshot) {
		for _, diff := range difference(want, got) {
			diffs = append(diffs, title+": "+diff)
		}
	}
	compare("scraped, against what the program shows", page, all[scraped])
	for _, other := range []way{fromCollector, pushed} {
		compare(fmt.Sprintf("%v, against the scrape", other), all[scraped], all[other])
		compare(fmt.Sprintf("the scrape, against %v", other), all[other], all[scraped])
	}
	return diffs
}

// checkMetric: the metric is there with its type and labels, and the run has left a trace in it.
func checkMetric(t *testing.T, all snapshot, m registry.Metric) {
	found, alive := false, false
	for _, s := range all {
		if s.family() != m.Prometheus {
			continue
		}
		found = true
		alive = alive || s.value != 0
		if want := m.Kind.PrometheusType(); s.typ != want {
			t.Errorf("%v is a %s, want a %s", s, s.typ, want)
		}
		if got, want := s.labelNames(), m.Labels(); !slices.Equal(got, want) {
			t.Errorf("%v has the labels %q, want %q", s, got, want)
		}
	}
	atRest := m.Kind == registry.KindUpDownCounter && !holdsOn[m.Prometheus]
	switch {
	case !found:
		t.Error("no series")
	case !alive && !atRest:
		t.Error("every series is 0 after a run with completed, failed and refused work")
	}
}

// holdsOn are the up-down counters that are not 0 when the jobs have ended. All others count what goes on at the moment.
var holdsOn = map[string]bool{
	"video_processing_database_connections": true,
	"video_processing_redis_connections":    true,
}
