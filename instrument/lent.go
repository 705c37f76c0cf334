package instrument

import (
	"context"

	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument/internal/once"
	"github.com/stagemeter/stagemeter/instrument/internal/seam"
)

// Package aihttp measures through the pipeline of its calls, by what package seam lends.
func init() {
	seam.Drop = func(call any) {
		if c := lender(call); c != nil && c.done.CompareAndSwap(false, true) {
			c.drop()
		}
	}
	seam.PipelineOf = func(call any) *seam.Pipeline {
		if c := lender(call); c != nil {
			return &c.scope.p.lent
		}
		return nil
	}
	seam.PipelineIn = func(ctx context.Context) *seam.Pipeline {
		if s := scopeOf(ctx); !s.p.inert() {
			return &s.p.lent
		}
		return nil
	}
	seam.SpanOf = func(call any) trace.Span {
		if c := lender(call); c != nil {
			return c.scope.span
		}
		return trace.SpanFromContext(context.Background())
	}
	seam.StartSpan = func(ctx context.Context, call any, name string) (context.Context, trace.Span) {
		c := lender(call)
		if c == nil || c.scope.p.untraced {
			return ctx, trace.SpanFromContext(context.Background())
		}
		return c.scope.p.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(apiKey.String(c.handle.name)))
	}
	seam.EndSpan = func(call any, span trace.Span, err error) {
		if c := lender(call); c != nil && err != nil {
			o := ending{err: err}
			o.end(span, o.in(c.scope.Context, c.scope.p))
			return
		}
		span.End()
	}
	seam.ErrorType = func(call any, err error) string {
		c := lender(call)
		if c == nil || err == nil {
			return ""
		}
		if as := (ending{err: err}).in(c.scope.Context, c.scope.p); as.isError() && as.ErrorType != aborted {
			return as.ErrorType
		}
		return ""
	}
	seam.SetModel = func(call any, name string) {
		c := lender(call)
		if c == nil || c.scope.p.models == nil || name == "" {
			return
		}
		model := c.scope.p.models.get(name)
		if !c.model.CompareAndSwap(nil, model) && *c.model.Load() != *model {
			c.model.Store(c.scope.p.models.get(other))
		}
	}
}

// lender returns the call, or nil if it is inert.
func lender(call any) *Call {
	c, _ := call.(*Call)
	if c == nil || c.scope.p.inert() {
		return nil
	}
	return c
}

// drop ends a call that was none.
func (c *Call) drop() {
	c.handle.inProgress.Add(-1)
	if j := c.scope.job; j != nil {
		j.calls.Add(-1)
		j.details.dropCall(c.kept)
	}
	var o ending
	defer c.tellEnd(o, completed, once.Now()-c.start, &booking{})
	defer o.end(c.scope.span, completed)
	c.scope.span.SetName("redirect")
	if c.hold.account != nil {
		c.scope.job.release(c.scope.Context, &c.hold)
	}
}
