package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

var errDecoder = errors.New("decoder gave up")

// How a job ends decides which alert fires: a canceled job is nobody's fault, a failed one somebody's, and its
// error_type says whose.
func TestJobStatus(t *testing.T) {
	cause := errors.New("user closed the tab")
	tests := []struct {
		reason    string
		parent    func(context.Context) (context.Context, context.CancelFunc)
		run       func(context.Context) error
		status    string
		errorType string // in errors_total{stage="job"} and on the span; empty: neither
		counted   bool
	}{
		{
			reason: "no error is a success",
			run:    func(context.Context) error { return nil },
			status: "completed",
		},
		{
			reason: "any error is a failure",
			run:    func(context.Context) error { return errDecoder },
			status: "failed", errorType: "errors.errorString", counted: true,
		},
		{
			reason: "work that got done counts, though the caller had gone",
			parent: canceledParent,
			run:    func(context.Context) error { return nil },
			status: "completed",
		},
		{
			reason: "the caller gave up, whatever the interrupted operation made of it",
			parent: canceledParent,
			run:    func(context.Context) error { return errDecoder },
			status: "canceled", errorType: "canceled",
		},
		{
			reason: "the caller gave up, and the program says so in its own words",
			run:    func(context.Context) error { return fmt.Errorf("stop: %w", context.Canceled) },
			status: "canceled", errorType: "canceled",
		},
		{
			reason: "a cause does not change that it was canceled",
			parent: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancelCause(ctx)
				cancel(cause)
				return ctx, func() {}
			},
			run:    func(ctx context.Context) error { return context.Cause(ctx) },
			status: "canceled", errorType: "canceled",
		},
		{
			reason: "a deadline is a failure",
			parent: expiredParent,
			run:    func(ctx context.Context) error { return ctx.Err() },
			status: "failed", errorType: "timeout", counted: true,
		},
		{
			reason: "a deadline is a failure, whatever the interrupted operation made of it",
			parent: expiredParent,
			run:    func(context.Context) error { return errDecoder },
			status: "failed", errorType: "timeout", counted: true,
		},
		{
			reason: "a deadline is a failure, even if what it interrupted calls itself canceled",
			parent: expiredParent,
			run:    func(context.Context) error { return context.Canceled },
			status: "failed", errorType: "timeout", counted: true,
		},
		{
			reason: "a time limit of one operation in the job is a failure",
			run: func(ctx context.Context) error {
				ctx, cancel := context.WithTimeout(ctx, 0)
				defer cancel()
				<-ctx.Done()
				return fmt.Errorf("probe: %w", ctx.Err())
			},
			status: "failed", errorType: "timeout", counted: true,
		},
		{
			reason: "a process that the deadline killed was not at fault",
			parent: func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, 20*time.Millisecond)
			},
			run:    func(ctx context.Context) error { return exec.CommandContext(ctx, "sleep", "600").Run() },
			status: "failed", errorType: "timeout", counted: true,
		},
		{
			reason: "a process that the caller killed was not at fault",
			parent: func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(20*time.Millisecond, cancel)
				return ctx, cancel
			},
			run:    func(ctx context.Context) error { return exec.CommandContext(ctx, "sleep", "600").Run() },
			status: "canceled", errorType: "canceled",
		},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			ctx := t.Context()
			if tt.parent != nil {
				var cancel context.CancelFunc
				ctx, cancel = tt.parent(ctx)
				defer cancel()
			}
			var want error
			err := p.RunJob(ctx, "job-1", func(ctx context.Context) error {
				want = tt.run(ctx)
				return want
			})
			if err != want {
				t.Errorf("RunJob = %v, want the function's own error %v", err, want)
			}
			for _, status := range []string{"completed", "failed", "canceled"} {
				n := 0.0
				if status == tt.status {
					n = 1
				}
				if got := rec.Counter(vp("jobs_total"), label("status", status)); got != n {
					t.Errorf("jobs_total{status=%q} = %v, want %v", status, got, n)
				}
				if got := rec.Histogram(vp("job_duration_seconds"), label("status", status)).Count; got != uint64(n) {
					t.Errorf("job_duration_seconds_count{status=%q} = %v, want %v", status, got, n)
				}
			}
			counted := rec.Counter(vp("errors_total"))
			if tt.counted != (counted == 1) || counted > 1 {
				t.Errorf("errors_total = %v, counted should be %v", counted, tt.counted)
			}
			if tt.counted && rec.Counter(vp("errors_total"), label("stage", "job"), label("error_type", tt.errorType)) != 1 {
				t.Errorf("errors_total{stage=job,error_type=%s} is not 1", tt.errorType)
			}
			span := rec.Span("job", label("video.processing.job.status", tt.status))
			wantCode := codes.Error
			if want == nil {
				wantCode = codes.Unset
			}
			if span.Status.Code != wantCode {
				t.Errorf("span status = %v, want %v", span.Status.Code, wantCode)
			}
			if tt.errorType != "" {
				rec.Span("job", label("error.type", tt.errorType))
			}
		})
	}
}

