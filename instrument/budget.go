package instrument

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/internal/errs"
	"github.com/stagemeter/stagemeter/instrument/internal/remote"
	"github.com/stagemeter/stagemeter/semconv"
)

// A BudgetError is the refusal of a paid call, with the figures behind it. It matches
// [ErrBudgetExceeded] with errors.Is. Its error_type is budget_exceeded, or ledger_unavailable if
// the ledger could not be asked and [LedgerClosed] or [LedgerLease] holds.
type BudgetError = budget.Error

// ErrBudgetExceeded is matched by every refusal of a budget.
var ErrBudgetExceeded = budget.ErrExceeded

// openBudget gives the job an account with the budgets of c, or moves the limit of the one that its
// id has.
func (j *Job) openBudget(ctx context.Context, c jobConfig) {
	p := j.scope.p
	own := budget.Scope{Kind: budget.Job, ID: j.id, Limit: Unlimited}
	if c.account != "" {
		own.ID = c.account
	}
	if c.hasBudget {
		own.Limit = j.limit(ctx, c.budget)
	}
	scopes := make([]budget.Scope, 1, 1+len(c.scopes))
	scopes[0] = own
	for _, s := range c.scopes {
		s.Limit = j.limit(ctx, s.Limit)
		scopes = append(scopes, s)
	}
	b := &j.live.budget
	b.limit.Store(int64(own.Limit))
	scopes, around := j.besides(scopes)
	a := &openAccount{scopes: scopes, around: around, kept: own.ID != j.id}
	if err := j.open(ctx, a); err != nil {
		if p.near != nil {
			p.countLedger(remote.Open)
		}
		handle(fmt.Errorf("instrument: every paid call of job %q is refused: %w", j.shown, err))
		_, _ = a.openNear(ctx, budget.NewMemoryLedger(), budget.Scope{Kind: own.Kind, ID: own.ID}) // an account without scopes
		a.far, a.broken = nil, err
	}
	j.account = a
	b.account.Store(a)
	j.moveLimits(ctx, around)
}

// besides returns the scopes for an account that is used together with those of the jobs around
// this one. What one of these has is left out, since a call is held there too, unless the account is
// the same, and used in place of that one. It also returns the scopes that were left out.
func (j *Job) besides(scopes []budget.Scope) (own, left []budget.Scope) {
	for o := j.outer; o != nil; o = o.outer {
		around := o.budgetAccount()
		if around == nil {
			continue
		}
		same := around.id() == scopes[0].ID
		for _, s := range around.scopes {
			has := func(t budget.Scope) bool { return t.Kind == s.Kind && t.ID == s.ID }
			switch {
			case !same:
				if i := slices.IndexFunc(scopes[1:], has); i >= 0 {
					left = append(left, scopes[1+i])
					scopes = slices.Delete(scopes, 1+i, 2+i)
				}
			case !slices.ContainsFunc(scopes, has):
				scopes = append(scopes, s)
			}
		}
	}
	return scopes, left
}

// moveLimits gives scopes, which accounts of the jobs around this one have, the limits that this job
// was given: the limit that was given last holds. A ledger that is away does not hear of them.
func (j *Job) moveLimits(ctx context.Context, scopes []budget.Scope) {
	for _, s := range scopes {
		a := &openAccount{scopes: []budget.Scope{s}}
		if p := j.scope.p; p.near != nil {
			if _, err := a.openNear(ctx, p.near, s); err != nil {
				continue
			}
		} else if a.far, _ = p.far.Open(ctx, func(budget.Balance) {}, s); a.far == nil {
			continue
		}
		if err := a.close(context.WithoutCancel(ctx)); err != nil && !remote.Unasked(err) {
			handle(fmt.Errorf("instrument: the %s of job %q: %w", clean(string(s.Kind), maxNameLen), j.shown, err))
		}
	}
}

// open opens the account, and returns why the ledger refuses to. Of a ledger that is away the
// account is opened later.
func (j *Job) open(ctx context.Context, a *openAccount) (err error) {
	p := j.scope.p
	if p.near != nil {
		bal, err := a.openNear(ctx, p.near, a.scopes...)
		if err == nil {
			j.opened(a, bal)
		}
		return err
	}
	a.far, err = p.far.Open(ctx, func(bal budget.Balance) { j.opened(a, bal) }, a.scopes...)
	if err == nil || !remote.Away(err) {
		return err
	}
	if remote.Unasked(err) {
		return nil
	}
	if p.policy.closed {
		handle(fmt.Errorf("instrument: every paid call of job %q is refused until the ledger answers: %w", j.shown, err))
	} else {
		handle(fmt.Errorf("instrument: no budget for job %q until the ledger answers: %w", j.shown, err))
	}
	return nil
}

// opened takes note of the balance that an account has when it is opened.
func (j *Job) opened(a *openAccount, bal budget.Balance) {
	if j.first && !a.kept {
		j.addEarlier(bal.Own)
	}
	j.live.budget.see(bal)
}

