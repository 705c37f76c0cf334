package registry_test

import (
	"slices"
	"testing"

	"github.com/stagemeter/stagemeter/internal/registry"
)

// contract lists the 17 metrics that users of the Python module have dashboards and alerts on. It is written by hand and
// does not follow the registry: a row changes only with the major version.
var contract = []struct {
	name   string // in Prometheus
	typ    string // in Prometheus
	unit   string // in OpenTelemetry
	labels []string
	help   string
}{
	{"video_processing_jobs_total", "counter", "{job}", []string{"status"}, "Number of times that a job reached a status."},
	{"video_processing_jobs_in_progress", "gauge", "{job}", nil, "Number of jobs that have started and not ended."},
	{"video_processing_cost_usd_total", "counter", "usd", []string{"api"}, "Money spent on paid APIs, in US dollars."},
	{"video_processing_cost_per_job_usd", "histogram", "usd", nil, "Money spent on an ended job, whatever its outcome, in US dollars."},
	{"video_processing_budget_remaining_usd", "gauge", "usd", []string{"job_id"}, "Budget that a job in progress has left, in US dollars."},
	{"video_processing_budget_exceeded_total", "counter", "{event}", nil, "Number of jobs that crossed their budget, each counted once."},
	{"video_processing_duration_seconds", "histogram", "s", []string{"stage"}, "Time from the start to the end of a stage, in seconds."},
	{"video_processing_ratio", "histogram", "1", []string{"stage"}, "Duration of a stage divided by the duration of the video."},
	{"video_processing_audio_loudness_spread_lu", "histogram", "lu", []string{"phase"}, "Loudest minus quietest gated loudness of the segments of a video, in loudness units (LU)."},
	{"video_processing_audio_normalization_db", "histogram", "db", nil, "Gain applied to audio in decibels, negative where it was made quieter."},
	{"video_processing_segments_detected", "histogram", "{segment}", nil, "Number of segments found in a video."},
	{"video_processing_highlight_scores", "histogram", "1", nil, "Score of a highlight, from 0 (dull) to 1 (best)."},
	{"video_processing_ffmpeg_processes", "gauge", "{process}", nil, "Number of ffmpeg processes that are running."},
	{"video_processing_database_connections", "gauge", "{connection}", []string{"pool", "state"}, "Number of open database connections by pool and state."},
	{"video_processing_redis_connections", "gauge", "{connection}", []string{"pool", "state"}, "Number of open Redis connections by pool and state."},
	{"video_processing_errors_total", "counter", "{error}", []string{"error_type", "stage"}, "Number of errors by stage and class."},
	{"video_processing_api_calls_total", "counter", "{call}", []string{"api", "status"}, "Number of paid API calls by outcome."},
}

// A name that is changed in the registry is changed everywhere by the generators, and would go unseen without this.
func TestRegistryHoldsTheContract(t *testing.T) {
	all := registry.Metrics()
	for _, want := range contract {
		t.Run(want.name, func(t *testing.T) {
			i := slices.IndexFunc(all, func(m registry.Metric) bool { return m.Prometheus == want.name })
			if i < 0 {
				t.Fatal("not in the registry")
			}
			m := all[i]
			if !m.Stable {
				t.Error("not stable")
			}
			if have := m.Kind.PrometheusType(); have != want.typ {
				t.Errorf("type %s, want %s", have, want.typ)
			}
			if m.Unit != want.unit {
				t.Errorf("unit %q, want %q", m.Unit, want.unit)
			}
			if have := m.Labels(); !slices.Equal(have, want.labels) {
				t.Errorf("labels %q, want %q", have, want.labels)
			}
			if m.Brief != want.help {
				t.Errorf("HELP %q, want %q", m.Brief, want.help)
			}
		})
	}
}