func canceledParent(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx, cancel
}

func expiredParent(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithDeadline(ctx, time.Unix(0, 0))
}

// A job that its caller has canceled must still be seen: OpenTelemetry leaves it to an instrumentation whether a dead
// context means a lost recording.
func TestCanceledContextLosesNothing(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, cancel := canceledParent(t.Context())
	defer cancel()
	p.Enqueue(ctx, "job-1", nil)
	ctx, job := p.StartJob(ctx, "job-1", instrument.WithVideoDuration(time.Minute))
	_, stage := instrument.StartStage(ctx, "analysis")
	instrument.Spend(ctx, "gpu", instrument.Cent)
	instrument.RecordHighlight(ctx, 0.5)
	instrument.RecordError(ctx, "analysis", errDecoder)
	err := errDecoder
	stage.End(&err)
	job.End(&err)
	s := rec.Snapshot()
	for name, got := range map[string]float64{
		"jobs_total queued":     s.Counter(vp("jobs_total"), label("status", "queued")),
		"jobs_total processing": s.Counter(vp("jobs_total"), label("status", "processing")),
		"jobs_total canceled":   s.Counter(vp("jobs_total"), label("status", "canceled")),
		"duration_seconds":      float64(s.Histogram(vp("duration_seconds")).Count),
		"ratio":                 float64(s.Histogram(vp("ratio")).Count),
		"job_duration_seconds":  float64(s.Histogram(vp("job_duration_seconds")).Count),
		"job_ratio":             float64(s.Histogram(vp("job_ratio")).Count),
		"cost_per_job_usd":      float64(s.Histogram(vp("cost_per_job_usd")).Count),
		"highlight_scores":      float64(s.Histogram(vp("highlight_scores")).Count),
		"errors_total":          s.Counter(vp("errors_total")),
		"cents":                 s.Counter(vp("cost_usd_total")) * 100,
	} {
		if got != 1 {
			t.Errorf("%s = %v under a canceled context, want 1", name, got)
		}
	}
}

// scenario does a bit of everything, some of it wrong.
func scenario(p *instrument.Pipeline) {
	ctx := context.Background()
	p.Enqueue(ctx, "job-1", nil)
	_ = p.RunJob(ctx, "job-1", func(ctx context.Context) error {
		_, _ = instrument.RunStage(ctx, "analysis", func(ctx context.Context) (int, error) {
			instrument.RecordSegments(ctx, 12)
			instrument.RecordHighlight(ctx, math.NaN())
			return 12, nil
		})
		_, _ = instrument.RunCall(ctx, "whisper", func(string) instrument.USD { return 2 * instrument.Cent },
			func(context.Context) (string, error) { return "hello", nil })
		_, _ = instrument.RunCall(ctx, "whisper", nil,
			func(context.Context) (string, error) { return "", nil }, instrument.WithEstimate(instrument.Dollar))
		_, err := instrument.RunStage(ctx, "rendering", func(context.Context) (int, error) { return 0, errDecoder })
		return err
	}, instrument.WithBudget(10*instrument.Cent), instrument.WithVideoDuration(time.Minute))
	_ = recovered(func() {
		_ = p.RunJob(ctx, "job-2", func(context.Context) error { panic("boom") })
	})
}

