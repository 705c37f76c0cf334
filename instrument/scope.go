package instrument

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// scope is what a context knows: the pipeline, the job and the innermost stage. It is that context itself, and a part
// of its job or stage: what is started, what finds it and what knows it are one allocation.
type scope struct {
	context.Context            // that of the span; nil in Pipeline.root, which is nobody's context
	span            trace.Span // the one that is in it, if this package has started one
	p               *Pipeline
	job             *Job
	stage           *Stage
}

type scopeKey struct{}

// Value answers for the scope, and leaves all else to the context that it wraps. Package context finds in it the
// cancellation that it watches, so a child that can be canceled needs no goroutine.
func (s *scope) Value(key any) any {
	if _, ok := key.(scopeKey); ok {
		return s
	}
	return s.Context.Value(key)
}

// String says in which of the two one is, as the contexts of package context say what they hold.
func (s *scope) String() string {
	outer := fmt.Sprintf("%T", s.Context)
	if c, ok := s.Context.(fmt.Stringer); ok {
		outer = c.String()
	}
	switch {
	case s.stage != nil:
		return outer + ".WithStage(" + s.stage.handle.name + ")"
	case s.job != nil:
		return outer + ".WithJob(" + s.job.shown + ")"
	}
	return outer + ".WithPipeline"
}

// scopeOf is the scope of ctx, or the default pipeline's outside of any.
func scopeOf(ctx context.Context) *scope {
	if s, ok := ctx.(*scope); ok { // right in a job or a stage, as most are: no search
		return s
	}
	if ctx != nil {
		if s, ok := ctx.Value(scopeKey{}).(*scope); ok {
			return s
		}
	}
	return &Default().root
}

func orBackground(ctx context.Context) context.Context {
	if ctx == nil {
		return context.Background()
	}
	return ctx
}

// startInner starts the span of a stage or a call. The no-op tracer gives a context whose span has the span context
// of the one around it, and does nothing. Where that one does nothing either, its context serves as well. A job's span is
// always started, so what looks for it in a job does not search all that is around the job.
func (p *Pipeline) startInner(ctx context.Context, name string, opts []trace.SpanStartOption) (context.Context, trace.Span) {
	if p.untraced && !spanOf(ctx).IsRecording() {
		return ctx, tracenoop.Span{} // not the one around it, which is not ours to end
	}
	return p.startSpan(ctx, name, opts...)
}

// spanOf is trace.SpanFromContext, without a search right in a job or a stage.
func spanOf(ctx context.Context) trace.Span {
	if s, ok := ctx.(*scope); ok && s.span != nil {
		return s.span
	}
	return trace.SpanFromContext(ctx)
}

// startSpan starts a span, a no-op where the tracer gives none.
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

// ContextWithPipeline makes p the pipeline of what is recorded under ctx, outside of any job: what ctx was in, it
// leaves. [WrapJob] starts its jobs there too. A nil p records nothing.
func ContextWithPipeline(ctx context.Context, p *Pipeline) context.Context {
	s := &scope{Context: orBackground(ctx)}
	if !p.inert() {
		s.p = p
	}
	return s
}

// JobFromContext is the job that ctx is in, or nil, which is inert.
func JobFromContext(ctx context.Context) *Job { return scopeOf(ctx).job }

var (
	defaultPipeline atomic.Pointer[Pipeline]
	defaultOnce     sync.Mutex
)

// Default is the pipeline of everything that is recorded outside of a job. Unless [SetDefault] gave one, it is made
// at the first use, with the global providers.
func Default() *Pipeline {
	if p := defaultPipeline.Load(); p != nil {
		return p
	}
	p, err := makeDefault()
	if err != nil { // reported without the lock: the handler is the user's code, and may record an error itself
		handle(err)
	}
	return p
}

func makeDefault() (*Pipeline, error) {
	defaultOnce.Lock()
	defer defaultOnce.Unlock()
	if p := defaultPipeline.Load(); p != nil {
		return p, nil
	}
	p, err := New(option(func(c *config) error { c.implicit = true; return nil }))
	defaultPipeline.Store(p)
	return p, err
}

// SetDefault makes p the pipeline that [Default] returns, and returns a function that undoes it. A nil p brings back
// the one with the global providers, made anew. The former pipeline is not closed.
func SetDefault(p *Pipeline) (restore func()) {
	old := defaultPipeline.Swap(p)
	return sync.OnceFunc(func() { defaultPipeline.Store(old) })
}

// handle reports what has no caller to return to. A handler that panics is contained.
func handle(err error) {
	defer func() { _ = recover() }()
	otel.Handle(err)
}
