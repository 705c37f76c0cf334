package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// scenario does a bit of everything, some of it wrong.
func scenario(p *instrument.Pipeline) {
	ctx := context.Background()
	p.Enqueue(ctx, "job-1", nil)
	_ = p.RunJob(ctx, "job-1", func(ctx context.Context) error {
		_, _ = instrument.RunStageValue(ctx, "analysis", func(ctx context.Context) (int, error) {
			instrument.RecordSegments(ctx, 12)
			instrument.RecordHighlight(ctx, math.NaN())
			return 12, nil
		})
		_, _ = instrument.RunCallValue(ctx, "whisper", func(string) instrument.USD { return 2 * instrument.Cent },
			func(context.Context) (string, error) { return "hello", nil })
		_, _ = instrument.RunCallValue(ctx, "whisper", nil,
			func(context.Context) (string, error) { return "", nil }, instrument.WithMaxCost(instrument.Dollar))
		_, err := instrument.RunStageValue(ctx, "rendering", func(context.Context) (int, error) { return 0, errDecoder })
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
		label("error.type", "error"))
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