// A service that samples one trace in a thousand, or none, must not lose its metrics with the traces.
func TestMetricsDoNotDependOnTraces(t *testing.T) {
	always, rec := instrumenttest.New(t)
	scenario(always)
	want := countsOf(rec)
	for _, must := range []string{`jobs_total{status="failed"} 2`, `errors_total{error_type="panic",stage="job"} 1`} {
		if !strings.Contains(want, must) {
			t.Fatalf("the scenario does not give %s:\n%s", must, want)
		}
	}
	for reason, tracers := range map[string]trace.TracerProvider{
		"never sampled": sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())),
		"no tracer":     noop.NewTracerProvider(),
	} {
		t.Run(reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t, instrument.WithTracerProvider(tracers))
			scenario(p)
			if got := countsOf(rec); got != want {
				t.Errorf("got\n%s\nwith every span sampled\n%s", got, want)
			}
		})
	}
}

// countsOf is the exposition without what depends on how long things took.
func countsOf(rec *instrumenttest.Recorder) string {
	var b strings.Builder
	for line := range strings.Lines(rec.Exposition()) {
		timed := strings.Contains(line, "_seconds") || strings.Contains(line, "_ratio")
		if strings.HasPrefix(line, "#") || timed && !strings.Contains(line, "_count") {
			continue
		}
		b.WriteString(line)
	}
	return b.String()
}

// An exemplar is the way from a slow bucket to the trace that was slow. It leads to the wrong place, or nowhere, if
// the value is recorded outside of the span that it measures.
func TestExemplarsLeadToTheSpanThatWasMeasured(t *testing.T) {
	p, rec := instrumenttest.New(t)
	var carrier = carrierOf(p, t.Context())
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithCarrier(carrier), instrument.WithVideoDuration(time.Minute))
	sctx, stage := instrument.StartStage(ctx, "analysis")
	_, call, err := instrument.StartCall(sctx, "whisper")
	if err != nil {
		t.Fatal(err)
	}
	call.SetCost(instrument.Cent)
	call.End(nil)
	err = errDecoder
	stage.End(&err)
	var other = errors.New("another")
	job.End(&other)

	for _, tt := range []struct{ metric, span string }{
		{"queue_wait_seconds", "job"},
		{"job_duration_seconds", "job"},
		{"job_ratio", "job"},
		{"cost_per_job_usd", "job"},
		{"duration_seconds", "stage analysis"},
		{"ratio", "stage analysis"},
		{"api_calls_total", "call whisper"},
		{"cost_usd_total", "call whisper"},
	} {
		exemplars := rec.Exemplars(vp(tt.metric))
		span := rec.Span(tt.span).SpanContext
		if len(exemplars) != 1 || exemplars[0].TraceID != span.TraceID() || exemplars[0].SpanID != span.SpanID() {
			t.Errorf("exemplars of %s = %v, want one of span %q (%s)", tt.metric, exemplars, tt.span, span.SpanID())
		}
	}
	for stage, name := range map[string]string{"analysis": "stage analysis", "job": "job"} {
		exemplars := rec.Exemplars(vp("errors_total"), label("stage", stage))
		if len(exemplars) != 1 || exemplars[0].SpanID != rec.Span(name).SpanContext.SpanID() {
			t.Errorf("exemplars of errors_total{stage=%q} = %v, want one of span %q", stage, exemplars, name)
		}
	}
	for status, name := range map[string]string{"queued": "enqueue job", "processing": "job", "failed": "job"} {
		exemplars := rec.Exemplars(vp("jobs_total"), label("status", status))
		if len(exemplars) != 1 || exemplars[0].SpanID != rec.Span(name).SpanContext.SpanID() {
			t.Errorf("exemplars of jobs_total{status=%q} = %v, want one of span %q", status, exemplars, name)
		}
	}
}

func TestJobSpan(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithVideoDuration(90*time.Second))
	instrument.Spend(ctx, "gpu", 25*instrument.Cent)
	err := fmt.Errorf("render: %w", errDecoder)
	job.End(&err)

	span := rec.Span("job", label("video.processing.job.id", "job-1"), label("video.processing.job.status", "failed"),
		label("video.processing.video.duration_s", "90"), label("video.processing.cost_usd", "0.25"),
		label("error.type", "errors.errorString"))
	if span.SpanKind != trace.SpanKindInternal {
		t.Errorf("kind = %v, want internal: nothing was consumed", span.SpanKind)
	}
	if span.Status.Code != codes.Error || span.Status.Description != "render: decoder gave up" {
		t.Errorf("status = %+v", span.Status)
	}
	if len(span.Events) != 1 || span.Events[0].Name != "exception" {
		t.Fatalf("events = %+v, want one exception", span.Events)
	}
	for _, a := range span.Events[0].Attributes {
		switch a.Key {
		case "exception.type":
			if a.Value.AsString() != "*fmt.wrapError" {
				t.Errorf("exception.type = %s", a.Value.AsString())
			}
		case "exception.message":
			if a.Value.AsString() != "render: decoder gave up" {
				t.Errorf("exception.message = %s", a.Value.AsString())
			}
		default:
			t.Errorf("attribute %s on an error that was no panic", a.Key)
		}
	}
	if scope := span.InstrumentationScope; scope.Name != instrument.ScopeName || scope.Version != instrument.Version {
		t.Errorf("scope = %+v", scope)
	}
}

