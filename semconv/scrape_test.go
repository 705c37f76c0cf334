package semconv_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/stagemeter/stagemeter/semconv"
)

type contractRow struct {
	name   string
	kind   string
	unit   string // of OpenTelemetry
	labels []string
	help   string
}

// contract is what users have dashboards on, written down a second time: the
// registry can't change it without this table. The first 17 rows are the names
// that users of the Python module have.
var contract = []contractRow{
	{"video_processing_jobs_total", "COUNTER", "{job}", []string{"status"}, "Number of times that a job reached a status."},
	{"video_processing_jobs_in_progress", "GAUGE", "{job}", nil, "Number of jobs that have started and not ended."},
	{"video_processing_cost_usd_total", "COUNTER", "usd", []string{"api"}, "Money spent on paid APIs, in US dollars."},
	{"video_processing_cost_per_job_usd", "HISTOGRAM", "usd", nil, "Money spent on an ended job, whatever its outcome, in US dollars."},
	{"video_processing_budget_remaining_usd", "GAUGE", "usd", []string{"job_id"}, "Budget that a job in progress has left, in US dollars."},
	{"video_processing_budget_exceeded_total", "COUNTER", "{event}", nil, "Number of jobs that crossed their budget, each counted once."},
	{"video_processing_duration_seconds", "HISTOGRAM", "s", []string{"stage"}, "Time from the start to the end of a stage, in seconds."},
	{"video_processing_ratio", "HISTOGRAM", "1", []string{"stage"}, "Duration of a stage divided by the duration of the video."},
	{"video_processing_audio_loudness_spread_lu", "HISTOGRAM", "lu", []string{"phase"}, "Loudest minus quietest gated loudness of the segments of a video, in loudness units (LU)."},
	{"video_processing_audio_normalization_db", "HISTOGRAM", "db", nil, "Gain applied to audio in decibels, negative where it was made quieter."},
	{"video_processing_segments_detected", "HISTOGRAM", "{segment}", nil, "Number of segments found in a video."},
	{"video_processing_highlight_scores", "HISTOGRAM", "1", nil, "Score of a highlight, from 0 (dull) to 1 (best)."},
	{"video_processing_ffmpeg_processes", "GAUGE", "{process}", nil, "Number of ffmpeg processes that are running."},
	{"video_processing_database_connections", "GAUGE", "{connection}", []string{"pool", "state"}, "Number of open database connections by pool and state."},
	{"video_processing_redis_connections", "GAUGE", "{connection}", []string{"pool", "state"}, "Number of open Redis connections by pool and state."},
	{"video_processing_errors_total", "COUNTER", "{error}", []string{"error_type", "stage"}, "Number of errors by stage and class."},
	{"video_processing_api_calls_total", "COUNTER", "{call}", []string{"api", "status"}, "Number of paid API calls by outcome."},

	{"video_processing_job_duration_seconds", "HISTOGRAM", "s", []string{"status"}, "Time from the start to the end of a job, in seconds."},
	{"video_processing_job_ratio", "HISTOGRAM", "1", []string{"status"}, "Duration of a job divided by the duration of its video."},
	{"video_processing_queue_wait_seconds", "HISTOGRAM", "s", nil, "Time that a job waited in its queue before it started, in seconds."},
	{"video_processing_oldest_job_start_timestamp_seconds", "GAUGE", "s", nil, "Start of the oldest job in progress in seconds since the Unix epoch, or 0 if there is none."},
	{"video_processing_jobs_unshown_total", "COUNTER", "{job}", nil, "Number of jobs without all series of their own because too many jobs were live."},
	{"video_processing_stages_in_progress", "GAUGE", "{stage}", []string{"stage"}, "Number of stages that have started and not ended."},
	{"video_processing_job_cost_usd", "GAUGE", "usd", []string{"api", "job_id"}, "Money spent so far on a job in progress, in US dollars."},
	{"video_processing_invalid_values_total", "COUNTER", "{value}", []string{"metric", "reason"}, "Number of values that could not be recorded as given, by metric and reason."},
	{"video_processing_export_failures_total", "COUNTER", "{failure}", []string{"signal"}, "Number of failed exports of telemetry over OTLP by signal."},
}

