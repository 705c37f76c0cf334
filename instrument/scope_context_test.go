package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"go.opentelemetry.io/otel/baggage"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

type userKey struct{}

// inside is the contexts that a program gets in ctx, by what they are in. Each is of this package's own type, or has
// one of it around it.
func inside(t *testing.T, p *instrument.Pipeline, ctx context.Context) map[string]context.Context {
	job, j := p.StartJob(ctx, "job-1")
	stage, outer := instrument.StartStage(job, "analysis")
	nested, inner := instrument.StartStage(stage, "detection")
	call, c, err := instrument.StartCall(nested, "whisper")
	t.Cleanup(func() { c.End(nil); inner.End(nil); outer.End(nil); j.End(nil) })
	if err != nil {
		t.Fatal(err)
	}
	return map[string]context.Context{
		"job": job, "stage": stage, "nested stage": nested, "call": call,
		"pipeline": instrument.ContextWithPipeline(ctx, p),
	}
}

// Package context gives a child of a context that it does not know a goroutine of its own, until the child is
// canceled. A child of a stage must have none: a pipeline would have one for each of its downloads.
func TestChildrenOfAStageNeedNoGoroutine(t *testing.T) {
	p, _ := instrumenttest.New(t)
	parent, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	contexts := inside(t, p, parent)
	before := runtime.NumGoroutine()
	var children []context.Context
	for _, ctx := range contexts {
		child, stop := context.WithCancel(ctx)
		defer stop()
		deadline, stop := context.WithTimeout(child, time.Hour)
		defer stop()
		after := context.AfterFunc(ctx, func() {})
		defer after()
		children = append(children, child, deadline)
	}
	if after := runtime.NumGoroutine(); after != before {
		t.Errorf("%d goroutines for %d children", after-before, len(children))
	}
	why := errors.New("why")
	cancel(why)
	for _, ctx := range children {
		if !errors.Is(ctx.Err(), context.Canceled) || context.Cause(ctx) != why {
			t.Errorf("%v: Err = %v, Cause = %v", ctx, ctx.Err(), context.Cause(ctx))
		}
	}
}

func TestAStagePassesOnItsContext(t *testing.T) {
	p, _ := instrumenttest.New(t)
	member, _ := baggage.NewMember("tenant", "acme")
	bag, _ := baggage.New(member)
	parent := baggage.ContextWithBaggage(context.WithValue(context.Background(), userKey{}, "mine"), bag)
	deadline := time.Now().Add(time.Hour)
	parent, cancel := context.WithDeadline(parent, deadline)
	contexts := inside(t, p, parent)
	for name, ctx := range contexts {
		if at, ok := ctx.Deadline(); !ok || !at.Equal(deadline) {
			t.Errorf("%s: Deadline = %v, %v", name, at, ok)
		}
		if ctx.Err() != nil || ctx.Value(userKey{}) != "mine" || baggage.FromContext(ctx).Member("tenant").Value() != "acme" {
			t.Errorf("%s: what its parent holds is lost", name)
		}
		if ctx.Value("other") != nil || ctx.Value(nil) != nil {
			t.Errorf("%s: has what its parent has not", name)
		}
	}
	cancel()
	for name, ctx := range contexts {
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Second):
			t.Errorf("%s: not canceled with its parent", name)
		}
		if !errors.Is(ctx.Err(), context.Canceled) || context.WithoutCancel(ctx).Err() != nil {
			t.Errorf("%s: Err = %v", name, ctx.Err())
		}
	}
}

// Programs print contexts when they debug. It must say where one is, and not print everything that is in it.
func TestContextsSayWhereTheyAre(t *testing.T) {
	p, _ := instrumenttest.New(t, instrument.WithTracerProvider(tracenoop.NewTracerProvider()))
	const span = ".WithValue(trace.traceContextKeyType, noop.Span)"
	contexts := inside(t, p, context.Background())
	for name, want := range map[string]string{
		"pipeline":     "context.Background.WithPipeline",
		"job":          "context.Background" + span + ".WithJob(job-1)",
		"nested stage": "context.Background" + span + ".WithJob(job-1).WithStage(analysis).WithStage(detection)",
	} {
		if got := fmt.Sprint(contexts[name]); got != want {
			t.Errorf("%s prints as %s, want %s", name, got, want)
		}
	}
	own := instrument.ContextWithPipeline(struct{ context.Context }{context.Background()}, p)
	if got, want := fmt.Sprint(own), "struct { context.Context }.WithPipeline"; got != want {
		t.Errorf("in a context of the user's own: %s, want %s", got, want)
	}
}

// With no tracer a stage and a call get no context of the tracer's. What is in theirs is what the tracer would have
// put there.
func TestWithoutATracerTheSpanIsTheSame(t *testing.T) {
	recording := sdktrace.NewTracerProvider().Tracer("other")
	remote := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	withSpan, outer := recording.Start(context.Background(), "outer")
	defer outer.End()
	p, _ := instrumenttest.New(t, instrument.WithTracerProvider(tracenoop.NewTracerProvider()))
	for name, ctx := range map[string]context.Context{
		"nothing around": context.Background(),
		"a remote span":  trace.ContextWithRemoteSpanContext(context.Background(), remote),
		"another tracer": withSpan,
	} {
		want, _ := tracenoop.NewTracerProvider().Tracer("").Start(ctx, "stage")
		for in, got := range inside(t, p, ctx) {
			if in == "pipeline" {
				continue
			}
			span := trace.SpanFromContext(got)
			if span.IsRecording() || !span.SpanContext().Equal(trace.SpanContextFromContext(want)) {
				t.Errorf("%s, in a %s: span %+v, want one that records nothing and has %+v", name, in, span, trace.SpanContextFromContext(want))
			}
		}
		// outside of a job too
		got, stage := instrument.StartStage(instrument.ContextWithPipeline(ctx, p), "analysis")
		if span := trace.SpanFromContext(got); span.IsRecording() || !span.SpanContext().Equal(trace.SpanContextFromContext(want)) {
			t.Errorf("%s, outside of a job: span %+v", name, span)
		}
		stage.End(nil)
	}
}
