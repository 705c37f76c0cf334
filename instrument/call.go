package instrument

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/stagemeter/stagemeter/instrument/internal/newest"
	"github.com/stagemeter/stagemeter/instrument/internal/once"
	"github.com/stagemeter/stagemeter/instrument/internal/seam"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/semconv"
)

// A Call is one call of a paid API, from [StartCall] to [Call.End]. Its methods are safe for
// concurrent use. A nil *Call is inert.
type Call struct {
	scope    scope // the context that StartCall returns
	handle   *apiHandle
	hold     hold // the reservation; unused if the job has no budget
	price    price
	requests lazyRequests
	start    time.Duration // on the clock of once.Now
	lease    time.Duration // of WithLease
	wasOver  bool          // the context, before the call began
	done     atomic.Bool
	model    atomic.Pointer[string] // with WithModelLabel, of a call that package aihttp meters
	kept     newest.Place           // in the details of the job
}

// StartCall starts a call of a paid API and a span "call API" of kind client, in the job of ctx, or
// outside of any job in the pipeline of ctx or [Default]. If the job has a budget, the budget is
// asked first. It reserves the amount of [WithMaxCost], or, without one, passes the call while
// anything is left; a call that is [Free] always passes. [WithUnpricedPolicy] decides about a call
// with [WithUnknownCost]. A refusal is a [*BudgetError], counts in
// video_processing_api_calls_total{status="refused"}, and leaves nothing to end. It is the only
// error that StartCall returns. Outside of a job nothing is refused. A call that is made is in
// video_processing_api_calls_in_progress until its End.
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
	h := p.apis.get(api)
	in, span := p.startInner(ctx, h.spanName, h.span)
	c := &Call{
		scope:  scope{Context: in, span: span, p: p, job: outer.job, stage: outer.stage},
		handle: h, start: once.Now(), wasOver: ctx.Err() != nil,
	}
	c.scope.call = c
	if len(opts) > 0 {
		c.configure(ctx, opts)
	}
	if j := outer.job; j != nil {
		a := ask{api: api, maxCost: c.price.max, minCost: c.price.min, unknown: c.price.unknown(), free: c.price.free, lease: c.lease, began: c.start}
		if err := j.reserve(in, &c.hold, a); err != nil {
			c.done.Store(true)
			h.seen.refused.Add(1)
			p.inst.APICalls.Add(in, 1, h.refused...)
			refused := ending{err: err}
			as := refused.in(in, p)
			as.mark(span)
			refused.end(span, as)
			if len(p.events.callRefused) > 0 {
				e := c.event()
				e.ErrorType, e.Err = as.ErrorType, err
				tell(p.events.callRefused, &c.scope, e)
			}
			return &c.scope, c, err
		}
		j.calls.Add(1)
	}
	h.inProgress.Add(1)
	at := underway
	defer c.abandon(&at)       // nobody else ends the call if a function of the user's ends this goroutine
	if clientTraceKey == nil { // the scope cannot answer for it
		c.scope.Context = c.requests.watch(in)
	}
	if outer.job != nil && outer.job.details != nil {
		started := startedCall{api: h, start: c.start, most: c.price.max}
		if outer.stage != nil {
			started.stage = outer.stage.handle
		}
		c.kept = outer.job.details.startCall(started)
	}
	if len(p.events.callStarted) > 0 {
		tell(p.events.callStarted, &c.scope, c.event())
	}
	at = hasEnded
	return &c.scope, c, nil
}

// event returns what all events of the call have.
func (c *Call) event() CallEvent {
	return CallEvent{Job: c.scope.job.ref(), Stage: c.scope.stage.name(), API: c.handle.name, MaxCost: c.price.max}
}

func (c *Call) configure(ctx context.Context, opts []CallOption) {
	var cfg callConfig
	for _, o := range opts {
		if o != nil {
			cfg = o.applyCall(cfg)
		}
	}
	pr, p := &c.price, c.scope.p
	pr.free, c.lease = cfg.free, cfg.lease
	if cfg.isUnknown {
		reason := cfg.unknown // cfg itself would be allocated each time
		pr.reason.Store(&reason)
	}
	if cfg.hasMaxCost {
		if pr.hasMax = p.bookable(ctx, cfg.maxCost); !pr.hasMax {
			pr.setInvalid()
		}
	}
	pr.hasMin = cfg.hasMinCost && p.bookable(ctx, cfg.minCost)
	if pr.hasMax && !pr.free {
		pr.max = cfg.maxCost
	}
	if pr.hasMin && !pr.free {
		pr.min = cfg.minCost
	}
}

// SetCost sets what the call really cost. The last of SetCost and [Call.SetUnpriced] before End
// holds. An amount that cannot be booked (negative, NaN, infinite) counts as invalid and changes
// nothing. The exact sum of costs is [Job.Cost]; see [Spend].
func (c *Call) SetCost(cost USD) {
	if c == nil || c.scope.p.inert() {
		return
	}
	if !c.scope.p.bookable(&c.scope, cost) {
		c.price.setInvalid()
		return
	}
	c.price.set(cost) // after End nothing reads it
}

