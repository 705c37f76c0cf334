package e2e

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/prometheus/common/model"
)

// testMetricsAgree: what Prometheus sums up is what the editor reports of its jobs, one by one.
func testMetricsAgree(t *testing.T, p prometheus, jobs []jobReport) {
	status := map[string]float64{"queued": float64(len(jobs)), "processing": float64(len(jobs))}
	stages := map[string]float64{}
	cost := 0.0
	for _, job := range jobs {
		status[job.Status]++
		cost += job.CostUSD
		for _, stage := range job.Stages {
			stages[stage.Name]++ // those that did not fail
		}
	}
	const scrape = `{way="scrape"}`
	const failures = `sum by (stage) (video_processing_errors_total` + scrape + `)`
	const attempts = `sum by (stage) (video_processing_duration_seconds_count` + scrape + `)`
	checkSums(t, p, `sum by (status) (video_processing_jobs_total`+scrape+`) > 0`, "status", status)
	checkSums(t, p, `(`+attempts+` - (`+failures+` or 0 * `+attempts+`)) > 0`, "stage", stages)
	checkSums(t, p, `sum(video_processing_cost_per_job_usd_count`+scrape+`)`, "", map[string]float64{"": float64(len(jobs))})
	checkSums(t, p, `sum(video_processing_cost_per_job_usd_sum`+scrape+`)`, "", map[string]float64{"": cost})
	checkSums(t, p, `sum by (signal) (video_processing_export_failures_total`+scrape+`) > 0`, "signal", nil)
	checkSums(t, p, `sum(video_processing_cost_usd_total`+scrape+`)`, "", map[string]float64{"": cost})
}

// checkSums compares a query's values, by one label, with what is wanted.
func checkSums(t *testing.T, p prometheus, expr, label string, want map[string]float64) {
	t.Helper()
	eventually(t, func() (wrong error) { // a scrape that took too long empties all of it until the next
		got := map[string]float64{}
		for _, found := range p.query(t, expr) {
			got[string(found.Metric[model.LabelName(label)])] = float64(found.Value)
		}
		for name, value := range want {
			if math.Abs(got[name]-value) > 1e-9 { // money is added as floats on one side only
				wrong = errors.Join(wrong, fmt.Errorf("%s: %v for %q, the report says %v", expr, got[name], name, value))
			}
			delete(got, name)
		}
		if len(got) > 0 {
			wrong = errors.Join(wrong, fmt.Errorf("%s: %v, of which the report says nothing", expr, got))
		}
		return wrong
	})
}
