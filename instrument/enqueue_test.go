package instrument_test

import (
	"context"
	"errors"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// A job counts as queued once it is in the queue, and a job that is not never: a backlog of jobs
// that no worker will ever see is one that somebody goes looking for.
func TestStartEnqueue(t *testing.T) {
	errInsert := errors.New("insert failed")
	for _, tt := range []struct {
		reason  string
		insert  func(context.Context, *instrument.Insert) error
		queued  float64
		outcome string
		id      string
		code    codes.Code
	}{
		{"committed", func(_ context.Context, e *instrument.Insert) error { e.Committed("row-7"); return nil }, 1, "completed", "row-7", codes.Unset},
		{"committed twice", func(_ context.Context, e *instrument.Insert) error {
			e.Committed("row-7")
			e.Committed("row-8")
			return nil
		}, 1, "completed", "row-7", codes.Unset},
		{"a duplicate that the queue has dropped", func(context.Context, *instrument.Insert) error { return nil }, 0, "", "", codes.Unset},
		{"the insert failed, or was rolled back", func(context.Context, *instrument.Insert) error { return errInsert }, 0, "failed", "", codes.Error},
		{"its caller gave up", func(ctx context.Context, _ *instrument.Insert) error { return &ownType{"canceled"} }, 0, "canceled", "", codes.Unset},
		{"it failed after the commit", func(_ context.Context, e *instrument.Insert) error { e.Committed("row-7"); return errInsert }, 1, "failed", "row-7", codes.Error},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			carrier := propagation.MapCarrier{}
			put := func(ctx context.Context) (err error) {
				ctx, insert := instrument.StartEnqueue(ctx, carrier, instrument.WithJobType("dubbing"))
				defer insert.End(&err)
				if carrier["traceparent"] == "" || carrier[instrument.EnqueuedAtKey] == "" {
					t.Errorf("the carrier is filled before the insert: %v", carrier)
				}
				if got := rec.Counter(vp("jobs_total"), label("status", "queued")); got != 0 {
					t.Errorf("queued = %v before the insert", got)
				}
				if !trace.SpanContextFromContext(ctx).IsValid() {
					t.Error("the context has no span")
				}
				return tt.insert(ctx, insert)
			}
			_ = put(instrument.ContextWithPipeline(t.Context(), p))
			if got := rec.Counter(vp("jobs_total"), label("status", "queued"), label("job_type", "dubbing")); got != tt.queued {
				t.Errorf("queued = %v, want %v", got, tt.queued)
			}
			if got := rec.Counter(vp("errors_total")); got != 0 {
				t.Errorf("errors_total = %v: it is the error of no job", got)
			}
			span := rec.Span("enqueue job")
			values := attribute.NewSet(span.Attributes...)
			for key, want := range map[attribute.Key]string{"video.processing.outcome": tt.outcome, "video.processing.job.id": tt.id} {
				if got, _ := values.Value(key); got.AsString() != want {
					t.Errorf("the span's %s is %q, want %q", key, got.AsString(), want)
				}
			}
			if span.Status.Code != tt.code || span.SpanKind != trace.SpanKindProducer {
				t.Errorf("span status %v, kind %v, want %v, producer", span.Status.Code, span.SpanKind, tt.code)
			}
			_, job := p.StartJob(t.Context(), "row-7", instrument.WithCarrier(carrier))
			job.End(nil)
			if links := rec.Span("job").Links; len(links) != 1 || links[0].SpanContext.SpanID() != span.SpanContext.SpanID() {
				t.Errorf("the job's links are %v, want one to the span that enqueued it", links)
			}
		})
	}
}

// The commit may come after the function that made the insert, as with a transaction of its
// caller's.
func TestCommittedAfterTheEnd(t *testing.T) {
	p, rec := instrumenttest.New(t)
	_, insert := p.StartEnqueue(t.Context(), nil)
	insert.End(nil)
	insert.End(&errDecoder)
	insert.Committed("row-7")
	if got := rec.Counter(vp("jobs_total"), label("status", "queued")); got != 1 {
		t.Errorf("queued = %v, want 1", got)
	}
	if spans := rec.Spans(); len(spans) != 1 || spans[0].Status.Code != codes.Unset {
		t.Errorf("spans = %v, want one without an error", spans)
	}
}

func TestStartEnqueueThatPanics(t *testing.T) {
	for _, recovers := range []bool{false, true} {
		var opts []instrument.Option
		if recovers {
			opts = append(opts, instrument.WithRecover())
		}
		p, rec := instrumenttest.New(t, opts...)
		var err error
		v := recovered(func() {
			err = func() (err error) {
				_, insert := p.StartEnqueue(t.Context(), propagation.MapCarrier(nil))
				defer insert.End(&err)
				panic("boom")
			}()
		})
		var pe *instrument.PanicError
		if recovers != errors.As(err, &pe) || recovers != (v == nil) {
			t.Errorf("WithRecover %v: error %v, panic %v", recovers, err, v)
		}
		rec.AssertSpanTree("enqueue job (producer) error=panic")
		if got := rec.Counter(vp("jobs_total"), label("status", "queued")); got != 0 {
			t.Errorf("queued = %v", got)
		}
	}
}
