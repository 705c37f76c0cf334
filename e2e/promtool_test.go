package e2e

import (
	"bytes"
	"os/exec"
	"testing"
)

// testPromtool: the page that users scrape passes Prometheus's own linter, without an exception.
func testPromtool(t *testing.T, e editor) {
	_, body := scrape(t, e.metricsURL, textFormat)
	cmd := exec.Command(built(t, "promtool"), "check", "metrics")
	cmd.Stdin = bytes.NewReader(body)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