func TestScrapeHoldsTheContract(t *testing.T) {
	families := scrape(t)
	units := collectedUnits(t)
	for _, want := range contract {
		t.Run(want.name, func(t *testing.T) {
			have, ok := families[want.name]
			if !ok {
				t.Fatal("not on the scrape")
			}
			if kind := have.GetType().String(); kind != want.kind {
				t.Errorf("type %s, want %s", kind, want.kind)
			}
			if have.GetHelp() != want.help {
				t.Errorf("HELP %q, want %q", have.GetHelp(), want.help)
			}
			if unit := units[want.name]; unit != want.unit {
				t.Errorf("unit %q, want %q", unit, want.unit)
			}
			for _, series := range have.GetMetric() {
				if labels := labelNames(series); !slices.Equal(labels, want.labels) {
					t.Errorf("labels %q, want %q", labels, want.labels)
				}
			}
		})
	}
	for name := range families {
		if name == "target_info" {
			continue // of the exporter, not of the registry
		}
		if !slices.ContainsFunc(contract, func(row contractRow) bool { return row.name == name }) {
			t.Errorf("%s is on the scrape and not in the contract", name)
		}
	}
}

// What Metrics tells to generators of alerts and dashboards is what a scrape
// shows.
func TestMetricsAgreesWithScrape(t *testing.T) {
	families := scrape(t)
	for _, m := range semconv.Metrics() {
		t.Run(m.Name, func(t *testing.T) {
			family, ok := families[m.Prometheus]
			if !ok {
				t.Fatalf("%s is not on the scrape", m.Prometheus)
			}
			if have := family.GetType(); have != prometheusType(t, m.Kind) {
				t.Errorf("type %s, want that of a %s", have, m.Kind)
			}
			if family.GetHelp() != m.Brief {
				t.Errorf("HELP %q, want %q", family.GetHelp(), m.Brief)
			}
			var labels []string
			for _, a := range m.Attributes {
				if !a.OptIn {
					labels = append(labels, a.Label)
				}
			}
			slices.Sort(labels)
			for _, series := range family.GetMetric() {
				if have := labelNames(series); !slices.Equal(have, labels) {
					t.Errorf("labels %q, want %q", have, labels)
				}
				if m.Kind == semconv.KindHistogram {
					checkBounds(t, series.GetHistogram(), m.Buckets)
				}
			}
		})
	}
	if have, want := len(semconv.Metrics()), len(contract); have != want {
		t.Errorf("the registry has %d metrics, the contract %d", have, want)
	}
}

func prometheusType(t *testing.T, k semconv.Kind) dto.MetricType {
	t.Helper()
	switch k.PrometheusType() {
	case "counter":
		return dto.MetricType_COUNTER
	case "gauge":
		return dto.MetricType_GAUGE
	case "histogram":
		return dto.MetricType_HISTOGRAM
	}
	t.Fatalf("%s has the type %q", k, k.PrometheusType())
	return 0
}

func checkBounds(t *testing.T, h *dto.Histogram, want []float64) {
	t.Helper()
	var have []float64
	for _, b := range h.GetBucket() {
		have = append(have, b.GetUpperBound())
	}
	// The text format ends with le="+Inf".
	if len(have) == 0 || !slices.Equal(have[:len(have)-1], want) {
		t.Errorf("boundaries %v, want %v and +Inf", have, want)
	}
}

// labelNames returns the names of a series' labels, sorted.
func labelNames(series *dto.Metric) []string {
	var names []string
	for _, l := range series.GetLabel() {
		names = append(names, l.GetName())
	}
	slices.Sort(names)
	return names
}

// scrape records every metric once through the SDK and the exporter that users
// run, and returns what a scrape over HTTP shows.
func scrape(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewRegistry()
	exporter, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo())
	if err != nil {
		t.Fatal(err)
	}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(exporter))
	t.Cleanup(func() {
		if err := provider.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	meter := provider.Meter("semconv_test")
	recordAll(meter)
	observeAll(t, meter)

	server := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	t.Cleanup(server.Close)
	response, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("scrape: %s", response.Status)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// collectedUnits are the units that the SDK has collected, by Prometheus name.
func collectedUnits(t *testing.T) map[string]string {
	t.Helper()
	reader := sdkmetric.NewManualReader()
	meter := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)).Meter("semconv_test")
	recordAll(meter)
	observeAll(t, meter)
	var collected metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &collected); err != nil {
		t.Fatal(err)
	}
	prometheusName := make(map[string]string)
	for _, m := range semconv.Metrics() {
		prometheusName[m.Name] = m.Prometheus
	}
	units := make(map[string]string)
	for _, m := range collected.ScopeMetrics[0].Metrics {
		units[prometheusName[m.Name]] = m.Unit
	}
	return units
}

