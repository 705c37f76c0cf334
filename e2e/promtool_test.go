package e2e

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// lintExceptions are the findings of `promtool check metrics` that stand, each with its reason. A finding is
// known by the beginning of its line.
var lintExceptions = []struct{ finding, reason string }{}

// testPromtool: the page that users scrape passes Prometheus's own linter.
func testPromtool(t *testing.T, e editor) {
	_, body := scrape(t, e.metricsURL, textFormat)
	cmd := exec.Command(built(t, "promtool"), "check", "metrics")
	cmd.Stdin = bytes.NewReader(body)
	out, err := cmd.CombinedOutput()

	findings := strings.Split(strings.TrimSpace(string(out)), "\n")
	findings = slices.DeleteFunc(findings, func(s string) bool { return s == "" })
	for _, allowed := range lintExceptions {
		i := slices.IndexFunc(findings, func(s string) bool { return strings.HasPrefix(s, allowed.finding) })
		if i < 0 {
			t.Errorf("the exception %q (%s) is not needed any more", allowed.finding, allowed.reason)
			continue
		}
		findings = slices.Delete(findings, i, i+1)
	}
	if len(findings) > 0 || err != nil && len(lintExceptions) == 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, strings.Join(findings, "\n"))
	}
}