// limit returns a limit that a ledger takes: 0 for one that is no amount.
func (j *Job) limit(ctx context.Context, limit USD) USD {
	if reason := invalidReason(limit); reason != "" && limit != Unlimited {
		j.scope.p.countInvalid(ctx, semconv.BudgetRemainingName, reason)
		return 0
	}
	return limit
}

// reserve asks the budgets of the job, and of those around it, for a call, and leaves the
// reservation in h. It returns the first refusal, and then holds nothing, or nil when the call may
// be made. A free call reserves nothing and is not refused; if a cost turns up, h settles it.
func (j *Job) reserve(ctx context.Context, h *hold, a ask) error {
	if policy := j.scope.p.unpriced; a.unknown != "" && j.limited() {
		a.maxCost, a.denied = policy.reserve, !policy.passes
	}
	a.job = j
	j.holdIn(h, a)
	if h.account == nil || a.free {
		return nil
	}
	for k := h; k != nil; k = k.next() {
		refused := k.payer.admit(ctx, k, a)
		if refused == nil {
			continue
		}
		for r := h; r != k; r = r.next() {
			r.payer.releaseIn(ctx, r)
		}
		*h = hold{}
		return refused
	}
	return nil
}

// admit asks the budget of this job.
func (j *Job) admit(ctx context.Context, h *hold, a ask) error {
	switch {
	case h.account.broken != nil:
		refusal := h.refusal(budget.Balance{}, a, nil)
		refusal.Err = h.account.broken
		return refusal
	case a.denied && h.account.limited():
		refusal := h.refusal(j.live.budget.known(), a, nil)
		refusal.Unpriced = a.unknown
		if s := h.account.limit(); s.Kind != budget.Job || s.ID != refusal.Scope.ID {
			refusal.Scope, refusal.Limit, refusal.Spent, refusal.Held = s, s.Limit, 0, 0
		}
		return refusal
	}
	bal, err := h.take(ctx, a.began)
	switch {
	case err == nil:
		j.saw(ctx, h.account, bal)
		return nil
	case remote.Away(err):
		told := !remote.Unasked(err) && ctx.Err() == nil // else the caller gave up
		if !j.scope.p.policy.closed {
			if told {
				handle(fmt.Errorf("instrument: the ledger did not answer for job %q, the call of %s goes on: %w", j.shown, clean(a.api, maxNameLen), err))
			}
			return nil
		}
		if told {
			handle(fmt.Errorf("instrument: the ledger did not answer for job %q, the call of %s is refused: %w", j.shown, clean(a.api, maxNameLen), err))
		}
		refusal := h.refusal(j.live.budget.known(), a, nil)
		refusal.Err = err
		return refusal
	case errs.Is(err, budget.ErrExceeded):
		if h.account.far != nil && isZero(bal) { // of a ledger whose store is away
			bal = j.live.budget.known()
		}
		j.saw(ctx, h.account, bal)
		return h.refusal(bal, a, err)
	default:
		if h.account.near != nil {
			j.scope.p.countLedger(remote.Reserve)
		}
		handle(fmt.Errorf("instrument: nothing is reserved for job %q, the call of %s goes on: %w", j.shown, clean(a.api, maxNameLen), err))
		return nil
	}
}

// refusal returns the refusal of a call by the account of h, whose balance is bal, or by the scope
// that the ledger's error names.
func (h *hold) refusal(bal budget.Balance, a ask, err error) *BudgetError {
	e := &BudgetError{
		Scope: budget.Scope{Kind: budget.Job, ID: h.account.id(), Limit: bal.Limit},
		Limit: bal.Limit, Spent: bal.Spent, Held: bal.Held,
	}
	if told, _ := errs.As[*BudgetError](err); told != nil && told.Scope.Kind != "" {
		*e = BudgetError{Scope: told.Scope, Limit: told.Limit, Spent: told.Spent, Held: told.Held}
	}
	e.Job, e.API, e.Asked = a.job.id, a.api, a.maxCost
	return e
}

// release ends the hold of a call that cost nothing.
func (j *Job) release(ctx context.Context, h *hold) {
	for k := h; k != nil; k = k.next() {
		k.payer.releaseIn(ctx, k)
	}
}

func (j *Job) releaseIn(ctx context.Context, h *hold) {
	bal, err := h.release(ctx, j.later(ctx, h))
	if err != nil {
		j.failed(remote.Release, h, fmt.Errorf("instrument: a hold of job %q not released: %w", h.named.job.shown, err), err)
		return
	}
	j.saw(ctx, h.account, bal)
}

// settle books what a call or a Spend cost, of which a part may not be known.
func (j *Job) settle(ctx context.Context, h *hold, cost, unconfirmed USD) {
	for k := h; k != nil; k = k.next() {
		k.payer.settleIn(ctx, k, cost, unconfirmed)
	}
}

// book books a cost without a reservation.
func (j *Job) book(ctx context.Context, api string, cost USD) {
	payer, only := j.firstPayer()
	if payer == nil {
		return
	}
	if a := payer.budgetAccount(); only && a.once != nil {
		payer.saw(ctx, a, a.once.SpendOnce(a.id() == j.id, cost))
		return
	}
	h := new(hold)
	j.holdIn(h, ask{api: api})
	j.settle(ctx, h, cost, 0)
}

