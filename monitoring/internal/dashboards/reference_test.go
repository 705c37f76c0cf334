package dashboards

import (
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/internal/registry"
)

func TestExpand(t *testing.T) {
	const chosen = `job=~"$job", instance=~"$instance"`
	names := newCatalog(registry.Metrics())
	for _, tt := range []struct {
		reason, expr, legend string
		want, err            string
	}{
		{
			"a metric without matchers", `sum(@jobs_in_progress)`, "",
			`sum(video_processing_jobs_in_progress{` + chosen + `})`, "",
		},
		{
			"matchers follow those of the variables", `rate(@jobs{status="failed"}[5m])`, "{{status}}",
			`rate(video_processing_jobs_total{` + chosen + `, status="failed"}[5m])`, "",
		},
		{
			"a histogram's buckets have le", `sum by (stage, le) (@duration:bucket)`, "{{le}}",
			`sum by (stage, le) (video_processing_duration_seconds_bucket{` + chosen + `})`, "",
		},
		{"a metric for a variable", `@@jobs_in_progress`, "{{job}}", `video_processing_jobs_in_progress`, ""},
		{"metrics by name", `@@any{__name__=~"up|jobs"}`, "", `{__name__=~"up|video_processing_jobs_total"}`, ""},

		{"a metric that does not exist", `@job`, "", "", "no such metric"},
		{"a metric by name that does not exist", `@any{__name__=~"job"}`, "", "", "no metric job"},
		{"a label that does not exist", `@jobs{stage="a"}`, "", "", "has no label stage"},
		{"a value that does not exist", `@jobs{status=~"completed|faild"}`, "", "", "is never"},
		{"a status of calls", `@jobs{status="success"}`, "", "", "is never"},
		{"a group that does not exist", `sum by (stage) (@jobs)`, "", "", "groups by stage"},
		{"le of what has none", `sum by (le) (@duration:count)`, "", "", "groups by le"},
		{"a legend that stays empty", `sum(@jobs)`, "{{stage}}", "", "no metric has stage"},
		{"a histogram as a whole", `@duration`, "", "", "a histogram needs"},
		{"the buckets of a counter", `@jobs:bucket`, "", "", "not a histogram"},
		{"matchers that are not closed", `@jobs{status}`, "", "", "not understood"},
		{"a name of its own", `sum(video_processing_jobs_total) + sum(@jobs)`, "", "", "not by the registry"},
		{"no metric", `vector(1)`, "", "", "names no metric"},
	} {
		got, _, err := names.expand(tt.expr, tt.legend)
		switch {
		case tt.err == "" && (err != nil || got != tt.want):
			t.Errorf("%s: %s, %v; want %s", tt.reason, got, err, tt.want)
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("%s: error %v, want %s", tt.reason, err, tt.err)
		}
	}
}
