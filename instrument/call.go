package instrument

import (
	"context"
	"errors"
	"net"
	"sync/atomic"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/internal/errs"
	"github.com/stagemeter/stagemeter/semconv"
)

// A Call is one call of a paid API, from [StartCall] to [Call.End]. Its methods are safe for
// concurrent use. A nil *Call is inert.
type Call struct {
	scope   scope // the context that StartCall returns
	handle  *apiHandle
	hold    hold // the reservation; unused if the job has no budget
	maxCost USD
	minCost USD
	cost    atomic.Int64 // the last amount of SetCost with its bits inverted; 0 if there is none
	done    atomic.Bool
}

// StartCall starts a call of a paid API and a span "call API" of kind client, in the job of ctx, or
// outside of any job in the pipeline of ctx or [Default]. If the job has a budget, the budget is
// asked first. It reserves the amount of [WithMaxCost], or, without one, passes the call while
// anything is left. A refusal is a [*BudgetError], counts in
// video_processing_api_calls_total{status="refused"}, and leaves nothing to end. It is the only
// error that StartCall returns. Outside of a job nothing is refused.
//
//	ctx, call, err := instrument.StartCall(ctx, "whisper", instrument.WithMaxCost(most))
//	if err != nil {
//		return err
//	}
//	defer call.End(&err)
//	…
//	call.SetCost(price)
func StartCall(ctx context.Context, api string, opts ...CallOption) (context.Context, *Call, error) {
	return startCall(ctx, scopeOf(ctx), api, opts)
}

// StartCall is the function [StartCall] for this pipeline: in the job of ctx if that is a job of p,
// else outside of any job.
func (p *Pipeline) StartCall(ctx context.Context, api string, opts ...CallOption) (context.Context, *Call, error) {
	return startCall(ctx, p.scopeIn(ctx), api, opts)
}

func startCall(ctx context.Context, outer *scope, api string, opts []CallOption) (context.Context, *Call, error) {
	ctx = orBackground(ctx)
	p := outer.p
	if p.inert() {
		return unmeasured(ctx), nil, nil
	}
	var cfg callConfig
	for _, o := range opts {
		if o != nil {
			cfg = o.applyCall(cfg)
		}
	}
	maxCost, unknown := p.bookable(ctx, cfg.maxCost)
	minCost, _ := p.bookable(ctx, cfg.minCost)
	h := p.apis.get(api)
	in, span := p.startInner(ctx, h.spanName, h.span)
	c := &Call{
		scope:  scope{Context: in, span: span, p: p, job: outer.job, stage: outer.stage},
		handle: h, maxCost: maxCost, minCost: minCost,
	}
	c.scope.call = c
	if outer.job == nil {
		return &c.scope, c, nil
	}
	a := ask{api: api, maxCost: maxCost, minCost: minCost, unknown: unknown, lease: cfg.lease}
	if err := outer.job.reserve(in, &c.hold, a); err != nil {
		c.done.Store(true)
		p.inst.APICalls.Add(in, 1, h.refused...)
		outcome{err: err}.end(span, "budget_exceeded")
		return &c.scope, c, err
	}
	return &c.scope, c, nil
}

// bookable returns amount, or 0 for one that cannot be booked, which it counts.
func (p *Pipeline) bookable(ctx context.Context, amount USD) (valid USD, unknown bool) {
	if reason := invalidReason(amount); reason != "" {
		p.countInvalid(ctx, semconv.CostName, reason)
		return 0, true
	}
	return amount, false
}

// SetCost sets what the call really cost. The last amount before End holds. One that cannot be
// booked (negative, NaN, infinite) counts as invalid and leaves the cost unknown.
func (c *Call) SetCost(cost USD) {
	if c == nil || c.scope.p.inert() {
		return
	}
	if reason := invalidReason(cost); reason != "" {
		c.scope.p.countInvalid(&c.scope, semconv.CostName, reason)
		return
	}
	c.cost.Store(^int64(cost)) // after End nothing reads it
}

// End ends the call: it counts it in video_processing_api_calls_total{api, status}, settles the
// reservation, and books the cost in video_processing_cost_usd_total{api}, on the job and on the
// span. What it books:
//
//   - the amount of SetCost, if there is one; for a failed call that may have been charged no less
//     than the amount of [WithMinCost];
//   - else, for a call that succeeded, the amount of [WithMaxCost], or 0 without one;
//   - else, for a failed call that may have been charged, the amount of [WithMinCost];
//   - else nothing.
//
// A call that never ends keeps its reservation as long as its job lives. Defer End directly. A
// panic, a Goexit and a second End are handled as by [Job.End].
func (c *Call) End(errp *error) {
	if c == nil || c.scope.p.inert() || !c.done.CompareAndSwap(false, true) {
		return
	}
	o := ended(errp, recover())
	c.finish(o)
	o.deliver(c.scope.p, errp)
}

func (c *Call) finish(o outcome) {
	p, ctx := c.scope.p, c.scope.Context // the span is on its top, where exemplars look for it
	counter, cost, sure := c.handle.succeeded, c.maxCost, true
	charged := false // a failed call
	if o.err != nil {
		charged = o.panic() || mayHaveCost(o.err)
		counter, cost, sure = c.handle.failed, c.minCost, charged
	}
	if said := c.cost.Load(); said != 0 {
		cost, sure = USD(^said), true
		if charged {
			cost = max(cost, c.minCost)
		}
	}
	p.inst.APICalls.Add(ctx, 1, counter...)
	switch {
	case sure:
		p.spend(ctx, c.scope.job, c.handle, cost)
		if c.hold.account != nil {
			c.scope.job.settle(ctx, &c.hold, cost)
		}
		if c.scope.span.IsRecording() { // else the attribute is allocated for nothing
			c.scope.span.SetAttributes(costKey.Float64(cost.Float64()))
		}
	case c.hold.account != nil:
		c.scope.job.release(ctx, &c.hold)
	}
	var errorType string
	if o.err != nil {
		errorType = o.errorType(ctx, p)
	}
	o.end(c.scope.span, errorType)
}

// mayHaveCost reports whether a failed call may have been charged: everything but a refusal by the
// budget, a connection that never came up, and an answer of 3xx or 4xx. Providers bill what was
// processed, also when the client hung up, and do not bill rejected requests.
func mayHaveCost(err error) bool {
	if _, unmade := err.(nilFuncError); unmade {
		return false
	}
	return errs.Guarded(true, func() bool {
		var op *net.OpError
		var dns *net.DNSError
		switch {
		case errs.Endless(err):
			return true
		case errors.Is(err, budget.ErrExceeded), errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial":
			return false
		}
		code, ok := errs.HTTPStatus(err)
		return !ok || code >= 500
	})
}
