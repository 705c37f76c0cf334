package event

import (
	"slices"

	"github.com/stagemeter/stagemeter/semconv"
)

// described is what people write who make a metric by hand: its names, unit, help and boundaries.
type described struct {
	Prometheus string
	Name       string // in OpenTelemetry
	Unit       string
	Brief      string
	Buckets    []float64
}

var (
	durations = []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400}
	ratios    = []float64{0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.8, 2, 2.5, 3, 5, 10}
	costs     = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100}
)

// byHandMetrics are the metrics of stagemeter that the rivals record by hand. TestRivalsMeasureTheSame fails if a
// boundary here is not the one that stagemeter records with.
var byHandMetrics = []described{
	{"video_processing_stages_in_progress", semconv.StagesInProgressName, "{stage}",
		"Number of stages that have started and not ended.", nil},
	{"video_processing_duration_seconds", semconv.DurationName, "s",
		"Time from the start to the end of a stage, in seconds.", durations},
	{"video_processing_ratio", semconv.RatioName, "1",
		"Duration of a stage divided by the duration of the video.", ratios},
	{"video_processing_jobs_total", semconv.JobsName, "{job}",
		"Number of times that a job reached a status.", nil},
	{"video_processing_attempts_total", semconv.AttemptsName, "{attempt}",
		"Number of attempts of jobs that ended, by outcome.", nil},
	{inProgressName, semconv.JobsInProgressName, "{job}",
		"Number of jobs that have started and not ended.", nil},
	{"video_processing_job_duration_seconds", semconv.JobDurationName, "s",
		"Time from the start to the end of a job, in seconds.", durations},
	{"video_processing_job_ratio", semconv.JobRatioName, "1",
		"Duration of a job divided by the duration of its video.", ratios},
	{"video_processing_cost_per_job_usd", semconv.CostPerJobName, "usd",
		"Money spent on an ended job, whatever its outcome, in US dollars.", costs},
	{jobCostName, semconv.JobCostName, "usd",
		"Money spent so far on a job in progress, in US dollars.", nil},
	{remainingName, semconv.BudgetRemainingName, "usd",
		"Budget that a job in progress has left, in US dollars.", nil},
	{"video_processing_api_calls_total", semconv.APICallsName, "{call}",
		"Number of paid API calls by outcome.", nil},
	{"video_processing_api_calls_in_progress", semconv.APICallsInProgressName, "{call}",
		"Number of paid API calls that have started and not ended.", nil},
	{"video_processing_api_call_duration_seconds", semconv.APICallDurationName, "s",
		"Time from the start to the end of a paid API call, in seconds.", durations},
	{"video_processing_cost_usd_total", semconv.CostName, "usd",
		"Money spent on paid APIs, in US dollars.", nil},
}

// metricOf returns the metric with a Prometheus name.
func metricOf(prometheusName string) described {
	i := slices.IndexFunc(byHandMetrics, func(m described) bool { return m.Prometheus == prometheusName })
	return byHandMetrics[i]
}
