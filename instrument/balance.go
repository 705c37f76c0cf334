package instrument

import (
	"sync"
	"sync/atomic"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// jobBudget holds what the runs of one job id share: the newest account and, unless that is in
// memory, its newest balance.
type jobBudget struct {
	account  atomic.Pointer[openAccount]
	limit    atomic.Int64
	settled  atomic.Int64        // what is spent, without what is unconfirmed
	held     atomic.Int64        // of whichever balance came last
	reported atomic.Pointer[USD] // the last amount of ReportBudgetRemaining
	exceeded atomic.Bool         // counted for an amount of ReportBudgetRemaining

	unsure      atomic.Bool // a balance has had an unconfirmed amount; then
	mu          sync.Mutex  // guards:
	unconfirmed atomic.Int64
}

// remaining returns what video_processing_budget_remaining_usd shows, and whether there is a
// budget.
func (b *jobBudget) remaining() (USD, bool) {
	if r := b.reported.Load(); r != nil {
		return *r, true
	}
	if b.account.Load() == nil {
		return 0, false
	}
	known := b.known()
	if known.Limit == Unlimited {
		return Unlimited, true
	}
	return known.Limit - known.Spent, true
}

// known returns the balance: that of this moment in memory, else the newest one that the ledger has
// told.
func (b *jobBudget) known() budget.Balance {
	if a := b.account.Load(); a != nil && a.near != nil {
		return a.near.Look()
	}
	unconfirmed := USD(b.unconfirmed.Load())
	return budget.Balance{
		Limit:       USD(b.limit.Load()),
		Spent:       money.Sum(USD(b.settled.Load()), unconfirmed),
		Held:        USD(b.held.Load()),
		Unconfirmed: unconfirmed,
	}
}

// state returns the state of the account, nil without one.
func (b *jobBudget) state(ids *ids) *BudgetState {
	a := b.account.Load()
	if a == nil {
		return nil
	}
	known := b.known()
	return &BudgetState{Account: ids.shown(a.id()), Limit: known.Limit, Spent: known.Spent, Held: known.Held, Unconfirmed: known.Unconfirmed}
}

// see takes note of a balance. Answers may overtake each other. What is spent goes down only when an
// unconfirmed cost turns out to be less, so the newest balance has the most that is spent and
// confirmed. A ledger whose store is away refuses without a balance.
func (b *jobBudget) see(bal budget.Balance) {
	if isZero(bal) {
		return
	}
	if limit := int64(bal.Limit); b.limit.Load() != limit { // a store costs more, above all between processors
		b.limit.Store(limit)
	}
	if held := int64(bal.Held); b.held.Load() != held {
		b.held.Store(held)
	}
	if bal.Unconfirmed != 0 && !b.unsure.Load() {
		b.unsure.Store(true)
	}
	settled := int64(bal.Spent - bal.Unconfirmed)
	for {
		old := b.settled.Load()
		if settled < old {
			return
		}
		if settled == old || b.settled.CompareAndSwap(old, settled) {
			break
		}
	}
	if !b.unsure.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.settled.Load() == settled {
		b.unconfirmed.Store(int64(bal.Unconfirmed))
	}
}

// forget takes note that the account has started afresh.
func (b *jobBudget) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settled.Store(0)
	b.unconfirmed.Store(0)
}

// isZero reports whether a ledger gave no balance.
func isZero(bal budget.Balance) bool {
	return bal.Limit == 0 && bal.Spent == 0 && bal.Held == 0 && len(bal.Crossed) == 0
}