// recordAll gives each synchronous metric a value per member of its closed sets.
func recordAll(m metric.Meter) {
	ctx := context.Background()

	jobs := must(semconv.NewJobs(m))
	for _, status := range semconv.JobStatusValues() {
		jobs.Add(ctx, 1, jobs.With(status))
	}
	jobDuration := must(semconv.NewJobDuration(m))
	jobDuration.Record(ctx, 90, jobDuration.With(semconv.JobStatusCompleted))
	jobRatio := must(semconv.NewJobRatio(m))
	jobRatio.Record(ctx, 1.5, jobRatio.With(semconv.JobStatusCompleted))
	must(semconv.NewQueueWait(m)).Record(ctx, 2)
	must(semconv.NewJobsUnshown(m)).Add(ctx, 1)

	duration := must(semconv.NewDuration(m))
	duration.Record(ctx, 30, duration.With("analysis"))
	ratio := must(semconv.NewRatio(m))
	ratio.Record(ctx, 0.5, ratio.With("analysis"))

	cost := must(semconv.NewCost(m))
	cost.Add(ctx, 0.006, cost.With("whisper"))
	must(semconv.NewCostPerJob(m)).Record(ctx, 0.006)
	must(semconv.NewBudgetExceeded(m)).Add(ctx, 1)
	apiCalls := must(semconv.NewAPICalls(m))
	for _, status := range semconv.CallStatusValues() {
		apiCalls.Add(ctx, 1, apiCalls.With("whisper", status))
	}

	spread := must(semconv.NewAudioLoudnessSpread(m))
	for _, phase := range semconv.PhaseValues() {
		spread.Record(ctx, 4, spread.With(phase))
	}
	must(semconv.NewAudioNormalization(m)).Record(ctx, -3.5)
	must(semconv.NewSegmentsDetected(m)).Record(ctx, 15)
	must(semconv.NewHighlightScores(m)).Record(ctx, 0.92)

	errorCount := must(semconv.NewErrors(m))
	errorCount.Add(ctx, 1, errorCount.With("analysis", "timeout"))
	invalid := must(semconv.NewInvalidValues(m))
	for _, reason := range semconv.InvalidReasonValues() {
		invalid.Add(ctx, 1, invalid.With(semconv.HighlightScoresName, reason))
	}
	exports := must(semconv.NewExportFailures(m))
	for _, signal := range semconv.SignalValues() {
		exports.Add(ctx, 1, exports.With(signal))
	}
}

// observables holds each observable metric.
type observables struct {
	jobs     semconv.JobsInProgress
	oldest   semconv.OldestJobStartTimestamp
	stages   semconv.StagesInProgress
	jobCost  semconv.JobCost
	budget   semconv.BudgetRemaining
	ffmpeg   semconv.FfmpegProcesses
	database semconv.DatabaseConnections
	redis    semconv.RedisConnections
}

func newObservables(m metric.Meter) observables {
	return observables{
		jobs:     must(semconv.NewJobsInProgress(m)),
		oldest:   must(semconv.NewOldestJobStartTimestamp(m)),
		stages:   must(semconv.NewStagesInProgress(m)),
		jobCost:  must(semconv.NewJobCost(m)),
		budget:   must(semconv.NewBudgetRemaining(m)),
		ffmpeg:   must(semconv.NewFfmpegProcesses(m)),
		database: must(semconv.NewDatabaseConnections(m)),
		redis:    must(semconv.NewRedisConnections(m)),
	}
}

func (o observables) list() []metric.Observable {
	return []metric.Observable{o.jobs, o.oldest, o.stages, o.jobCost, o.budget, o.ffmpeg, o.database, o.redis}
}

// observeAll registers one callback that gives each observable metric a value.
func observeAll(t *testing.T, m metric.Meter) {
	t.Helper()
	all := newObservables(m)
	id := semconv.AttrJobID.String("job-1")
	_, err := m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveInt64(all.jobs, 1)
		o.ObserveFloat64(all.oldest, 1.7e9)
		o.ObserveInt64(all.stages, 1, metric.WithAttributes(semconv.AttrStage.String("analysis")))
		o.ObserveFloat64(all.jobCost, 0.006, metric.WithAttributes(id, semconv.AttrAPI.String("whisper")))
		o.ObserveFloat64(all.budget, 1.994, metric.WithAttributes(id))
		o.ObserveInt64(all.ffmpeg, 1)
		for _, state := range semconv.PoolStateValues() {
			o.ObserveInt64(all.database, 2, metric.WithAttributes(semconv.AttrPool.String("main"), state.Attr()))
			o.ObserveInt64(all.redis, 2, metric.WithAttributes(semconv.AttrPool.String("cache"), state.Attr()))
		}
		return nil
	}, all.list()...)
	if err != nil {
		t.Fatal(err)
	}
}

// must returns an instrument that the SDK of these tests can't refuse.
func must[I any](instrument I, err error) I {
	if err != nil {
		panic(err)
	}
	return instrument
}