// SetUnpriced says that nobody knows what the call cost, and why, in one word, such as
// "unknown_model". End then books nothing and counts the call in
// video_processing_api_unpriced_total{api, reason}: unknown is not 0. The last of SetUnpriced and
// [Call.SetCost] before End holds. A call that surely cost nothing is not unpriced, whatever
// SetUnpriced has said.
//
// Reasons are bounded as names are: past [WithNameLimit] they become "other". The reasons of this
// package are no_price, failed and invalid; see [Call.End].
func (c *Call) SetUnpriced(reason string) {
	if c == nil || c.scope.p.inert() {
		return
	}
	c.price.setUnpriced(reason)
}

// AddCost adds what one request of the call has cost, for a call that may need several: a retry, or
// the pages of a list. Once a request has told its cost by AddCost or [Call.AddUnpriced], the call
// costs what its requests have cost, also if it fails; [Call.SetCost] and [Call.SetUnpriced] stand
// above it. An amount that cannot be booked counts as invalid, and its request as unpriced.
//
// A request may tell its cost when the call has ended, such as one whose answer is read afterwards:
// the cost is then booked as by [Spend], unless End has booked the amount of [WithMaxCost], of
// [WithMinCost] or of SetCost, or the call is [Free].
func (c *Call) AddCost(cost USD) {
	switch {
	case c == nil || c.scope.p.inert():
	case !c.scope.p.bookable(&c.scope, cost):
		c.AddUnpriced(string(semconv.UnpricedReasonInvalid))
	case !c.price.addCost(cost) && cost > 0:
		spend(&c.scope, &c.scope, c.handle.name, cost)
	}
}

// AddUnpriced says that nobody knows what one request of the call has cost, and why, as
// [Call.SetUnpriced] does for the whole call. Each such request counts in
// video_processing_api_unpriced_total, and for each the budget loses what was reserved for the call,
// unconfirmed.
func (c *Call) AddUnpriced(reason string) {
	if c == nil || c.scope.p.inert() {
		return
	}
	if !c.price.addUnpriced(reason) {
		SpendUnpriced(&c.scope, c.handle.name, reason)
	}
}

// End ends the call: it counts it in video_processing_api_calls_total{api, status}, records
// video_processing_api_call_duration_seconds{api}, settles the reservation, and books the cost in
// video_processing_cost_usd_total{api}, on the job and on the span. The status is
//
//   - success: errp or *errp is nil, or the error is no failure by the rule of [OutcomeOf], as one
//     that says snoozed;
//   - canceled: the call's context was canceled and the error has no type of its own, or the error
//     is only canceled: the caller gave up;
//   - error: everything else, a passed deadline too. It counts in
//     video_processing_api_errors_total{api, error_type}.
//
// The first row that fits says what is booked. [WithMinCost] says which failed calls may have been
// charged. An error that says snoozed or interrupted is one of a failed call here: a refusal by the
// API often says it.
//
//	the call                                  books
//	AddCost or AddUnpriced, and neither of    what its requests have cost, and unpriced for each
//	the other two                             that does not know
//	SetCost came last; failed, may have       the amount of SetCost, no less than that of WithMinCost
//	been charged
//	SetCost came last                         the amount of SetCost
//	failed, surely not charged                nothing
//	SetUnpriced came last                     unpriced, with its reason
//	Free                                      0
//	failed, WithMinCost                       the amount of WithMinCost
//	succeeded, WithMaxCost                    the amount of WithMaxCost
//	WithUnknownCost                           unpriced, with its reason
//	an amount that cannot be booked came      unpriced: invalid
//	failed                                    unpriced: failed
//	else                                      unpriced: no_price
//
// An unpriced call counts in video_processing_api_unpriced_total{api, reason}, has its reason on
// the span as video.processing.unpriced, and adds nothing to any cost. The budget loses what it had
// reserved for the call, which its ledger books as unconfirmed. If the call has failed, it gets the
// amount of WithMaxCost back, unless SetUnpriced came last.
//
// A call that never ends keeps its reservation until its lease is over, see [WithLease], and stays
// in video_processing_api_calls_in_progress. Defer End directly. A panic, a Goexit and a second End
// are handled as by [Job.End].
func (c *Call) End(errp *error) {
	if c == nil || c.scope.p.inert() || !c.done.CompareAndSwap(false, true) {
		return
	}
	o := ended(errp, recover())
	c.finish(o)
	o.deliver(c.scope.p, errp)
}

func (c *Call) returned(err error) {
	if c != nil && c.done.CompareAndSwap(false, true) {
		c.finish(ending{err: err})
	}
}

func (c *Call) run(errp *error, at *progress) {
	if c == nil || *at == hasEnded || !c.done.CompareAndSwap(false, true) {
		return
	}
	o := ran(errp, recover(), *at)
	c.finish(o)
	o.deliver(c.scope.p, errp)
}

