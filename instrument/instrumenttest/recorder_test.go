package instrumenttest_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/semconv"
)

func label(key, value string) attribute.KeyValue { return attribute.String(key, value) }

func TestReadByEitherName(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(2*instrument.Dollar))
	instrument.RecordError(ctx, errors.New("blurred"))
	instrument.RecordHighlight(ctx, 0.5)

	for _, name := range []string{"video_processing_errors_total", "video.processing.errors"} {
		for _, key := range []string{"error_type", "error.type"} {
			if got := rec.Counter(name, label(key, "error"), label("stage", "job")); got != 1 {
				t.Errorf("Counter(%s, %s) = %v, want 1", name, key, got)
			}
		}
	}
	for _, name := range []string{"video_processing_budget_remaining_usd", "video.processing.budget_remaining"} {
		if got, ok := rec.Gauge(name, label("job_id", "job-1")); got != 2 || !ok {
			t.Errorf("Gauge(%s) = %v, %v, want 2, true", name, got, ok)
		}
	}
	for _, name := range []string{"video_processing_highlight_scores", "video.processing.highlight_scores"} {
		if got := rec.Histogram(name); got.Count != 1 || got.Sum != 0.5 || got.Min != 0.5 || got.Max != 0.5 {
			t.Errorf("Histogram(%s) = %+v, want one value of 0.5", name, got)
		}
	}
	job.End(nil)
	if got, ok := rec.Gauge("video_processing_budget_remaining_usd", label("job_id", "job-1")); ok {
		t.Errorf("the series of the job is still there after its end: %v", got)
	}
}

func TestAttributesSelectAndWhatMatchesIsAdded(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	instrument.Spend(ctx, "whisper", 100*instrument.Cent)
	instrument.Spend(ctx, "gpt", 20*instrument.Cent)
	instrument.RecordLoudnessSpread(ctx, instrument.BeforeNormalization, 9)
	instrument.RecordLoudnessSpread(ctx, instrument.AfterNormalization, 2)
	_, a := p.StartJob(ctx, "a", instrument.WithBudget(3*instrument.Dollar))
	_, b := p.StartJob(ctx, "b", instrument.WithBudget(4*instrument.Dollar))
	defer a.End(nil)
	defer b.End(nil)

	if got := rec.Counter("video_processing_cost_usd_total"); instrument.Dollars(got) != 120*instrument.Cent {
		t.Errorf("all APIs: %v, want 1.2", got)
	}
	if got := rec.Counter("video_processing_cost_usd_total", label("api", "gpt")); got != 0.2 {
		t.Errorf("gpt: %v, want 0.2", got)
	}
	if got, _ := rec.Gauge("video_processing_budget_remaining_usd"); got != 7 {
		t.Errorf("budgets of both jobs: %v, want 7", got)
	}
	all := rec.Histogram("video_processing_audio_loudness_spread_lu")
	if all.Count != 2 || all.Sum != 11 || all.Min != 2 || all.Max != 9 {
		t.Errorf("both phases: %+v, want 2 and 9", all)
	}
	// (1.5, 2] and (8, 10]: 2 is a bound, which is inclusive.
	for i, n := range all.Counts {
		want := uint64(0)
		if i == 3 || i == 8 {
			want = 1
		}
		if n != want {
			t.Errorf("bucket %d (to %v) has %d values, want %d", i, all.Bounds[min(i, len(all.Bounds)-1)], n, want)
		}
	}
	if before := rec.Histogram("video_processing_audio_loudness_spread_lu", semconv.PhaseBefore.Attr()); before.Sum != 9 || before.Counts[3] != 0 {
		t.Errorf("phase before: %+v, want 9 alone", before)
	}
}

func TestWhatWasNotRecordedReads0(t *testing.T) {
	_, rec := instrumenttest.New(t)
	if got := rec.Counter("video_processing_errors_total", label("stage", "analysis")); got != 0 {
		t.Errorf("Counter = %v", got)
	}
	if got, ok := rec.Gauge("video_processing_job_cost_usd"); got != 0 || ok {
		t.Errorf("Gauge = %v, %v", got, ok)
	}
	if got := rec.Histogram("video_processing_ratio"); got.Count != 0 || got.Counts != nil {
		t.Errorf("Histogram = %+v", got)
	}
	if got := rec.Exemplars("video_processing_ratio"); len(got) != 0 {
		t.Errorf("Exemplars = %+v", got)
	}
}

