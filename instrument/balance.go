package instrument

import (
	"sync/atomic"

	"github.com/stagemeter/stagemeter/instrument/budget"
)

// jobBudget holds what the runs of one job id share: the newest account, its newest balance, and
// whether it was exceeded.
type jobBudget struct {
	account  atomic.Pointer[openAccount]
	limit    atomic.Int64
	spent    atomic.Int64
	reported atomic.Pointer[USD] // the last amount of ReportBudgetRemaining
	exceeded atomic.Bool
}

type openAccount struct{ budget.Account }

// remaining returns what video_processing_budget_remaining_usd shows, and whether there is a
// budget.
func (b *jobBudget) remaining() (USD, bool) {
	if r := b.reported.Load(); r != nil {
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

// see takes note of a balance. Operations may report out of order; spent never goes down. A ledger
// whose store is away refuses without a balance.
func (b *jobBudget) see(bal budget.Balance) {
	if bal == (budget.Balance{}) {
		return
	}
	if limit := int64(bal.Limit); b.limit.Load() != limit { // a store costs more, above all between processors
		b.limit.Store(limit)
	}
	for {
		old := b.spent.Load()
		if int64(bal.Spent) <= old || b.spent.CompareAndSwap(old, int64(bal.Spent)) {
			return
		}
	}
}
