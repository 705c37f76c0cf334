package instrument

import (
	"context"
	"errors"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/internal/once"
	"github.com/stagemeter/stagemeter/instrument/internal/remote"
)

// An ask is what a call asks of its budgets.
type ask struct {
	job     *Job // that makes the call
	api     string
	maxCost USD    // reserved
	minCost USD    // booked if the hold expires
	unknown string // why its price is unknown; "" if it may be known
	denied  bool   // by the policy for unknown prices, in an account that is limited
	free    bool   // it costs nothing, and is not asked for
	lease   time.Duration
	began   time.Duration // on the clock of once.Now
}

// hold is the reservation of one call, or one Spend, in the account of its job. It is reserved at
// most once, and ended by at most one settle or release.
type hold struct {
	account *openAccount // nil: unused
	payer   *Job         // whose account it is
	later   bool         // its end waits for no ledger
	once    once.Hold    // its amounts
	named   *named       // nil in a onceAccount
}

// named is what a hold needs that has an id, since it is in several accounts, or in one that is not
// in memory.
type named struct {
	id      string
	job     *Job // the innermost one
	api     string
	reserve *remote.Running // if it was not answered in time
	outer   *hold           // in the account of the next enclosing job that has another
}

// next returns the hold in the account of the next enclosing job, or nil.
func (h *hold) next() *hold {
	if h.named == nil {
		return nil
	}
	return h.named.outer
}

// holdIn makes h a hold in the accounts of the job and of those around it. It holds nothing yet.
func (j *Job) holdIn(h *hold, a ask) {
	if a.lease <= 0 {
		a.lease = defaultLease
	}
	payer, only := j.firstPayer()
	if payer == nil {
		return
	}
	h.set(payer, j, a)
	if only && h.account.once != nil {
		return
	}
	h.named = &named{id: j.scope.p.ids.hold(), job: j, api: a.api}
	if only {
		return
	}
	last := h
	for o := payer.outer; o != nil; o = o.outer {
		if account := o.budgetAccount(); account == nil || h.in(account) {
			continue
		}
		n := *h.named
		n.outer = nil
		next := &hold{named: &n}
		next.set(o, j, a)
		last.named.outer, last = next, next
	}
}

func (h *hold) set(payer, j *Job, a ask) {
	h.account, h.payer = payer.budgetAccount(), payer
	h.once.Own = h.account.id() == j.id
	h.once.Free, h.once.Amount, h.once.Floor, h.once.Lease = a.free, a.maxCost, a.minCost, a.lease
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
	for k := h; k != nil; k = k.next() {
		if k.account.id() == account.id() {
			return true
		}
	}
	return false
}

// full returns the hold as a ledger takes it.
func (h *hold) full() budget.Hold {
	return budget.Hold{
		ID: h.named.id, Job: h.named.job.id, Attempt: h.named.job.attempt.n, API: h.named.api,
		Amount: h.once.Amount, Free: h.once.Free, Floor: h.once.Floor, Lease: h.once.Lease,
	}
}

// take reserves the amount in the account of h, for a call that began at a time of once.Now.
func (h *hold) take(ctx context.Context, began time.Duration) (bal budget.Balance, err error) {
	switch {
	case h.named == nil:
		return h.account.once.ReserveOnce(&h.once, began)
	case h.account.near != nil:
		return h.account.near.Reserve(ctx, h.full())
	default:
		bal, h.named.reserve, err = h.account.far.Reserve(ctx, h.full(), !h.payer.scope.p.policy.closed)
		return bal, err
	}
}

// errLater says that the queue does it, and tells how it went.
var errLater = errors.New("later")

// settle ends the hold in its account with a cost, of which a part may not be known, also when ctx
// is over. If the ledger is away, that is tried again, and later is called.
func (h *hold) settle(ctx context.Context, cost, unconfirmed USD, later func(budget.Balance)) (budget.Balance, error) {
	if h.named == nil {
		return h.account.once.SettleOnce(&h.once, cost, unconfirmed), nil
	}
	full := h.full()
	full.Unconfirmed = unconfirmed
	switch {
	case h.account.near != nil:
		return h.account.near.Settle(context.WithoutCancel(ctx), full, cost)
	case h.later:
		h.account.far.SettleLater(full, cost, later)
		return budget.Balance{}, errLater
	default:
		return h.account.far.Settle(ctx, full, cost, later)
	}
}

// release ends the hold in its account without a cost, as settle does.
func (h *hold) release(ctx context.Context, later func(budget.Balance)) (budget.Balance, error) {
	switch {
	case h.named == nil:
		return h.account.once.ReleaseOnce(&h.once), nil
	case h.account.near != nil:
		return h.account.near.Release(context.WithoutCancel(ctx), h.full())
	default:
		return h.account.far.Release(ctx, h.full(), h.named.reserve, later)
	}
}