func TestATypoEndsTheTest(t *testing.T) {
	for _, tt := range []struct {
		reason string
		read   func(*instrumenttest.Recorder)
		want   string
	}{
		{
			"a Prometheus name with a letter missing",
			func(r *instrumenttest.Recorder) { r.Counter("video_processing_job_total") },
			`no metric is called "video_processing_job_total"; nearest: video_processing_jobs_total, `,
		},
		{
			"an OpenTelemetry name with the suffix of Prometheus",
			func(r *instrumenttest.Recorder) { r.Counter("video.processing.jobs_total") },
			`nearest: video.processing.jobs, `,
		},
		{
			"a counter read as a histogram",
			func(r *instrumenttest.Recorder) { r.Histogram("video_processing_jobs_total") },
			"video_processing_jobs_total is a counter, not a histogram",
		},
		{
			"a histogram read as a counter",
			func(r *instrumenttest.Recorder) { r.Counter("video_processing_ratio") },
			"video_processing_ratio is a histogram, not a counter",
		},
		{
			"a gauge read as a counter",
			func(r *instrumenttest.Recorder) { r.Counter("video_processing_jobs_in_progress") },
			"video_processing_jobs_in_progress is a updowncounter, not a counter",
		},
		{
			"exemplars of a gauge, which has none",
			func(r *instrumenttest.Recorder) { r.Exemplars("video_processing_jobs_in_progress") },
			"not a counter",
		},
		{
			"an attribute that the metric does not have",
			func(r *instrumenttest.Recorder) { r.Counter("video_processing_errors_total", label("type", "panic")) },
			`video.processing.errors has no attribute "type"; it has: stage, error.type`,
		},
		{
			"an attribute of a metric that has none",
			func(r *instrumenttest.Recorder) {
				r.Gauge("video_processing_jobs_in_progress", label("stage", "analysis"))
			},
			`has no attribute "stage"; it has: none`,
		},
		{
			"a value that is not in the closed set",
			func(r *instrumenttest.Recorder) { r.Counter("video_processing_jobs_total", label("status", "done")) },
			`never recorded with status="done"; the values are: queued, processing, completed, failed, canceled`,
		},
		{
			"a status of jobs asked of calls",
			func(r *instrumenttest.Recorder) {
				r.Snapshot().Counter("video_processing_api_calls_total", label("status", "completed"))
			},
			"the values are: canceled, success, error, refused",
		},
		{
			"an exposition of no metric",
			func(r *instrumenttest.Recorder) { r.Exposition("video_processing_jobs") },
			`no metric is called "video_processing_jobs"`,
		},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			f := attempt(func(t testing.TB) {
				_, rec := instrumenttest.New(t)
				tt.read(rec)
			})
			if !f.fatal || !strings.Contains(f.said(), tt.want) {
				t.Errorf("fatal %v, said\n%s\nwant\n%s", f.fatal, f.said(), tt.want)
			}
		})
	}
}

func TestSub(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	instrument.RecordHighlight(ctx, 0.75)
	instrument.Spend(ctx, "whisper", instrument.Dollar)
	before := rec.Snapshot()
	instrument.RecordHighlight(ctx, 0.25)
	instrument.RecordHighlight(ctx, 0.25)
	instrument.RecordSegments(ctx, 4)
	instrument.Spend(ctx, "whisper", instrument.Dollar)
	instrument.Spend(ctx, "gpt", 2*instrument.Dollar)
	_, job := p.StartJob(ctx, "job-1")
	defer job.End(nil)
	during := rec.Snapshot().Sub(before)
	instrument.RecordHighlight(ctx, 0.1)

	if got := during.Histogram("video_processing_highlight_scores"); got.Count != 2 || got.Sum != 0.5 {
		t.Errorf("scores: %+v, want two of 0.25", got)
	} else if !math.IsNaN(got.Min) || !math.IsNaN(got.Max) {
		t.Errorf("min %v and max %v of a difference, want NaN: the 0.75 before hides them", got.Min, got.Max)
	}
	if got := during.Histogram("video_processing_segments_detected"); got.Count != 1 || got.Min != 4 {
		t.Errorf("segments: %+v, want one of 4", got)
	}
	if got := during.Counter("video_processing_cost_usd_total", label("api", "whisper")); got != 1 {
		t.Errorf("whisper: %v, want 1", got)
	}
	if got := during.Counter("video_processing_cost_usd_total", label("api", "gpt")); got != 2 {
		t.Errorf("gpt, which is new: %v, want 2", got)
	}
	if got, ok := during.Gauge("video_processing_jobs_in_progress"); got != 1 || !ok {
		t.Errorf("jobs in progress: %v, %v, want those of the later snapshot: 1", got, ok)
	}
	nothing := rec.Snapshot()
	if got := nothing.Sub(nothing).Histogram("video_processing_highlight_scores"); got.Count != 0 || got.Sum != 0 || got.Min != 0 {
		t.Errorf("of nothing: %+v", got)
	}
}

