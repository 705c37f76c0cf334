package instrument

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/semconv"
)

// A BudgetError is the refusal of a paid call. It matches [ErrBudgetExceeded] with errors.Is, and its type is
// budget_exceeded.
type BudgetError struct {
	Job   string // the job's id as it was given to StartJob
	API   string // the api that was not called
	Limit USD    // what the job may spend
	Spent USD    // what it has spent
	Held  USD    // what its calls under way have reserved
	Asked USD    // the estimate of the refused call; 0 if it gave none
}

func (e *BudgetError) Error() string {
	if e == nil {
		return ErrBudgetExceeded.Error()
	}
	return fmt.Sprintf("budget exceeded: job %q may spend %s, has spent %s and holds %s; a call of %s was estimated at %s and not made",
		e.Job, e.Limit, e.Spent, e.Held, e.API, e.Asked)
}

// Is matches [ErrBudgetExceeded].
func (e *BudgetError) Is(target error) bool { return target == ErrBudgetExceeded }

// ErrorType is the value of the error_type attribute.
func (e *BudgetError) ErrorType() string { return "budget_exceeded" }

// Shares of the budget, in percent, whose crossing is an event on the job's span.
var budgetThresholds = [...]int64{50, 80, 100}

// budget is what the runs of one job id share: the newest account, its newest balance, and whether it was exceeded.
type budget struct {
	account  atomic.Pointer[openAccount]
	limit    atomic.Int64
	spent    atomic.Int64
	computed atomic.Pointer[USD] // what SetBudgetRemaining said last
	exceeded atomic.Bool
}

type openAccount struct{ Account }

// remaining is what video_processing_budget_remaining_usd shows, if there is a budget at all.
func (b *budget) remaining() (USD, bool) {
	if r := b.computed.Load(); r != nil {
		return *r, true
	}
	if b.account.Load() == nil {
		return 0, false
	}
	if USD(b.limit.Load()) == Unlimited {
		return Unlimited, true
	}
	return USD(b.limit.Load() - b.spent.Load()), true
}

// see takes note of a balance. Operations may report out of order; spent never goes down. A ledger whose store is
// away refuses without a balance.
func (b *budget) see(bal Balance) {
	if bal == (Balance{}) {
		return
	}
	if limit := int64(bal.Limit); b.limit.Load() != limit { // a store is dearer, above all between processors
		b.limit.Store(limit)
	}
	for {
		old := b.spent.Load()
		if int64(bal.Spent) <= old || b.spent.CompareAndSwap(old, int64(bal.Spent)) {
			return
		}
	}
}

// openBudget gives the job an account with this limit, or moves the limit of the one that its id has.
func (j *Job) openBudget(ctx context.Context, limit USD) {
	if reason := limit.invalid(); reason != "" && limit != Unlimited {
		j.scope.p.countInvalid(ctx, semconv.BudgetRemainingName, reason)
		limit = 0
	}
	var account Account
	err := contain("Ledger.Open", func() (err error) {
		account, err = j.scope.p.ledger.Open(context.WithoutCancel(ctx), j.id, limit)
		return err
	})
	if err == nil && account == nil {
		err = errors.New("Ledger.Open gave no account")
	}
	switch {
	case err == nil:
	case is(err, ErrBudgetExceeded): // the ledger rather refuses work than count none
		handle(fmt.Errorf("instrument: every paid call of job %q is refused: %w", j.shown, err))
		account, _ = NewMemoryLedger().Open(ctx, j.id, 0) // fails for a negative limit alone
		limit = 0
	default:
		handle(fmt.Errorf("instrument: no budget for job %q: %w", j.shown, err))
		return
	}
	b := &j.live.budget
	b.limit.Store(int64(limit))
	j.account = &openAccount{account}
	b.account.Store(j.account)
	unused := j.scope.p.in(account)
	j.release(ctx, &unused) // gives the balance of an account that others have used
}

// reserve asks the job's budget for a call of an API. It returns the refusal, or nil when the call may be made. An
// unknown estimate is one that cannot be booked.
func (j *Job) reserve(c *Call, api string, unknown bool) error {
	account := j.live.budget.account.Load()
	if account == nil {
		return nil
	}
	refusal := func(bal Balance) error {
		return &BudgetError{Job: j.id, API: api, Limit: bal.Limit, Spent: bal.Spent, Held: bal.Held, Asked: c.estimate}
	}
	b := &j.live.budget
	known := Balance{Limit: USD(b.limit.Load()), Spent: USD(b.spent.Load())}
	if unknown && known.Limit != Unlimited {
		return refusal(known)
	}
	c.hold = j.scope.p.in(account.Account)
	bal, err := c.hold.reserve(c.ctx, c.estimate)
	switch {
	case err == nil:
		b.see(bal)
		return nil
	case is(err, ErrBudgetExceeded) && bal == (Balance{}) && known.Limit != 0: // of a ledger whose store is away
		return refusal(known)
	case is(err, ErrBudgetExceeded):
		b.see(bal)
		j.exceed(c.ctx)
		return refusal(bal)
	default:
		handle(fmt.Errorf("instrument: the ledger did not answer for job %q, the call of %s goes on: %w", j.shown, c.handle.name, err))
		return nil
	}
}

// release ends the hold of a call that cost nothing.
func (j *Job) release(ctx context.Context, h *hold) {
	bal, err := h.release(ctx)
	if err != nil {
		handle(fmt.Errorf("instrument: a hold of job %q not released: %w", j.shown, err))
		return
	}
	j.live.budget.see(bal)
}

// settle books what a call or a Spend cost.
func (j *Job) settle(ctx context.Context, h *hold, cost USD) {
	bal, err := h.settle(ctx, cost)
	if err != nil {
		handle(fmt.Errorf("instrument: %s of job %q not settled: %w", cost, j.shown, err))
		return
	}
	j.live.budget.see(bal)
	if bal.Spent < bal.Limit/2 { // the first threshold is beyond
		return
	}
	for _, percent := range budgetThresholds {
		at := bal.Limit.Prorate(percent, 100)
		if bal.Limit != Unlimited && bal.Prior < at && at <= bal.Spent {
			j.scope.span.AddEvent("budget threshold reached", trace.WithAttributes(
				attribute.Int64("video.processing.budget.percent", percent),
				attribute.Float64("video.processing.budget.limit_usd", bal.Limit.Float64()),
				attribute.Float64("video.processing.budget.spent_usd", bal.Spent.Float64())))
		}
	}
	if bal.Spent > bal.Limit {
		j.exceed(ctx)
	}
}

// exceed counts the first crossing of the budget of a job id.
func (j *Job) exceed(ctx context.Context) {
	if j.live.budget.exceeded.CompareAndSwap(false, true) {
		j.scope.p.inst.BudgetExceeded.Add(ctx, 1)
		j.scope.span.AddEvent("budget exceeded")
	}
}

// mayHaveCost tells whether a failed call may have been charged: everything but a refusal by the budget, a
// connection that never came up, and an answer of 3xx or 4xx. Sources: the providers bill what was processed, also
// when the client hung up, and do not bill rejected requests.
func mayHaveCost(err error) bool {
	if _, unmade := err.(nilFuncError); unmade {
		return false
	}
	return guarded(true, func() bool {
		var op *net.OpError
		var dns *net.DNSError
		switch {
		case endless(err):
			return true
		case errors.Is(err, ErrBudgetExceeded), errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial":
			return false
		}
		code, ok := httpStatus(err)
		return !ok || code >= 500
	})
}
