package alerts

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/internal/registry"
)

// all calls check with every rule.
func all(t *testing.T, check func(group string, r Rule)) {
	t.Helper()
	groups, err := Groups(Default())
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		for _, r := range g.Rules {
			check(g.Name, r)
		}
	}
}

var (
	alertName     = regexp.MustCompile(`^VideoProcessing[A-Z][A-Za-z]+$`)
	usersNames    = []string{"HighErrorRate", "HighProcessingRatio", "BudgetExceeded", "HighAPICost"}
	recordingName = regexp.MustCompile(`^job:video_processing_[a-z_]+:(ratio_rate|ratio_increase|increase)(\d+[mhd])+$`)
	labelRef      = regexp.MustCompile(`\$labels\.([a-z_]+)`)
	byClause      = regexp.MustCompile(`\bby \(([^)]*)\)`)
)

// withoutValue are alerts of what is absent: their value is always 1, and 1 of nothing.
var withoutValue = []string{"VideoProcessingTargetAbsent", "VideoProcessingTelemetryAbsent"}

func TestAlertsAreComplete(t *testing.T) {
	seen := map[string]bool{}
	all(t, func(_ string, r Rule) {
		if r.Alert == "" {
			return
		}
		seen[r.Alert] = true
		if !alertName.MatchString(r.Alert) && !slices.Contains(usersNames, r.Alert) {
			t.Errorf("%s lacks the prefix", r.Alert)
		}
		if r.Labels["severity"] == "" {
			t.Errorf("%s has no severity", r.Alert)
		}
		summary, description := r.Annotations["summary"], r.Annotations["description"]
		if summary == "" || description == "" {
			t.Errorf("%s says nothing", r.Alert)
		}
		if !slices.Contains(withoutValue, r.Alert) && !strings.Contains(description, "$value") {
			t.Errorf("%s does not tell its value: %s", r.Alert, description)
		}
		if want := "README.md#" + strings.ToLower(r.Alert); !strings.HasSuffix(r.Annotations["runbook_url"], want) {
			t.Errorf("%s has the runbook %s", r.Alert, r.Annotations["runbook_url"])
		}
		for _, match := range labelRef.FindAllStringSubmatch(summary+description, -1) {
			if label := match[1]; label != "job" && !slices.Contains(groupedBy(r.Expr), label) {
				t.Errorf("%s tells label %s, which its expression drops", r.Alert, label)
			}
		}
	})
	for name := range Default().alerts {
		if !seen[name] {
			t.Errorf("settings.yml has %s, and no rule does", name)
		}
	}
	for _, name := range usersNames {
		if !seen[name] {
			t.Errorf("the users' alert %s is gone", name)
		}
	}
}

// groupedBy are the labels that an expression keeps somewhere.
func groupedBy(expr string) []string {
	var labels []string
	for _, match := range byClause.FindAllStringSubmatch(expr, -1) {
		labels = append(labels, strings.Split(match[1], ", ")...)
	}
	return labels
}

func TestRecordingRules(t *testing.T) {
	recorded := map[string]bool{}
	all(t, func(_ string, r Rule) {
		if r.Record == "" {
			return
		}
		if !recordingName.MatchString(r.Record) {
			t.Errorf("%s is not level:metric:operations", r.Record)
		}
		if recorded[r.Record] {
			t.Errorf("%s is recorded twice", r.Record)
		}
		recorded[r.Record] = true
	})
	all(t, func(_ string, r Rule) {
		for _, name := range regexp.MustCompile(`job:[a-z0-9_:]+`).FindAllString(r.Expr, -1) {
			if !recorded[name] {
				t.Errorf("%s reads %s, which nothing records", r.Alert, name)
			}
		}
	})
}

// A threshold on a histogram is one of its boundaries: looked up in the finished expressions.
func TestThresholdsAreBoundaries(t *testing.T) {
	quantile := regexp.MustCompile(`(?s)histogram_quantile\(.*?([a-z_]+)_bucket.*?\n\) > ([0-9.]+)`)
	bucket := regexp.MustCompile(`([a-z_]+)_bucket\{[^}]*le=~?"([0-9.]+)`)
	found := 0
	all(t, func(_ string, r Rule) {
		quantiles, buckets := quantile.FindAllStringSubmatch(r.Expr, -1), bucket.FindAllStringSubmatch(r.Expr, -1)
		for _, match := range slices.Concat(quantiles, buckets) {
			found++
			threshold, err := strconv.ParseFloat(strings.TrimSuffix(match[2], "("), 64)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(registry.Metrics(), func(m registry.Metric) bool { return m.Prometheus == match[1] })
			if i < 0 || !slices.Contains(registry.Metrics()[i].Buckets, threshold) {
				t.Errorf("%s%s: %v is no boundary of %s", r.Alert, r.Record, threshold, match[1])
			}
		}
		if strings.Contains(r.Expr, "histogram_quantile") && !quantile.MatchString(r.Expr) {
			t.Errorf("%s: the threshold of the quantile was not found", r.Alert)
		}
	})
	if found < 10 {
		t.Errorf("found %d thresholds", found)
	}
}

// Each number of settings.yml is in a rule: one that changes nothing would lie to whoever sets it.
func TestEveryNumberIsUsed(t *testing.T) {
	before := generated(t, Default())
	var changed int
	for name, own := range Default().alerts {
		for key, v := range own {
			s := Default()
			switch v := v.(type) {
			case float64:
				s.alerts[name][key] = v + 0.001
				if boundary, ok := boundaries[name]; ok && key == "threshold" {
					m, _ := findMetric(boundary)
					s.alerts[name][key] = m.Buckets[0]
				}
			case Duration:
				s.alerts[name][key] = v + 60e9
			case string:
				s.alerts[name][key] = "changed"
			case bool:
				s.alerts[name][key] = !v
			}
			changed++
			if generated(t, s) == before {
				t.Errorf("alerts.%s.%s changes nothing", name, key)
			}
		}
	}
	for name, own := range Default().burnRates {
		for key, v := range own {
			s := Default()
			switch v := v.(type) {
			case float64:
				s.burnRates[name][key] = v + 0.001
			case Duration:
				s.burnRates[name][key] = v + 60e9
			case string:
				s.burnRates[name][key] = "changed"
			}
			changed++
			if generated(t, s) == before {
				t.Errorf("burn_rates.%s.%s changes nothing", name, key)
			}
		}
	}
	if changed < 100 {
		t.Errorf("tried %d numbers", changed)
	}
}

func generated(t *testing.T, s Settings) string {
	t.Helper()
	files, err := Generate(s)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s%s", files["recording-rules.yml"], files["alerts.yml"])
}
