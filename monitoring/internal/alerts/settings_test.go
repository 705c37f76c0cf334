package alerts

import (
	"strings"
	"testing"
)

func load(t *testing.T, text string) Settings {
	t.Helper()
	s, err := Load(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// find returns the generated rule of an alert.
func find(t *testing.T, s Settings, alert string) (Rule, bool) {
	t.Helper()
	groups, err := Groups(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		for _, r := range g.Rules {
			if r.Alert == alert {
				return r, true
			}
		}
	}
	return Rule{}, false
}

func TestLoadOverridesWhatItNames(t *testing.T) {
	s := load(t, `
jobs: {worker: editor|renderer}
monthly_budget: 250
alerts:
  HighAPICost: {threshold: 5, window: 90m, for: 120s, severity: critical}
`)
	r, _ := find(t, s, "HighAPICost")
	if want := "sum by (job) (increase(video_processing_cost_usd_total[1h30m])) > 5\n"; r.Expr != want {
		t.Errorf("expr is %q, want %q", r.Expr, want)
	}
	if r.For != "2m" || r.Labels["severity"] != "critical" {
		t.Errorf("for is %q, severity %q", r.For, r.Labels["severity"])
	}
	want := "${{ printf \"%.2f\" $value }} were spent in the last 1h30m (limit $5)."
	if r.Annotations["description"] != want {
		t.Errorf("description is %q", r.Annotations["description"])
	}
	if r, _ := find(t, s, "VideoProcessingMonthlyBudgetSpent"); !strings.Contains(r.Expr, "/ 250 > 0.9") {
		t.Errorf("the budget is not in %q", r.Expr)
	}
	if r, _ := find(t, s, "BudgetExceeded"); !strings.Contains(r.Expr, "> 5") || !strings.Contains(r.Expr, "[1h]") {
		t.Errorf("what was not named has changed: %q", r.Expr)
	}
	if r, _ := find(t, s, "VideoProcessingTargetAbsent"); !strings.Contains(r.Expr, `absent(up{job="editor"})`) ||
		!strings.Contains(r.Expr, `or absent(up{job="renderer"})`) {
		t.Errorf("the names are not told apart in %q", r.Expr)
	}
}

func TestLoadTurnsOff(t *testing.T) {
	s := load(t, "alerts: {VideoProcessingCollectorQueueFull: {enabled: false}}")
	if _, ok := find(t, s, "VideoProcessingCollectorQueueFull"); ok {
		t.Error("the alert is there")
	}
	if _, ok := find(t, s, "VideoProcessingCollectorRefusing"); !ok {
		t.Error("another alert is gone")
	}
}

func TestLoadOfNothingIsTheDefault(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "alerts:\n", "alerts: {HighAPICost: }\n"} {
		if r, _ := find(t, load(t, text), "HighAPICost"); !strings.Contains(r.Expr, "> 20") {
			t.Errorf("%q gives %q", text, r.Expr)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	tests := []struct {
		reason, text string
		want         []string // parts of the error: key, value, what is allowed
	}{
		{"an alert's name is misspelt", "alerts: {HighErorRate: {min: 1}}",
			[]string{"line 1: alerts.HighErorRate: unknown alert; allowed: BudgetExceeded, HighAPICost, HighErrorRate,"}},
		{"a key is misspelt", "alerts: {HighAPICost: {treshold: 1}}",
			[]string{"alerts.HighAPICost.treshold: unknown key; allowed: enabled, for, severity, threshold, window"}},
		{"a key that another alert has", "alerts: {HighAPICost: {quantile: 0.5}}",
			[]string{"alerts.HighAPICost.quantile: unknown key"}},
		{"a key of the top level", "budget: 5",
			[]string{"budget: unknown key; allowed: alerts, burn_rates, jobs, monthly_budget"}},
		{"a duration without a unit", "alerts: {HighAPICost: {window: 60}}",
			[]string{`alerts.HighAPICost.window: "60" is no duration, as in 30s, 5m`}},
		{"Go's duration", "alerts: {HighAPICost: {for: 1.5h}}",
			[]string{`alerts.HighAPICost.for: "1.5h" is no duration`}},
		{"an empty window", "alerts: {HighAPICost: {window: 0s}}",
			[]string{`alerts.HighAPICost.window: "0s"; allowed: a duration above 0`}},
		{"a negative threshold", "alerts: {HighAPICost: {threshold: -1}}",
			[]string{`alerts.HighAPICost.threshold: "-1"; allowed: a number from 0 up`}},
		{"not a number", "alerts: {HighAPICost: {threshold: .nan}}", []string{`threshold: ".nan"; allowed`}},
		{"NaN, which is not below zero", "alerts: {HighAPICost: {threshold: NaN}}",
			[]string{`threshold: "NaN"; allowed`}},
		{"a word", "alerts: {HighAPICost: {threshold: high}}", []string{`threshold: "high"; allowed: a number`}},
		{"a severity that nobody routes", "alerts: {HighAPICost: {severity: page}}",
			[]string{`severity: "page"; allowed: critical, warning, info, none`}},
		{"a percentage", "alerts: {VideoProcessingJobErrorRatioHigh: {threshold: 5}}",
			[]string{"alerts.VideoProcessingJobErrorRatioHigh.threshold: 5; allowed: a share below 1"}},
		{"an objective of 100 %", "alerts: {VideoProcessingJobSuccessBurn: {objective: 1}}",
			[]string{`objective: "1"; allowed: a number between 0 and 1`}},
		{"between two boundaries of the ratio", "alerts: {HighProcessingRatio: {threshold: 1.9}}",
			[]string{"alerts.HighProcessingRatio.threshold: 1.9 is no boundary of video_processing_ratio that can be exceeded" +
				"; allowed: [0.1 0.25 0.5 0.75 1 1.25 1.5 1.8 2 2.5 3 5]"}},
		{"the highest boundary, above which no quantile is", "alerts: {VideoProcessingLoudnessSpreadHigh: {threshold: 20}}",
			[]string{"alerts.VideoProcessingLoudnessSpreadHigh.threshold: 20 is no boundary of"}},
		{"between two boundaries of the loudness spread", "alerts: {VideoProcessingLoudnessSpreadHigh: {threshold: 5}}",
			[]string{"alerts.VideoProcessingLoudnessSpreadHigh.threshold: 5 is no boundary of " +
				"video_processing_audio_loudness_spread_lu"}},
		{"between two boundaries of a job's ratio", "alerts: {VideoProcessingJobRatioBurn: {threshold: 4}}",
			[]string{"alerts.VideoProcessingJobRatioBurn.threshold: 4 is no boundary of video_processing_job_ratio"}},
		{"an objective that a factor can't miss", "alerts: {VideoProcessingJobSuccessBurn: {objective: 0.9}}",
			[]string{"alerts.VideoProcessingJobSuccessBurn.objective: 0.9" +
				"; with burn_rates.page_fast.factor 14.4 it never fires; allowed: above 0.9306"}},
		{"a short window that is long", "burn_rates: {page_fast: {short: 2h}}",
			[]string{"burn_rates.page_fast.short: 2h; allowed: below long, which is 1h"}},
		{"two burn rates with one long window", "burn_rates: {page_slow: {long: 1h, short: 5m}}",
			[]string{"burn_rates.page_slow.long: 1h, as in page_fast"}},
		{"a window past the period", "period: 2d",
			[]string{"burn_rates.ticket_slow.long: 3d; allowed: below period, which is 2d"}},
		{"the pace's windows swapped", "alerts: {VideoProcessingCostBurn: {short: 2d}}",
			[]string{"alerts.VideoProcessingCostBurn.short: 2d; allowed: below window, which is 1d"}},
		{"a budget of nothing", "monthly_budget: 0", []string{`monthly_budget: "0"; allowed: a number above 0`}},
		{"no regular expression", "jobs: {worker: 'a('}", []string{`jobs.worker: "a("; allowed: a regular expression`}},
		{"no name at all", "jobs: {worker: ''}", []string{`jobs.worker: ""; allowed`}},
		{"no address", "runbooks: docs/runbooks",
			[]string{`runbooks: "docs/runbooks"; allowed: an http or https address`}},
		{"a yes", "alerts: {HighAPICost: {enabled: yes}}", []string{`enabled: "yes"; allowed: true, false`}},
		{"a list", "alerts: [HighAPICost]", []string{"alerts: ", "allowed: keys with values"}},
		{"a map where a value belongs", "monthly_budget: {usd: 5}",
			[]string{"monthly_budget: a list or a map; allowed: one value"}},
		{"a key twice", "period: 30d\nperiod: 31d", []string{"line 2: period: given twice"}},
		{"two documents", "period: 30d\n---\nperiod: 31d", []string{"a second document"}},
		{"no YAML", "a: b: c", []string{"mapping values"}},
		{"several mistakes at once", "alerts: {HighAPICost: {threshold: -1, window: x}, Nope: {}}",
			[]string{"HighAPICost.threshold", "HighAPICost.window", "alerts.Nope"}},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			_, err := Load(strings.NewReader(tt.text))
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the error says\n%v\nand not %q", err, part)
				}
			}
		})
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]string{
		"5m": "5m", "90m": "1h30m", "1h30m": "1h30m", "24h": "1d", "2w": "14d", "30d": "30d", "0s": "0s", "1500ms": "1s500ms",
	} {
		d, err := ParseDuration(text)
		if err != nil || d.String() != want {
			t.Errorf("%q is %q, %v, want %q", text, d, err, want)
		}
	}
	for _, text := range []string{"", "5", "m", "5m1h", "-5m", "5 m", "1y", "999999999999w", "100000w"} {
		if d, err := ParseDuration(text); err == nil {
			t.Errorf("%q is %q, want an error", text, d)
		}
	}
}