func (j *Job) settleIn(ctx context.Context, h *hold, cost, unconfirmed USD) {
	bal, err := h.settle(ctx, cost, unconfirmed, j.later(ctx, h))
	if err == errLater {
		return
	}
	if err != nil {
		j.failed(remote.Settle, h, fmt.Errorf("instrument: %s of job %q not settled: %w", cost, h.named.job.shown, err), err)
		return
	}
	j.saw(ctx, h.account, bal)
}

// later returns what to do once an operation of h succeeds that was tried again; nil for an account
// in memory, where nothing is.
func (j *Job) later(ctx context.Context, h *hold) func(budget.Balance) {
	if h.account.far == nil {
		return nil
	}
	account := h.account // and not h, which would be allocated for all
	return func(bal budget.Balance) { j.saw(ctx, account, bal) }
}

// failed reports an operation that failed.
func (j *Job) failed(op remote.Op, h *hold, report, err error) {
	if h.account.near != nil {
		j.scope.p.countLedger(op)
	}
	if !remote.Unasked(err) {
		handle(report)
	}
}

// saw takes note of a balance of the job's account, and of the thresholds that it tells of.
func (j *Job) saw(ctx context.Context, a *openAccount, bal budget.Balance) {
	if a.far != nil {
		j.live.budget.see(bal)
		if j.done.Load() { // a call has outlived its job
			j.scope.p.live.see(j.id, j.live, a, bal)
		}
	}
	for _, c := range bal.Crossed {
		j.crossed(ctx, a, c)
	}
}

// crossed takes note of a threshold that an account of the job has reached. The ledger tells of it
// once for the account, however many processes share that.
func (j *Job) crossed(ctx context.Context, a *openAccount, c budget.Crossing) {
	name := "budget threshold reached"
	if c.Percent >= budget.Exceeded {
		name = "budget exceeded"
		if c.Scope.Kind == budget.Job && c.Scope.ID == a.id() {
			j.live.budget.exceeded.Store(true)
		}
		j.scope.p.inst.BudgetExceeded.Add(ctx, 1)
	}
	if len(j.scope.p.events.threshold) > 0 {
		_ = contain("a function of Events", func() error { // which would end a call in the middle of its reservation
			tell(j.scope.p.events.threshold, ctx, ThresholdEvent{Job: j.ref(), Crossing: c})
			return nil
		})
	}
	if !j.scope.span.IsRecording() {
		return
	}
	attrs := []attribute.KeyValue{
		attribute.String("video.processing.budget.scope", clean(string(c.Scope.Kind), maxNameLen)),
		attribute.String("video.processing.budget.id", j.scope.p.ids.shown(c.Scope.ID)),
	}
	if c.Percent < budget.Exceeded {
		attrs = append(attrs, attribute.Int("video.processing.budget.percent", c.Percent))
	}
	attrs = append(attrs,
		attribute.Float64("video.processing.budget.limit_usd", c.Scope.Limit.Float64()),
		attribute.Float64("video.processing.budget.spent_usd", c.Spent.Float64()))
	j.scope.span.AddEvent(name, trace.WithAttributes(attrs...))
}

// limited reports whether the budget of the job, or of one around it, refuses anything.
func (j *Job) limited() bool {
	for o := j; o != nil; o = o.outer {
		if a := o.budgetAccount(); a != nil && a.limited() {
			return true
		}
	}
	return false
}

// ReportBudgetRemaining shows an amount that the program has computed itself in
// video_processing_budget_remaining_usd{job_id}, in place of what [WithBudget] would show. It refuses
// nothing. The first negative amount counts as budget exceeded, also after End. NaN, an infinite amount
// and [Unlimited] count as invalid.
func (j *Job) ReportBudgetRemaining(remaining USD) {
	if j == nil || j.scope.p.inert() {
		return
	}
	if reason := invalidReason(remaining); reason != "" && reason != semconv.InvalidReasonNegative {
		j.scope.p.countInvalid(&j.scope, semconv.BudgetRemainingName, reason)
		return
	}
	j.live.budget.reported.Store(&remaining)
	if remaining < 0 && j.live.budget.exceeded.CompareAndSwap(false, true) {
		j.scope.p.inst.BudgetExceeded.Add(&j.scope, 1)
		j.scope.span.AddEvent("budget exceeded")
	}
}

// BudgetRemaining returns the limit less what was spent, as video_processing_budget_remaining_usd
// shows it, and whether the job has a budget. The amount is negative when the job has overspent. It
// is [Unlimited], which has no series, when the budget refuses nothing. What others spend from an
// account that they share by [WithAccount] is in it as of the job's own last call or Spend.
func (j *Job) BudgetRemaining() (USD, bool) {
	if j == nil || j.scope.p.inert() {
		return 0, false
	}
	return j.live.budget.remaining()
}