// abandon ends a call that StartCall could not return. It was not made, and costs nothing.
func (c *Call) abandon(at *progress) {
	if *at == hasEnded || !c.done.CompareAndSwap(false, true) {
		return
	}
	o := ran(nil, recover(), *at)
	c.price.hasMin, c.price.min = false, 0
	c.price.set(0)
	c.finish(o)
	o.deliver(c.scope.p, nil)
}

func init() {
	seam.EndLater = func(call any, errp *error) {
		c, _ := call.(*Call)
		if c == nil {
			return
		}
		for h := &c.hold; h != nil; h = h.next() {
			h.later = true
		}
		c.End(errp)
		c.requests.free()
	}
}

// finish ends the call, in parts as [Job.finish] does.
func (c *Call) finish(o ending) {
	p, h, ctx := c.scope.p, c.handle, c.scope.Context // the span is on its top, where exemplars look for it
	h.inProgress.Add(-1)
	took := once.Now() - c.start
	if j := c.scope.job; j != nil {
		j.calls.Add(-1)
	}
	counter, as := h.succeeded, completed
	if o.err != nil {
		if as = o.in(ctx, p); as.ErrorType == aborted { // it gave up by itself, and did not fail
			as = canceled
		}
		as.mark(c.scope.span)
		switch {
		case as.isError():
			counter = h.failed
		case as.Attempt == semconv.OutcomeCanceled:
			counter = h.canceled
		}
	}
	failed := as.Attempt != semconv.OutcomeCompleted
	b := c.price.book(failed, failed && mayHaveCost(ctx, o, c.requests.seen(), c.wasOver))
	defer c.tellEnd(o, as, took, &b)
	defer o.end(c.scope.span, as)
	defer c.describe(o, as, took, &b)
	defer c.book(ctx, &b)
	h.seen.calls.Add(1)
	if as.isError() {
		h.seen.errors.Add(1)
		p.countAPIError(ctx, h.name, as.ErrorType)
	}
	p.inst.APICallDuration.Record(ctx, took.Seconds(), h.duration...)
	p.inst.APICalls.Add(ctx, 1, counter...)
}

func (c *Call) describe(o ending, as Outcome, took time.Duration, b *booking) {
	if c.kept != 0 {
		c.scope.job.details.endCall(c.kept, took, b.cost, b.reason, as.ErrorType)
	}
	if j := c.scope.job; j != nil && j.done.Load() && c.scope.span.IsRecording() {
		c.scope.span.SetAttributes(afterJobKey.Bool(true))
	}
	if c.scope.rare.used() { // errors of stages in the call
		c.scope.countEnd(o.err, as, "")
	}
}

func (c *Call) tellEnd(o ending, as Outcome, took time.Duration, b *booking) {
	if p := c.scope.p; len(p.events.callEnded) > 0 {
		e := c.event()
		e.Duration, e.Cost, e.Unpriced, e.Canceled = took, b.cost, b.reason, as == canceled
		e.ErrorType, e.Err = as.ErrorType, o.err
		tell(p.events.callEnded, &c.scope, e)
	}
}

// settle ends the reservation with the cost, and with what the budget loses besides since the cost
// of some requests is not known, and writes the cost on the span.
func (c *Call) settle(ctx context.Context, cost, unknown USD) {
	if c.hold.account != nil {
		c.scope.job.settle(ctx, &c.hold, money.Sum(cost, unknown), unknown)
	}
	if c.scope.span.IsRecording() { // else the attribute is allocated for nothing
		c.scope.span.SetAttributes(costKey.Float64(cost.Float64()))
	}
}

// unpriced counts that a cost is not known, and returns the reason as it is shown.
func (c *Call) unpriced(ctx context.Context, reason string) string {
	reason = c.scope.p.countUnpriced(ctx, c.handle, reason)
	if c.scope.job != nil {
		c.scope.job.unpriced.Add(1)
	}
	if c.scope.span.IsRecording() {
		c.scope.span.SetAttributes(unpricedKey.String(reason))
	}
	return reason
}

// book records what the call cost, and ends its reservation.
func (c *Call) book(ctx context.Context, b *booking) {
	p := c.scope.p
	switch b.kind {
	case booked:
		unknown := USD(0)
		for _, reason := range b.also {
			b.reason = c.unpriced(ctx, reason)
			unknown = money.Sum(unknown, c.hold.once.Amount)
		}
		defer c.settle(ctx, b.cost, unknown)
		if b.cost > 0 || len(b.also) == 0 {
			p.spend(ctx, c.scope.job, c.handle, c.model.Load(), b.cost)
		}
		return
	case unpriced:
		b.reason = c.unpriced(ctx, b.reason)
	}
	switch {
	case c.hold.account == nil:
	case b.kind == unpriced && !b.failed && c.hold.once.Amount > 0:
		c.scope.job.settle(ctx, &c.hold, c.hold.once.Amount, c.hold.once.Amount)
	default:
		c.scope.job.release(ctx, &c.hold)
	}
}
