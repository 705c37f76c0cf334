package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// readmePrometheus is README.md's configuration of Prometheus at the test's addresses, with the collector as
// another target. It scrapes twice a second and gives each series a label that tells which way it came.
func readmePrometheus(t *testing.T, metricsAddr, collectorOut string) config {
	t.Helper()
	c := parseConfig(t, atAddresses(t, readmeSnippet(t, "prometheus"), map[string]string{readmeMetrics: metricsAddr}))
	program := c.list("scrape_configs")
	for _, job := range program {
		for _, static := range job.list("static_configs") {
			static.at("labels")[wayLabel] = string(scraped)
		}
	}
	collector := config{
		"job_name":       "collector",
		"honor_labels":   true, // job and instance are those of the programs behind it
		"static_configs": []config{{"targets": []string{collectorOut}, "labels": config{wayLabel: string(fromCollector)}}},
	}
	c["scrape_configs"] = append(program, collector)
	c.at("global")["scrape_interval"] = "500ms"
	c.at("global")["scrape_timeout"] = "500ms"
	return c
}

// readmeCollector is README.md's configuration of the collector at the test's addresses.
func readmeCollector(t *testing.T, otlpAddr, collectorOut string) config {
	t.Helper()
	return parseConfig(t, atAddresses(t, readmeSnippet(t, "collector"), map[string]string{
		readmeOTLP:         otlpAddr,
		readmeCollectorOut: collectorOut,
	}))
}

// A newcomer copies the two snippets as they are.
func TestReadmeSnippetsAreValid(t *testing.T) {
	for _, tt := range []struct {
		name, program string
		args          []string
	}{
		{"prometheus", "promtool", []string{"check", "config"}},
		{"collector", "collector", []string{"validate", "--config"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), tt.name+".yml")
			if err := os.WriteFile(path, []byte(readmeSnippet(t, tt.name)), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(built(t, tt.program), append(tt.args, path)...).CombinedOutput(); err != nil {
				t.Errorf("%s %v: %v\n%s", tt.program, tt.args, err, out)
			}
		})
	}
}

func TestFencedBlock(t *testing.T) {
	const markdown = "# A\n```yaml one\na: 1\n```\ntext\n```yaml two\nb: 2\nc: 3\n```\n"
	for _, tt := range []struct{ name, want, reason string }{
		{"one", "a: 1\n", "the first block"},
		{"two", "b: 2\nc: 3\n", "not the first"},
	} {
		if got, err := fencedBlock(markdown, tt.name); got != tt.want || err != nil {
			t.Errorf("%s: %q, %v, want %q: %s", tt.name, got, err, tt.want, tt.reason)
		}
	}
	if _, err := fencedBlock(markdown, "three"); err == nil {
		t.Error("a block that is not there is found")
	}
}
