package instrument

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/internal/once"
	"github.com/stagemeter/stagemeter/instrument/internal/remote"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/semconv"
)

// An openAccount is an account that a run has opened: near, in memory, or far, where an operation
// takes time and may fail. One of the two is nil.
type openAccount struct {
	scopes []budget.Scope // the first is its own, of kind Job
	near   budget.Account
	once   onceAccount // near, for a hold in no other account
	far    *remote.Account
	kept   bool        // it is another's, as WithAccount says: no job that completes ends it
	final  atomic.Bool // the run that opened it has completed, or its id never comes again
}

// A onceAccount is one of package budget's ledger in memory. It needs no hold id, since a hold here
// is reserved at most once and ended once.
type onceAccount interface {
	ReserveOnce(h *once.Hold) (budget.Balance, error)
	SettleOnce(h *once.Hold, cost USD) budget.Balance
	SpendOnce(own bool, cost USD) budget.Balance
	ReleaseOnce(h *once.Hold) budget.Balance
}

// A nearLedger is package budget's in memory: it neither blocks nor panics.
type nearLedger interface {
	budget.Ledger
	InMemory()
}

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
	a := &openAccount{scopes: j.besides(scopes), kept: own.ID != j.id}
	err := j.open(ctx, a)
	if err != nil {
		p.countLedger(remote.Open)
		handle(fmt.Errorf("instrument: every paid call of job %q is refused: %w", j.shown, err))
		b.limit.Store(0)
		a.near, _, _ = budget.NewMemoryLedger().Open(ctx, budget.Scope{Kind: own.Kind, ID: own.ID})
		a.once, _ = a.near.(onceAccount)
	}
	j.account = a
	b.account.Store(a)
}

// besides returns the scopes for an account that is used together with those of the jobs around
// this one. What one of these has is left out, since a call is held there too, unless the account is
// the same, and used in place of that one.
func (j *Job) besides(scopes []budget.Scope) []budget.Scope {
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
				scopes = append(scopes[:1], slices.DeleteFunc(scopes[1:], has)...)
			case !slices.ContainsFunc(scopes, has):
				scopes = append(scopes, s)
			}
		}
	}
	return scopes
}

// budgetAccount returns the account that the job's calls are held in: its own, or else that of
// another run of its id, or nil.
func (j *Job) budgetAccount() *openAccount {
	if j.account != nil {
		return j.account
	}
	return j.live.budget.account.Load()
}

func (a *openAccount) id() string { return a.scopes[0].ID }

// limited reports whether a scope of the account refuses anything.
func (a *openAccount) limited() bool {
	return slices.ContainsFunc(a.scopes, func(s budget.Scope) bool { return s.Limit != Unlimited })
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

// open opens the account, and returns why the ledger refuses to. Of a ledger that is away the
// account is opened later.
func (j *Job) open(ctx context.Context, a *openAccount) (err error) {
	p := j.scope.p
	if p.near != nil {
		var bal budget.Balance
		if a.near, bal, err = p.near.Open(ctx, a.scopes...); err == nil {
			a.once, _ = a.near.(onceAccount)
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

// close ends the Open of the account.
func (a *openAccount) close(ctx context.Context) error {
	final := a.final.Load() && !a.kept
	if a.far != nil {
		return a.far.Close(ctx, final)
	}
	return a.near.Close(ctx, final)
}

// Forget makes the account of a job id, or of [WithAccount], start afresh: nothing spent, no
// threshold reached. Reservations of calls under way stay. Without it, a job that did not complete
// goes on with what its earlier attempts have spent. The error is the ledger's.
func (p *Pipeline) Forget(ctx context.Context, id string) error {
	if p.inert() {
		return nil
	}
	ctx = orBackground(ctx)
	p.earlier.take(id)
	var err error
	if p.near != nil {
		err = p.near.Forget(ctx, budget.Job, id)
	} else {
		err = p.far.Forget(ctx, budget.Job, id)
	}
	if err != nil {
		return fmt.Errorf("instrument: forget the account %q: %w", id, err)
	}
	p.live.forget(id)
	return nil
}

// addEarlier adds to what earlier attempts at the job have spent.
func (j *Job) addEarlier(cost USD) { add(&j.earlier, cost) }

// totalCost returns what the job has spent over all its attempts.
func (j *Job) totalCost() USD { return money.Sum(USD(j.earlier.Load()), j.Cost()) }
