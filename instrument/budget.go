package instrument

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/internal/errs"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/semconv"
)

// A BudgetError is the refusal of a paid call, with the figures behind it. It matches
// [ErrBudgetExceeded] with errors.Is, and its error_type is budget_exceeded.
type BudgetError = budget.Error

// ErrBudgetExceeded is matched by every refusal of a budget.
var ErrBudgetExceeded = budget.ErrExceeded

// budgetThresholds are the shares of the budget, in percent, whose crossing is an event on the
// job's span.
var budgetThresholds = [...]int64{50, 80, 100}

// openBudget gives the job an account with this limit, or moves the limit of the one that its id
// has.
func (j *Job) openBudget(ctx context.Context, limit USD) {
	if reason := invalidReason(limit); reason != "" && limit != Unlimited {
		j.scope.p.countInvalid(ctx, semconv.BudgetRemainingName, reason)
		limit = 0
	}
	var account budget.Account
	err := contain("Ledger.Open", func() (err error) {
		account, err = j.scope.p.ledger.Open(context.WithoutCancel(ctx), j.id, limit)
		return err
	})
	if err == nil && account == nil {
		err = errors.New("Ledger.Open gave no account")
	}
	switch {
	case err == nil:
	case errs.Is(err, budget.ErrExceeded): // the ledger prefers to refuse work over not counting it
		handle(fmt.Errorf("instrument: every paid call of job %q is refused: %w", j.shown, err))
		account, _ = budget.NewMemoryLedger().Open(ctx, j.id, 0) // fails only for a negative limit
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
	j.release(ctx, &unused) // returns the balance of an account that others have used
}

// reserve asks the job's budget for a call of an API that costs at most maxCost, and leaves the
// reservation in h. It returns the refusal, or nil when the call may be made. If maxCost is not an amount,
// which makes it unknown, only an unlimited budget passes the call.
func (j *Job) reserve(ctx context.Context, h *hold, api string, maxCost USD, unknown bool) error {
	account := j.live.budget.account.Load()
	if account == nil {
		return nil
	}
	refusal := func(bal budget.Balance) error {
		return &BudgetError{Job: j.id, API: api, Limit: bal.Limit, Spent: bal.Spent, Held: bal.Held, Asked: maxCost}
	}
	b := &j.live.budget
	known := budget.Balance{Limit: USD(b.limit.Load()), Spent: USD(b.spent.Load())}
	if unknown && known.Limit != Unlimited {
		return refusal(known)
	}
	if unknown {
		maxCost = 0
	}
	*h = j.scope.p.in(account.Account)
	bal, err := h.reserve(ctx, maxCost)
	switch {
	case err == nil:
		b.see(bal)
		return nil
	case errs.Is(err, budget.ErrExceeded) && bal == (budget.Balance{}) && known.Limit != 0: // of a ledger whose store is away
		return refusal(known)
	case errs.Is(err, budget.ErrExceeded):
		b.see(bal)
		j.exceed(ctx)
		return refusal(bal)
	default:
		handle(fmt.Errorf("instrument: the ledger did not answer for job %q, the call of %s goes on: %w", j.shown, clean(api, maxNameLen), err))
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
	if bal.Spent < bal.Limit/2 { // below the first threshold
		return
	}
	for _, percent := range budgetThresholds {
		at := money.Per(bal.Limit, 100).Of(percent)
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

// exceed counts the first time that a job id exceeds its budget.
func (j *Job) exceed(ctx context.Context) {
	if j.live.budget.exceeded.CompareAndSwap(false, true) {
		j.scope.p.inst.BudgetExceeded.Add(ctx, 1)
		j.scope.span.AddEvent("budget exceeded")
	}
}
