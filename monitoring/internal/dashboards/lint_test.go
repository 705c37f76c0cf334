package dashboards

import (
	"slices"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/internal/registry"
)

// The rules of the field's dashboard-linter, which can't be had as a Go module, and our own.
func TestRules(t *testing.T) {
	pages := readPages(t)
	for _, r := range slices.Concat(pageRules, targetRules) {
		t.Run(r.name, func(t *testing.T) {
			for _, name := range inOrder(pages) {
				for _, problem := range r.check(pages[name]) {
					t.Errorf("%s: %s", name, problem)
				}
			}
		})
	}
}

// A rule that finds nothing in a page that was made to break it holds nothing.
func TestRulesFindWhatBreaksThem(t *testing.T) {
	for _, r := range slices.Concat(pageRules, targetRules) {
		for name, p := range readPages(t) {
			r.spoil(p)
			if len(r.check(p)) == 0 {
				t.Errorf("%s finds nothing in a broken %s", r.name, name)
			}
		}
	}
}

// In the files themselves: every metric of the registry is in a panel.
func TestEveryMetricIsShown(t *testing.T) {
	var exprs strings.Builder
	for _, p := range readPages(t) {
		for _, panel := range p.shown() {
			for _, q := range panel.Targets {
				exprs.WriteString(q.Expr + "\n")
			}
		}
	}
	for _, m := range registry.Metrics() {
		name := m.Prometheus + "{"
		if m.Kind == registry.KindHistogram {
			name = m.Prometheus + "_bucket{"
		}
		if !strings.Contains(exprs.String(), name) {
			t.Errorf("%s is in no panel", m.Prometheus)
		}
	}
}

// What users had on the dashboard of the Python module is on the overview, in its rows.
func TestOverviewHasWhatUsersHad(t *testing.T) {
	row := ""
	have := make(map[string]bool)
	for _, p := range readPages(t)["overview.json"].Panels {
		if p.Type == "row" {
			row = p.Title
		}
		have[row+"/"+p.Type+"/"+p.Title] = true
	}
	for _, want := range []string{
		"Job Overview/timeseries/Jobs by status, per hour",
		"Job Overview/gauge/Jobs in progress",
		"Job Overview/stat/Success rate",
		"Performance/heatmap/Processing time: $stage",
		"Performance/timeseries/Processing ratio",
		"Performance/gauge/FFmpeg processes",
		"Costs/timeseries/Cost per hour by API",
		"Costs/stat/Total cost today",
		"Costs/gauge/Budget remaining",
		"Quality/bargauge/Loudness spread before normalization",
		"Quality/bargauge/Loudness spread after normalization",
		"Quality/bargauge/Highlight scores",
		"Quality/bargauge/Segments per video",
		"Errors/timeseries/Error rate by stage",
		"Errors/table/Error types",
	} {
		if !have[want] {
			t.Errorf("no %s", want)
		}
	}
}
