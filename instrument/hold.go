package instrument

import (
	"context"
	"sync"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/internal/once"
	"github.com/stagemeter/stagemeter/instrument/internal/remote"
)

// defaultLease is the lease of a hold whose call does not say.
const defaultLease = time.Hour

// An ask is what a call asks of its budgets.
type ask struct {
	api     string
	maxCost USD    // reserved
	minCost USD    // booked if the hold expires
	unknown string // why its price is unknown; "" if it may be known
	denied  bool   // by the policy for unknown prices, in an account that is limited
	free    bool   // it costs nothing, and is not asked for
	lease   time.Duration
}

// hold is the reservation of one call, or one Spend, in the account of its job. It is reserved at
// most once, and ended by at most one settle or release.
type hold struct {
	account *openAccount // nil: unused
	payer   *Job         // whose account it is
	job     *Job         // the innermost one
	api     string
	id      string    // "" in a onceAccount
	once    once.Hold // its amounts
	reserve *remote.Running
	outer   *hold // in the account of the next enclosing job that has another
	told    *told // nil without outer holds
}

// told has the thresholds that a hold in several accounts has reached: a scope that two of them have
// tells of its own twice.
type told struct {
	mu   sync.Mutex
	seen map[budget.Crossing]struct{}
}

// first reports whether a crossing is told for the first time.
func (t *told) first(c budget.Crossing) bool {
	if t == nil {
		return true
	}
	c.Spent = 0
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, again := t.seen[c]; again {
		return false
	}
	if t.seen == nil {
		t.seen = make(map[budget.Crossing]struct{})
	}
	t.seen[c] = struct{}{}
	return true
}

// holdIn makes h a hold in the accounts of the job and of those around it. It holds nothing yet.
func (j *Job) holdIn(h *hold, a ask) {
	if a.lease <= 0 {
		a.lease = defaultLease
	}
	last := h
	for o := j; o != nil; o = o.outer {
		account := o.budgetAccount()
		if account == nil || h.in(account) {
			continue
		}
		if h.account != nil {
			last.outer = new(hold)
			last = last.outer
		}
		last.account, last.payer, last.job, last.api = account, o, j, a.api
		last.once.Own = account.id() == j.id
		last.once.Free, last.once.Amount, last.once.Floor, last.once.Lease = a.free, a.maxCost, a.minCost, a.lease
	}
	switch {
	case h.account == nil, h.outer == nil && h.account.once != nil:
	default:
		h.id = j.scope.p.ids.hold()
		if h.outer != nil {
			h.told = new(told)
		}
		for k := h.outer; k != nil; k = k.outer {
			k.id, k.told = h.id, h.told
		}
	}
}

// firstPayer returns the innermost job in whose account a cost of j is booked, or nil, and whether
// that is the only account.
func (j *Job) firstPayer() (payer *Job, only bool) {
	for o := j; o != nil; o = o.outer {
		switch account := o.budgetAccount(); {
		case account == nil:
		case payer == nil:
			payer = o
		case payer.budgetAccount().id() != account.id():
			return payer, false
		}
	}
	return payer, true
}

// in reports whether the hold is in an account of this id already.
func (h *hold) in(account *openAccount) bool {
	for k := h; k != nil && k.account != nil; k = k.outer {
		if k.account.id() == account.id() {
			return true
		}
	}
	return false
}

// full returns the hold as a ledger takes it.
func (h *hold) full() budget.Hold {
	return budget.Hold{
		ID: h.id, Job: h.job.id, Attempt: h.job.attempt.n, API: h.api,
		Amount: h.once.Amount, Free: h.once.Free, Floor: h.once.Floor, Lease: h.once.Lease,
	}
}

// take reserves the amount in the account of h.
func (h *hold) take(ctx context.Context) (bal budget.Balance, err error) {
	switch {
	case h.id == "":
		return h.account.once.ReserveOnce(&h.once)
	case h.account.near != nil:
		return h.account.near.Reserve(ctx, h.full())
	default:
		bal, h.reserve, err = h.account.far.Reserve(ctx, h.full())
		return bal, err
	}
}

// settle ends the hold in its account with a cost, also when ctx is over. If the ledger is away,
// that is tried again, and later is called.
func (h *hold) settle(ctx context.Context, cost USD, later func(budget.Balance)) (budget.Balance, error) {
	switch {
	case h.id == "":
		return h.account.once.SettleOnce(&h.once, cost), nil
	case h.account.near != nil:
		return h.account.near.Settle(context.WithoutCancel(ctx), h.full(), cost)
	default:
		return h.account.far.Settle(ctx, h.full(), cost, later)
	}
}

// release ends the hold in its account without a cost, as settle does.
func (h *hold) release(ctx context.Context, later func(budget.Balance)) (budget.Balance, error) {
	switch {
	case h.id == "":
		return h.account.once.ReleaseOnce(&h.once), nil
	case h.account.near != nil:
		return h.account.near.Release(context.WithoutCancel(ctx), h.full())
	default:
		return h.account.far.Release(ctx, h.full(), h.reserve, later)
	}
}
