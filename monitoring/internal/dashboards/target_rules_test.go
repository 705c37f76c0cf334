package dashboards

import (
	"regexp"
	"slices"
	"strings"
)

// units are those that the dashboards use, of Grafana's.
var units = []string{"bytes", "cps", "currencyUSD", "percentunit", "s", "short"}

// birth is the one place where a counter is read without rate or increase: what a series is born with, see grown.
var birth = regexp.MustCompile(`\(min_over_time\((\w+\{[^}]*})\[\$__range]\) unless (\w+\{[^}]*}) offset \$__range\)`)

// withoutBirth takes it out of an expression.
func withoutBirth(expr string) string {
	return birth.ReplaceAllStringFunc(expr, func(s string) string {
		if m := birth.FindStringSubmatch(s); m[1] != m[2] {
			return s
		}
		return "0"
	})
}

var targetRules = []rule{
	{
		"panel-datasource-rule",
		func(p *page) (found []string) {
			other := func(t target) bool { return t.Datasource != prometheusSource }
			for _, panel := range p.shown() {
				if panel.Datasource != prometheusSource || slices.ContainsFunc(panel.Targets, other) {
					found = append(found, panel.Title)
				}
			}
			return found
		},
		func(p *page) { p.shown()[1].Targets[0].Datasource.UID = "prometheus" },
	},
	{
		"panel-title-description-rule",
		func(p *page) (found []string) {
			for _, panel := range p.Panels {
				if panel.Title == "" || panel.Type != "row" && !strings.HasSuffix(panel.Description, ".") {
					found = append(found, panel.Title)
				}
			}
			return found
		},
		func(p *page) { p.shown()[1].Description = "" },
	},
	{
		"panel-units-rule",
		func(p *page) (found []string) {
			for _, panel := range p.shown() {
				if !slices.Contains(units, panel.FieldConfig.Defaults.Unit) {
					found = append(found, panel.Title)
				}
			}
			return found
		},
		func(p *page) { p.shown()[1].FieldConfig.Defaults.Unit = "" },
	},
	{
		"numbers say from where on they are red",
		func(p *page) (found []string) {
			for _, panel := range p.shown() {
				number := panel.Type == "stat" || panel.Type == "gauge"
				if number && panel.FieldConfig.Defaults.Thresholds == nil {
					found = append(found, panel.Title)
				}
			}
			return found
		},
		func(p *page) {
			p.shown()[0].Type = "stat"
			p.shown()[0].FieldConfig.Defaults.Thresholds = nil
		},
	},
	{
		"panel-no-targets-rule",
		func(p *page) (found []string) {
			for _, panel := range p.shown() {
				if len(panel.Targets) == 0 {
					found = append(found, panel.Title)
				}
			}
			return found
		},
		func(p *page) { p.shown()[1].Targets = nil },
	},
	{
		"target-job-rule and target-instance-rule",
		func(p *page) []string {
			return p.eachTarget(func(_ *pagePanel, t target) string {
				for _, s := range selectors.FindAllStringSubmatch(t.Expr, -1) {
					if !strings.Contains(s[3], `job=~"$job"`) || !strings.Contains(s[3], `instance=~"$instance"`) {
						return "selects all jobs or instances"
					}
				}
				rest := selectors.ReplaceAllString(t.Expr, "")
				if regexp.MustCompile(`\b(up|(video_processing|gen_ai_client|otelcol|scrape|prometheus)_\w+)\b`).MatchString(rest) {
					return "a metric without matchers"
				}
				return ""
			})
		},
		spoilExpr(`sum(video_processing_jobs_in_progress)`),
	},
	{
		"target-rate-interval-rule",
		func(p *page) []string {
			return p.eachTarget(func(_ *pagePanel, t target) string {
				for _, s := range selectors.FindAllStringSubmatch(t.Expr, -1) {
					interval := s[4] == "[$__rate_interval]" || s[4] == "[$__range]" && s[1] != "rate("
					if s[4] != "" && !interval {
						return "a range of its own"
					}
				}
				return ""
			})
		},
		spoilExpr(`rate(video_processing_jobs_total{job=~"$job", instance=~"$instance"}[$__range])`),
	},
	{
		"target-counter-agg-rule",
		func(p *page) []string {
			return p.eachTarget(func(_ *pagePanel, t target) string {
				for _, s := range selectors.FindAllStringSubmatch(withoutBirth(t.Expr), -1) {
					counter := regexp.MustCompile(`_(total|bucket|count|sum)$`).MatchString(s[2])
					if counter && s[1] != "rate(" && s[1] != "increase(" {
						return "a counter outside of rate and increase"
					}
				}
				return ""
			})
		},
		spoilExpr(`(min_over_time(video_processing_jobs_total{}[$__range]) unless some_total{} offset $__range)`),
	},
	{
		"exemplars on counters and histograms over time",
		func(p *page) []string {
			return p.eachTarget(func(_ *pagePanel, t target) string {
				counts := regexp.MustCompile(`(rate|increase)\((video|gen_ai)_`).MatchString(t.Expr)
				if t.Exemplar != (counts && !t.Instant) || t.Range == t.Instant {
					return "exemplar or instant is wrong"
				}
				return ""
			})
		},
		func(p *page) { p.shown()[0].Targets[0].Exemplar = !p.shown()[0].Targets[0].Exemplar },
	},
	{
		"no NaN when idle: denominators and quantiles have a guard",
		func(p *page) []string {
			return p.eachTarget(func(_ *pagePanel, t target) string {
				for i := range t.Expr {
					if rest, ok := strings.CutPrefix(t.Expr[i:], " / "); ok && !strings.HasSuffix(parenthesised(rest), "> 0)") {
						return "divides by what may be 0"
					}
				}
				if strings.Contains(t.Expr, "histogram_quantile(") && !strings.HasSuffix(t.Expr, " >= 0") {
					return "a quantile of nothing is NaN"
				}
				return ""
			})
		},
		spoilExpr(`sum(rate(a[1m])) / sum(rate(b[1m]) > 0)`),
	},
	{
		"buckets are added up by their bound, with le in both spellings",
		func(p *page) []string {
			return p.eachTarget(func(_ *pagePanel, t target) string {
				merged := strings.Contains(t.Expr, `"le", "$1", "le", "(.+)\\.0"`)
				merged = merged || strings.HasPrefix(t.Expr, "histogram_quantile(")
				labeled := (t.Format == "heatmap") == (t.LegendFormat == "{{le}}")
				if strings.Contains(t.Expr, "_bucket{") && !merged || !labeled {
					return "2 and 2.0 are two buckets"
				}
				return ""
			})
		},
		spoilExpr(`sum by (le) (increase(video_processing_ratio_bucket{job=~"$job"}[$__rate_interval]))`),
	},
	{
		"a dial over time has a sample at its end",
		func(p *page) []string {
			return p.eachTarget(func(panel *pagePanel, t target) string {
				if panel.Type == "gauge" && t.Range && !strings.HasSuffix(t.Expr, " or vector(0)") {
					return "shows what was, long after"
				}
				return ""
			})
		},
		func(p *page) {
			p.shown()[0].Type = "gauge"
			spoilExpr(`sum(video_processing_jobs_in_progress{job=~"$job", instance=~"$instance"})`)(p)
		},
	},
	{
		"series of single jobs at one instant alone",
		func(p *page) []string {
			return p.eachTarget(func(_ *pagePanel, t target) string {
				if strings.Contains(t.Expr, "job_id") && !t.Instant {
					return "shows every job that ever ran"
				}
				return ""
			})
		},
		spoilExpr(`sum by (job_id) (video_processing_job_cost_usd{job=~"$job", instance=~"$instance"})`),
	},
	{
		"jobs are added up by status, or of some statuses",
		func(p *page) []string {
			return p.eachTarget(func(_ *pagePanel, t target) string {
				once := strings.Contains(t.Expr, "by (status)") || strings.Contains(t.Expr, `status=~"completed|failed"`)
				if strings.Contains(t.Expr, "video_processing_jobs_total") && !once {
					return "counts a job several times"
				}
				return ""
			})
		},
		spoilExpr(`sum(rate(video_processing_jobs_total{job=~"$job", instance=~"$instance"}[$__rate_interval]))`),
	},
	{
		"a gain in decibels is never added up",
		func(p *page) []string {
			return p.eachTarget(func(_ *pagePanel, t target) string {
				if strings.Contains(t.Expr, "normalization_db_sum") {
					return "gains of both signs cancel out"
				}
				return ""
			})
		},
		spoilExpr(`sum(rate(video_processing_audio_normalization_db_sum{job=~"$job"}[$__rate_interval]))`),
	},
}

// parenthesised is the group in parentheses that s begins with, or the empty string.
func parenthesised(s string) string {
	depth := 0
	for i, r := range s {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			return s[:i+1]
		}
	}
	return ""
}
