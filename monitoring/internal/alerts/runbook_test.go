package alerts

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/internal/registry"
)

// Every alert has a runbook with a query, every runbook has an alert.
func TestRunbooks(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "runbooks", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	runbooks := map[string]string{}
	for _, section := range strings.Split("\n"+string(text), "\n## ")[1:] {
		heading, body, _ := strings.Cut(section, "\n")
		runbooks[heading] = body
	}
	names := map[string]bool{}
	all(t, func(_ string, r Rule) {
		if r.Alert == "" || names[r.Alert] {
			return
		}
		names[r.Alert] = true
		body, ok := runbooks[r.Alert]
		if !ok {
			t.Errorf("%s has no runbook", r.Alert)
			return
		}
		for _, part := range []string{"**Means**", "**Look**", "**Do**", "```promql\n"} {
			if !strings.Contains(body, part) {
				t.Errorf("the runbook of %s lacks %q", r.Alert, part)
			}
		}
	})
	for heading := range runbooks {
		if !names[heading] {
			t.Errorf("the runbook %s has no alert", heading)
		}
	}
}

// docs/alerts/README.md lists the alerts of each group, in their order.
func TestAlertsAreListed(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "alerts", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	groups := map[string][]string{}
	all(t, func(group string, r Rule) {
		if name := strings.TrimPrefix(r.Alert, "VideoProcessing"); name != "" && !slices.Contains(groups[group], name) {
			groups[group] = append(groups[group], name)
		}
	})
	for group, names := range groups {
		_, row, _ := strings.Cut(string(text), "\n| `"+group+"` |")
		_, list, _ := strings.Cut(row, "|")
		list, _, _ = strings.Cut(list, "|")
		got := strings.TrimSpace(strings.ReplaceAll(list, "VideoProcessing: ", ""))
		if want := strings.Join(names, ", "); got != want {
			t.Errorf("%s lists\n%s, want\n%s", group, got, want)
		}
	}
}

// The queries of the runbooks name metrics and labels that there are.
func TestRunbookQueriesNameRealMetrics(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "runbooks", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]registry.Metric{}
	for _, m := range registry.Metrics() {
		known[m.Prometheus] = m
	}
	recorded := map[string]bool{}
	all(t, func(_ string, r Rule) { recorded[r.Record] = true })
	selectors := regexp.MustCompile(`(?:\b|:)(job:)?(video_processing_[a-z_]+(?::[a-z0-9_]+)?)(?:\{([^}]*)\})?`)
	found := 0
	for _, block := range regexp.MustCompile("(?s)```promql\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		for _, match := range selectors.FindAllStringSubmatch(block[1], -1) {
			found++
			if match[1] != "" {
				if !recorded[match[1]+match[2]] {
					t.Errorf("nothing records %s", match[1]+match[2])
				}
				continue
			}
			name := match[2]
			for _, suffix := range []string{"_bucket", "_count", "_sum"} {
				if m, ok := known[strings.TrimSuffix(name, suffix)]; ok && m.Kind == registry.KindHistogram {
					name = m.Prometheus
				}
			}
			m, ok := known[name]
			if !ok {
				t.Errorf("there is no metric %s", name)
				continue
			}
			for _, label := range regexp.MustCompile(`([a-z_]+)(?:=~|!~|!=|=)"`).FindAllStringSubmatch(match[3], -1) {
				if !slices.Contains(foreign, label[1]) &&
					!slices.ContainsFunc(m.Attributes, func(a registry.Attribute) bool { return a.Label == label[1] }) {
					t.Errorf("%s has no label %s", name, label[1])
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("found %d metrics", found)
	}
}
