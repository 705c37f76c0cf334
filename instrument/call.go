package instrument

import (
	"context"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/semconv"
)

// A Call is one call of a paid API, from [StartCall] to [Call.End]. Its methods are safe for concurrent use; a nil
// *Call is inert.
type Call struct {
	p        *Pipeline
	job      *Job
	ctx      context.Context
	handle   *apiHandle
	span     trace.Span
	hold     hold // the reservation; of no account without a budget
	estimate USD
	floor    USD
	cost     atomic.Int64 // what SetCost said last, and one: 0 is that it said nothing
	done     atomic.Bool
}

const apiKey = attribute.Key("video.processing.api")

// StartCall starts a call of a paid API and a span "call API" of kind client. If the job has a budget, it is asked
// first: it reserves the estimate of [WithEstimate], or, without one, passes the call while anything is left. A
// refusal is a [*BudgetError], counts in video_processing_api_calls_total{status="refused"}, and leaves nothing to
// end; it is the only error that StartCall returns. Outside of a job nothing is refused.
//
//	ctx, call, err := instrument.StartCall(ctx, "whisper", instrument.WithEstimate(estimate))
//	if err != nil {
//		return err
//	}
//	defer call.End(&err)
//	…
//	call.SetCost(price)
func StartCall(ctx context.Context, api string, opts ...CallOption) (context.Context, *Call, error) {
	ctx = orBackground(ctx)
	s := scopeOf(ctx)
	p := s.p
	if p.inert() {
		return ctx, nil, nil
	}
	var cfg callConfig
	for _, o := range opts {
		if o != nil {
			cfg = o.applyCall(cfg)
		}
	}
	estimate, unknown := p.bookable(ctx, cfg.estimate)
	floor, _ := p.bookable(ctx, cfg.floor)
	h := p.apis.get(api)
	in, span := p.startInner(ctx, h.spanName, h.span)
	c := &Call{p: p, job: s.job, ctx: in, handle: h, span: span, estimate: estimate, floor: floor}
	if s.job == nil {
		return c.ctx, c, nil
	}
	if err := s.job.reserve(c, api, unknown); err != nil {
		c.done.Store(true)
		p.inst.APICalls.Add(c.ctx, 1, c.handle.refused...)
		outcome{err: err}.end(c.span, "budget_exceeded")
		return c.ctx, c, err
	}
	return c.ctx, c, nil
}

// bookable counts an amount that cannot be booked and makes 0 of it.
func (p *Pipeline) bookable(ctx context.Context, amount USD) (valid USD, unknown bool) {
	if reason := amount.invalid(); reason != "" {
		p.countInvalid(ctx, semconv.CostName, reason)
		return 0, true
	}
	return amount, false
}

// SetCost says what the call really cost; the last one before End holds. An amount that cannot be booked (negative,
// NaN, infinite) counts as invalid and leaves the cost unknown.
func (c *Call) SetCost(cost USD) {
	if c == nil || c.p.inert() {
		return
	}
	if reason := cost.invalid(); reason != "" {
		c.p.countInvalid(c.ctx, semconv.CostName, reason)
		return
	}
	c.cost.Store(int64(cost) + 1) // after End nobody reads it
}

// End ends the call: counts it in video_processing_api_calls_total{api, status}, settles the reservation, and books
// the cost in video_processing_cost_usd_total{api}, on the job and on the span. Without a SetCost a call that
// succeeded books its estimate, or 0 if it has none. One that failed and may have been charged books its floor, or
// what SetCost said if that is more; see [WithFloor]. A call that never ends keeps its reservation as long as its job
// lives. Defer it directly; what is said of a panic, a Goexit and a second End at [Job.End] holds here.
func (c *Call) End(errp *error) {
	if c == nil || c.p.inert() || !c.done.CompareAndSwap(false, true) {
		return
	}
	o := ended(errp, recover())
	c.finish(o)
	o.deliver(c.p, errp)
}

func (c *Call) finish(o outcome) {
	counter, cost, sure := c.handle.succeeded, c.estimate, true
	charged := false // a failed call
	if o.err != nil {
		charged = o.panic() || mayHaveCost(o.err)
		counter, cost, sure = c.handle.failed, c.floor, charged
	}
	if said := c.cost.Load(); said != 0 {
		cost, sure = USD(said-1), true
		if charged {
			cost = max(cost, c.floor)
		}
	}
	c.p.inst.APICalls.Add(c.ctx, 1, counter...)
	switch {
	case sure:
		c.p.spend(c.ctx, c.job, c.handle, cost, &c.hold)
		if c.span.IsRecording() { // else the attribute is allocated for nothing
			c.span.SetAttributes(costKey.Float64(cost.Float64()))
		}
	case c.hold.account != nil:
		c.job.release(c.ctx, &c.hold)
	}
	var errorType string
	if o.err != nil {
		errorType = o.errorType(c.ctx, c.p)
	}
	o.end(c.span, errorType)
}

// Spend books a cost that no call stands for, such as the rent of a GPU, in video_processing_cost_usd_total{api} and
// on the job. It is never refused, even beyond the budget: the money is gone. An amount that cannot be booked counts
// as invalid.
func Spend(ctx context.Context, api string, amount USD) {
	s := scopeOf(ctx)
	if s.p.inert() {
		return
	}
	ctx = orBackground(ctx)
	if reason := amount.invalid(); reason != "" {
		s.p.countInvalid(ctx, semconv.CostName, reason)
		return
	}
	var h hold
	if s.job != nil {
		if a := s.job.live.budget.account.Load(); a != nil {
			h = s.p.in(a.Account)
		}
	}
	s.p.spend(ctx, s.job, s.p.apis.get(api), amount, &h)
}

// spend books an amount in the totals, on the job, and in the account of its budget.
func (p *Pipeline) spend(ctx context.Context, j *Job, api *apiHandle, amount USD, h *hold) {
	if j == nil || !p.jobIDLabel {
		p.inst.Cost.Add(ctx, amount.Float64(), api.cost...)
	} else {
		p.inst.Cost.Add(ctx, amount.Float64(), withAttrs(semconv.AttrAPI.String(api.name), j.live.label()))
	}
	if j == nil {
		return
	}
	if !j.done.Load() {
		j.addCost(amount)
		if p.live.spend(j.live, api, amount) {
			p.inst.JobsUnshown.Add(ctx, 1)
		}
	}
	if h.account != nil {
		j.settle(ctx, h, amount)
	}
}
