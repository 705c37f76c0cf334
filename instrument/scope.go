package instrument

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// scope holds what a context knows: the pipeline, the job, and the innermost stage and call. It is
// that context itself, and a part of its job, stage or call, so that starting one is a single
// allocation.
type scope struct {
	context.Context            // with the span; nil only in Pipeline.root, which is never handed out
	span            trace.Span // the span of Context, if this package has started it
	p               *Pipeline
	job             *Job
	stage           *Stage
	call            *Call
	rare            lazyRare // of the job, stage or call whose own scope this is
}

type scopeKey struct{}

// Value returns the scope for scopeKey, a call's trace for an HTTP client that asks for one, and
// leaves all else to the context that it wraps. Package context finds in there the cancellation
// that it watches, so a child that can be canceled needs no goroutine.
func (s *scope) Value(key any) any {
	if _, ok := key.(scopeKey); ok {
		return s
	}
	if s.call != nil && s == &s.call.scope && key == clientTraceKey && key != nil {
		return s.call.requests.in(s.Context)
	}
	return s.Context.Value(key)
}

// String describes the scope as the contexts of package context describe themselves.
func (s *scope) String() string {
	outer := fmt.Sprintf("%T", s.Context)
	if c, ok := s.Context.(fmt.Stringer); ok {
		outer = c.String()
	}
	switch {
	case s.call != nil && s == &s.call.scope:
		return outer + ".WithCall(" + s.call.handle.name + ")"
	case s.stage != nil:
		return outer + ".WithStage(" + s.stage.handle.name + ")"
	case s.job != nil:
		return outer + ".WithJob(" + s.job.shown + ")"
	}
	return outer + ".WithPipeline"
}

// scopeOf returns the scope of ctx, or the default pipeline's if ctx has none.
func scopeOf(ctx context.Context) *scope {
	if s := ownScope(ctx); s != nil {
		return s
	}
	return &Default().root
}

// ownScope returns the scope of ctx, or nil if ctx has none.
func ownScope(ctx context.Context) *scope {
	if s, ok := ctx.(*scope); ok { // right in a job, stage or call, as most are: no search
		return s
	}
	if ctx == nil {
		return nil
	}
	s, _ := ctx.Value(scopeKey{}).(*scope)
	return s
}

// scopeIn returns the scope of ctx if that is of p, else the one of p outside of any job.
func (p *Pipeline) scopeIn(ctx context.Context) *scope {
	if p.inert() {
		return new(scope)
	}
	if s := ownScope(ctx); s != nil && s.p == p {
		return s
	}
	return &p.root
}

// underWay returns s, or if its job, stage or call has ended the next one around it that has not;
// nil outside of any.
func (s *scope) underWay() *scope {
	ended := false
	switch {
	case s.call != nil && s == &s.call.scope:
		ended = s.call.done.Load()
	case s.stage != nil && s == &s.stage.scope:
		ended = s.stage.done.Load()
	case s.job != nil && s == &s.job.scope:
		ended = s.job.done.Load()
	default:
		return nil
	}
	if ended {
		return s.around()
	}
	return s
}

// around returns the scope of the job, stage or call of the same pipeline that s is in and that has
// not ended; nil outside of any.
func (s *scope) around() *scope {
	if outer := ownScope(s.Context); outer != nil && outer.p == s.p {
		return outer.underWay()
	}
	return nil
}

// dimension returns the dimension of the scope's job.
func (s *scope) dimension() *dimension {
	if s.job == nil {
		return plain
	}
	return s.job.dimension
}

func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

// startInner starts the span of a stage or a call. The no-op tracer would return a context whose
// span has the span context of the one around it and does nothing; where that one does nothing
// either, ctx serves as well. A job's span is always started, so that a search for it in a job does
// not go on to what is around the job.
func (p *Pipeline) startInner(ctx context.Context, name string, opts []trace.SpanStartOption) (context.Context, trace.Span) {
	if p.untraced && !spanOf(ctx).IsRecording() {
		return ctx, tracenoop.Span{} // not the span around it, which must not be ended here
	}
	return p.startSpan(ctx, name, opts...)
}

// spanOf is trace.SpanFromContext, without a search right in a job, stage or call.
func spanOf(ctx context.Context) trace.Span {
	if s, ok := ctx.(*scope); ok && s.span != nil {
		return s.span
	}
	return trace.SpanFromContext(ctx)
}

// startSpan starts a span, or returns a no-op if the tracer returns none.
func (p *Pipeline) startSpan(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	in, span := p.tracer.Start(ctx, name, opts...)
	if in == nil {
		in = ctx
	}
	if span == nil {
		span = trace.SpanFromContext(context.Background())
	}
	return in, span
}

// ContextWithPipeline returns a copy of ctx in which p is the pipeline, outside of any job, stage
// and call. A nil p records nothing.
func ContextWithPipeline(ctx context.Context, p *Pipeline) context.Context {
	s := &scope{Context: orBackground(ctx)}
	if !p.inert() {
		s.p = p
	}
	return s
}

// unmeasured returns ctx without a pipeline: what an inert pipeline starts is inert throughout.
func unmeasured(ctx context.Context) context.Context {
	if s := ownScope(ctx); s != nil && s.p == nil {
		return ctx
	}
	return ContextWithPipeline(ctx, nil)
}

// JobFromContext returns the innermost job of ctx. Without one it returns nil, which is inert.
func JobFromContext(ctx context.Context) *Job {
	if s := ownScope(ctx); s != nil {
		return s.job
	}
	return nil
}

// StageFromContext returns the innermost stage of ctx in its job. Without one it returns nil, which
// is inert.
func StageFromContext(ctx context.Context) *Stage {
	if s := ownScope(ctx); s != nil {
		return s.stage
	}
	return nil
}

// CallFromContext returns the innermost paid call of ctx in its job. Without one it returns nil,
// which is inert. In a function that [RunCall] or [RunCallValue] runs, it says what a call cost
// that failed and was billed all the same:
//
//	instrument.CallFromContext(ctx).SetCost(cost)
//	return Transcript{}, err
func CallFromContext(ctx context.Context) *Call {
	if s := ownScope(ctx); s != nil {
		return s.call
	}
	return nil
}

func pipelineOf(ctx context.Context) (*Pipeline, context.Context) {
	return scopeOf(ctx).p, orBackground(ctx)
}

// traceID returns the trace of a span, or "".
func traceID(span trace.Span) string {
	if c := span.SpanContext(); c.HasTraceID() {
		return c.TraceID().String()
	}
	return ""
}