func TestExemplarsLeadToTheSpan(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1")
	_, stage := instrument.StartStage(ctx, "analysis")
	instrument.RecordError(ctx, errors.New("blurred"))
	stage.End(nil)
	job.End(nil)

	span := rec.Span("stage analysis")
	found := rec.Exemplars("video_processing_duration_seconds", label("stage", "analysis"))
	if len(found) != 1 || found[0].SpanID != span.SpanContext.SpanID() || found[0].TraceID != span.SpanContext.TraceID() {
		t.Errorf("exemplars %v, want one of span %v", found, span.SpanContext)
	} else if took := rec.Histogram("video_processing_duration_seconds").Sum; found[0].Value != took {
		t.Errorf("value %v, want %v", found[0].Value, took)
	}
	if found := rec.Exemplars("video_processing_errors_total"); len(found) != 1 || found[0].TraceID != span.SpanContext.TraceID() {
		t.Errorf("exemplars of the counter %v, want one of the trace", found)
	}
}

// A program's own labels select as the registry's attributes do, once a series has them.
func TestReadByOwnLabels(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithLabels("tenant"))
	for _, tenant := range []string{"acme", "acme", "zeta"} {
		_, job := p.StartJob(t.Context(), "job-1", instrument.WithLabel("tenant", tenant))
		job.End(nil)
	}
	const jobs = "video_processing_jobs_total"
	completed, acme := semconv.JobStatusCompleted.Attr(), attribute.String("tenant", "acme")
	if got := rec.Counter(jobs, completed, acme); got != 2 {
		t.Errorf("%v jobs of acme, want 2", got)
	}
	if got := rec.Counter(jobs, completed, attribute.String("tenant", "nobody")); got != 0 {
		t.Errorf("%v jobs of nobody, want 0", got)
	}
	failed := attempt(func(t testing.TB) {
		_, rec := instrumenttest.New(t)
		rec.Counter(jobs, acme)
	})
	if !failed.fatal || !strings.Contains(failed.said(), "tenant") {
		t.Errorf("a label that no series has: %q", failed.said())
	}
}

func TestInstrumentsOfTheProgram(t *testing.T) {
	_, rec := instrumenttest.New(t)
	uploads, err := rec.MeterProvider().Meter("app").Int64Counter("app.uploads")
	if err != nil {
		t.Fatal(err)
	}
	uploads.Add(t.Context(), 3)
	if got := rec.Counter("app.uploads"); got != 3 {
		t.Errorf("%v uploads, want 3", got)
	}
	f := attempt(func(t testing.TB) {
		_, rec := instrumenttest.New(t)
		rec.Counter("app.uploads")
	})
	if !f.fatal {
		t.Error("a name that is not in the registry and was not collected reads as 0")
	}
}

func TestNewRefusesWhatItCannotRecord(t *testing.T) {
	for _, tt := range []struct {
		reason string
		option instrument.Option
		want   string
	}{
		{"an option that is in error", instrument.WithNameLimit(0), "WithNameLimit(0)"},
		{"metrics that go elsewhere", instrument.WithMeterProvider(metricnoop.NewMeterProvider()), "does not record here"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			f := attempt(func(t testing.TB) { instrumenttest.New(t, tt.option) })
			if !f.fatal || !strings.Contains(f.said(), tt.want) {
				t.Errorf("fatal %v, said %q, want %q", f.fatal, f.said(), tt.want)
			}
		})
	}
}

func TestSpansMayGoElsewhere(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithTracerProvider(tracenoop.NewTracerProvider()))
	_, job := p.StartJob(t.Context(), "job-1")
	job.End(nil)
	if len(rec.Spans()) != 0 {
		t.Errorf("spans:\n%s", rec.SpanTree())
	}
	if got := rec.Counter("video_processing_jobs_total", label("status", "completed")); got != 1 {
		t.Errorf("%v jobs completed without a tracer, want 1", got)
	}
}

func TestTheEndOfTheTestShutsDown(t *testing.T) {
	var rec *instrumenttest.Recorder
	f := attempt(func(t testing.TB) { _, rec = instrumenttest.New(t) })
	if f.said() != "" {
		t.Fatalf("a test that does nothing said:\n%s", f.said())
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		rec.Snapshot()
	}()
	<-done
	if !strings.Contains(f.said(), "reader is shutdown") {
		t.Errorf("a reading after the end said %q", f.said())
	}
}

func TestReadWhileTheProgramRuns(t *testing.T) {
	p, rec := instrumenttest.New(t)
	const jobs = 200
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range jobs {
			ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(instrument.Dollar))
			instrument.Spend(ctx, "whisper", instrument.Cent)
			job.End(nil)
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		rec.Exposition()
		rec.SpanTree()
		if got := rec.Counter("video_processing_cost_usd_total"); instrument.Dollars(got) > jobs*instrument.Cent {
			t.Fatalf("cost %v", got)
		}
	}
	if got := rec.Counter("video_processing_cost_usd_total"); instrument.Dollars(got) != jobs*instrument.Cent {
		t.Errorf("cost %v, want 2", got)
	}
}
