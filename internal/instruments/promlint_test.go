package instruments

import (
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
)

// lintExceptions are the findings of promlint that stand, because the names
// are a contract: users have dashboards on them.
var lintExceptions = []struct {
	metric, text, reason string
}{}

func TestPromlint(t *testing.T) {
	var families []*dto.MetricFamily
	for name, family := range scrape(t) {
		if name != "target_info" { // of the exporter, not of the registry
			families = append(families, family)
		}
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	seen := make([]bool, len(lintExceptions))
	for _, p := range problems {
		i := slices.IndexFunc(lintExceptions, func(e struct{ metric, text, reason string }) bool {
			return e.metric == p.Metric && strings.Contains(p.Text, e.text)
		})
		if i < 0 {
			t.Errorf("%s: %s", p.Metric, p.Text)
			continue
		}
		seen[i] = true
	}
	for i, e := range lintExceptions {
		if !seen[i] {
			t.Errorf("%s: the exception %q (%s) is no longer needed", e.metric, e.text, e.reason)
		}
	}
}