// Durations on the wire are seconds; milliseconds would land every job in the last bucket.
func TestDurationsAreSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, rec := instrumenttest.New(t)
		ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithVideoDuration(time.Minute))
		_, stage := instrument.StartStage(ctx, "rendering")
		time.Sleep(90 * time.Second)
		stage.End(nil)
		time.Sleep(30 * time.Second)
		job.End(nil)
		for name, want := range map[string]float64{
			"duration_seconds": 90, "ratio": 1.5, "job_duration_seconds": 120, "job_ratio": 2,
		} {
			if h := rec.Histogram(vp(name)); h.Count != 1 || h.Sum != want {
				t.Errorf("%s: %d values, sum %v, want 1 of %v", name, h.Count, h.Sum, want)
			}
		}
	})
}

func TestVideoDuration(t *testing.T) {
	tests := []struct {
		reason  string
		opts    []instrument.JobOption
		set     []time.Duration
		ratios  uint64
		invalid float64
	}{
		{reason: "unknown: no ratio, not one of infinity"},
		{reason: "zero is unknown", opts: []instrument.JobOption{instrument.WithVideoDuration(0)}},
		{reason: "told at the start", opts: []instrument.JobOption{instrument.WithVideoDuration(time.Second)}, ratios: 1},
		{reason: "told once it was probed", set: []time.Duration{time.Second}, ratios: 1},
		{reason: "taken back", set: []time.Duration{time.Second, 0}},
		{
			reason: "negative is counted and keeps what was known",
			opts:   []instrument.JobOption{instrument.WithVideoDuration(time.Second)},
			set:    []time.Duration{-time.Second}, ratios: 1, invalid: 1,
		},
		{reason: "negative from the start", opts: []instrument.JobOption{instrument.WithVideoDuration(-1)}, invalid: 1},
		{reason: "one nanosecond is no division by zero", set: []time.Duration{1}, ratios: 1},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			_, job := p.StartJob(t.Context(), "job-1", tt.opts...)
			for _, d := range tt.set {
				job.SetVideoDuration(d)
			}
			job.End(nil)
			h := rec.Histogram(vp("job_ratio"))
			if h.Count != tt.ratios || math.IsInf(h.Sum, 0) || math.IsNaN(h.Sum) {
				t.Errorf("job_ratio has %d values, sum %v, want %d", h.Count, h.Sum, tt.ratios)
			}
			if got := rec.Counter(vp("invalid_values_total"), label("metric", "job_ratio"), label("reason", "negative")); got != tt.invalid {
				t.Errorf("invalid_values_total{job_ratio,negative} = %v, want %v", got, tt.invalid)
			}
		})
	}
}

// An End in the body and a deferred one, or a second goroutine that cleans up: a job counted twice makes the success
// rate of a service more than 100 %.
func TestEndTwiceCountsOnce(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1")
	_, stage := instrument.StartStage(ctx, "analysis")
	_, call, _ := instrument.StartCall(ctx, "whisper")
	err := errDecoder
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			call.End(nil)
			stage.End(nil)
			job.End(nil)
			job.End(&err)
			stage.End(&err)
			call.End(&err)
		})
	}
	wg.Wait()
	s := rec.Snapshot()
	if got := s.Counter(vp("jobs_total"), label("status", "completed")) + s.Counter(vp("jobs_total"), label("status", "failed")); got != 1 {
		t.Errorf("%v terminal statuses, want 1", got)
	}
	if got := s.Counter(vp("api_calls_total")); got != 1 {
		t.Errorf("%v calls, want 1", got)
	}
	if got := s.Histogram(vp("duration_seconds")).Count; got != 1 {
		t.Errorf("%v stages, want 1", got)
	}
	for _, gauge := range []string{"jobs_in_progress", "stages_in_progress"} {
		if got, _ := s.Gauge(vp(gauge)); got != 0 {
			t.Errorf("%s = %v, want 0", gauge, got)
		}
	}
	if n := len(rec.Spans()); n != 3 {
		t.Errorf("%d spans, want 3", n)
	}
}

