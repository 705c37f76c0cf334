package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// readmePrometheus is README.md's prometheus.yml at the test's addresses, scraping twice a second, with a
// label that tells which way a series came.
func readmePrometheus(t *testing.T, metricsAddr, collectorOut string) config {
	t.Helper()
	text := atAddresses(t, readmeSnippet(t, "prometheus.yml"), map[string]string{
		readmeMetrics:      metricsAddr,
		readmeCollectorOut: collectorOut,
	})
	c := parseConfig(t, text)
	ways := map[string]way{metricsAddr: scraped, collectorOut: fromCollector}
	for _, scrape := range c.list("scrape_configs") {
		scrape["scrape_interval"] = "500ms"
		scrape["scrape_timeout"] = "500ms"
		for _, static := range scrape.list("static_configs") {
			targets, _ := static["targets"].([]any)
			if len(targets) != 1 {
				t.Fatalf("README.md's prometheus.yml: targets %v, want one per job", targets)
			}
			target, _ := targets[0].(string)
			static.at("labels")[wayLabel] = string(ways[target])
		}
	}
	return c
}

// readmeCollector is README.md's collector.yml at the test's addresses.
func readmeCollector(t *testing.T, otlpAddr, collectorOut string) config {
	t.Helper()
	return parseConfig(t, atAddresses(t, readmeSnippet(t, "collector.yml"), map[string]string{
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
		{"prometheus.yml", "promtool", []string{"check", "config"}},
		{"collector.yml", "collector", []string{"validate", "--config"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), tt.name)
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
	const markdown = "# A\n```yaml\n# one.yml\na: 1\n```\ntext\n```yaml\n# two.yml\nb: 2\nc: 3\n```\n"
	for _, tt := range []struct{ name, want, reason string }{
		{"one.yml", "a: 1\n", "the first block"},
		{"two.yml", "b: 2\nc: 3\n", "not the first"},
	} {
		if got, err := fencedBlock(markdown, tt.name); got != tt.want || err != nil {
			t.Errorf("%s: %q, %v, want %q: %s", tt.name, got, err, tt.want, tt.reason)
		}
	}
	if _, err := fencedBlock(markdown, "three.yml"); err == nil {
		t.Error("a block that is not there is found")
	}
}