// A second End while a panic passes must not swallow it: recover was called once, for the first.
func TestPanicPassesAnEndThatCameTooLate(t *testing.T) {
	p, rec := instrumenttest.New(t)
	v := recovered(func() {
		_, job := p.StartJob(t.Context(), "job-1")
		defer job.End(nil)
		job.End(nil)
		panic("boom")
	})
	if v != "boom" {
		t.Errorf("recovered %v, want boom", v)
	}
	if got := rec.Counter(vp("jobs_total"), label("status", "completed")); got != 1 {
		t.Errorf("completed = %v, want 1: the job had ended before", got)
	}
}

// A queue that delivers at least once delivers twice. Both runs cost money and time, so both are in the totals.
func TestJobIDTwiceAtOnce(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx1, first := p.StartJob(t.Context(), "job-1")
	ctx2, second := p.StartJob(t.Context(), "job-1")
	if first == second {
		t.Fatal("two runs are one job")
	}
	instrument.Spend(ctx1, "gpu", 1*instrument.Dollar)
	instrument.Spend(ctx2, "gpu", 2*instrument.Dollar)
	if got, _ := rec.Gauge(vp("jobs_in_progress")); got != 2 {
		t.Errorf("jobs_in_progress = %v, want 2", got)
	}
	if got, _ := rec.Gauge(vp("job_cost_usd"), label("job_id", "job-1"), label("api", "gpu")); got != 3 {
		t.Errorf("job_cost_usd = %v, want 3: one series for the id", got)
	}
	first.End(nil)
	if got, ok := rec.Gauge(vp("job_cost_usd"), label("job_id", "job-1")); !ok || got != 3 {
		t.Errorf("job_cost_usd = %v, %v while one run still lives, want 3", got, ok)
	}
	second.End(nil)
	if _, ok := rec.Gauge(vp("job_cost_usd"), label("job_id", "job-1")); ok {
		t.Error("the series outlives the last run")
	}
	h := rec.Histogram(vp("cost_per_job_usd"))
	if h.Count != 2 || h.Min != 1 || h.Max != 2 {
		t.Errorf("cost_per_job_usd = %+v, want 1 and 2: each run its own", h)
	}
	if got := rec.Counter(vp("jobs_total"), label("status", "completed")); got != 2 {
		t.Errorf("completed = %v, want 2", got)
	}
}

// A job that outlives nothing: what started within it ends later, in a goroutine nobody waited for.
func TestStageThatOutlivesItsJob(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(instrument.Dollar))
	sctx, stage := instrument.StartStage(ctx, "upload")
	_, call, _ := instrument.StartCall(sctx, "s3")
	call.SetCost(10 * instrument.Cent)
	job.End(nil)
	if got, _ := rec.Gauge(vp("stages_in_progress"), label("stage", "upload")); got != 1 {
		t.Errorf("stages_in_progress = %v, want 1: it still runs", got)
	}
	call.End(nil)
	instrument.Spend(sctx, "gpu", instrument.Dollar)
	err := errDecoder
	stage.End(&err)

	s := rec.Snapshot()
	if got, _ := s.Gauge(vp("stages_in_progress"), label("stage", "upload")); got != 0 {
		t.Errorf("stages_in_progress = %v, want 0", got)
	}
	if got := s.Histogram(vp("duration_seconds"), label("stage", "upload")).Count; got != 1 {
		t.Errorf("duration_seconds_count = %v, want 1", got)
	}
	if got := s.Counter(vp("errors_total"), label("stage", "upload")); got != 1 {
		t.Errorf("errors_total = %v, want 1", got)
	}
	if got := instrument.Dollars(s.Counter(vp("cost_usd_total"))); got != 110*instrument.Cent {
		t.Errorf("cost_usd_total = %v, want $1.10: it is spent, whoever waits for it", got)
	}
	if got := s.Histogram(vp("cost_per_job_usd")); got.Count != 1 || got.Sum != 0 {
		t.Errorf("cost_per_job_usd = %+v, want one of 0", got)
	}
	if got := job.Cost(); got != 0 {
		t.Errorf("job.Cost() = %v after its end, want 0", got)
	}
	if _, ok := s.Gauge(vp("job_cost_usd")); ok {
		t.Error("a job that ended has a series again")
	}
}

// Amounts near the end of the range must not wrap: a job that spent a fortune would show a negative cost.
func TestCostStopsAtTheEndOfTheRange(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1")
	for range 3 {
		instrument.Spend(ctx, "gpu", 9_000_000_000*instrument.Dollar)
	}
	if got := job.Cost(); got < 9_000_000_000*instrument.Dollar {
		t.Errorf("Cost() = %v", got)
	}
	if got, _ := rec.Gauge(vp("job_cost_usd")); got < 9e9 {
		t.Errorf("job_cost_usd = %v", got)
	}
	job.End(nil)
	if h := rec.Histogram(vp("cost_per_job_usd")); h.Sum < 9e9 {
		t.Errorf("cost_per_job_usd_sum = %v", h.Sum)
	}
}

func TestJobIDs(t *testing.T) {
	tests := []struct {
		reason, id, shown string
		invalid           float64
	}{
		{"a path with spaces and quotes", `/in/my "best" take.mp4`, `/in/my "best" take.mp4`, 0},
		{"a multi-byte id", "видео-7", "видео-7", 0},
		{"line breaks can't forge lines of a log or an exposition", "a\nb\x00c", "a\uFFFDb\uFFFDc", 0},
		{"bytes that are not UTF-8 would make OTLP refuse the whole batch", "a\xff\xfeb", "a\uFFFDb", 0},
		{"huge", strings.Repeat("x", 1<<20), strings.Repeat("x", 256), 0},
		{"huge and multi-byte: cut between characters", strings.Repeat("я", 1<<10), strings.Repeat("я", 128), 0},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			ctx, job := p.StartJob(t.Context(), tt.id)
			instrument.Spend(ctx, "gpu", instrument.Cent)
			if job.ID() != tt.id {
				t.Errorf("ID() is not what StartJob was given")
			}
			if _, ok := rec.Gauge(vp("job_cost_usd"), label("job_id", tt.shown)); !ok {
				t.Errorf("no series for job_id=%q:\n%s", tt.shown, rec.Exposition(vp("job_cost_usd")))
			}
			job.End(nil)
			rec.Span("job", label("video.processing.job.id", tt.shown))
			if got := rec.Counter(vp("invalid_values_total")); got != tt.invalid {
				t.Errorf("invalid values = %v, want %v", got, tt.invalid)
			}
		})
	}
}

// Two jobs without an id must not share a budget, and somebody should find out.
func TestJobWithoutAnIDGetsItsOwn(t *testing.T) {
	p, rec := instrumenttest.New(t)
	seen := make(map[string]bool)
	for _, id := range []string{"", "", " ", "\t\n"} {
		_, job := p.StartJob(t.Context(), id, instrument.WithBudget(instrument.Dollar))
		defer job.End(nil)
		if !utf8.ValidString(job.ID()) || seen[job.ID()] {
			t.Errorf("the id %q is taken", job.ID())
		}
		seen[job.ID()] = true
	}
	if got, _ := rec.Gauge(vp("budget_remaining_usd")); got != 4 {
		t.Errorf("the budgets add up to %v, want 4 of $1", got)
	}
	if got := rec.Counter(vp("invalid_values_total"), label("metric", "jobs"), label("reason", "bad_name")); got != 4 {
		t.Errorf("invalid_values_total{jobs,bad_name} = %v, want 4", got)
	}
}

func TestJobInAJob(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, outer := p.StartJob(t.Context(), "album")
	inner, track := p.StartJob(ctx, "track-1")
	if instrument.JobFromContext(inner) != track || instrument.JobFromContext(ctx) != outer {
		t.Error("a context knows the wrong job")
	}
	instrument.Spend(inner, "gpu", instrument.Dollar)
	if outer.Cost() != 0 || track.Cost() != instrument.Dollar {
		t.Errorf("outer %v, inner %v, want the inner job's cost to be its own", outer.Cost(), track.Cost())
	}
	track.End(nil)
	outer.End(nil)
	rec.AssertSpanTree(`
		job
		  job
	`)
}
