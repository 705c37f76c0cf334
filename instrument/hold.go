package instrument

import (
	"context"

	"github.com/stagemeter/stagemeter/instrument/budget"
)

// hold is the reservation of one call, or one Spend, in the account of its job. It is reserved at
// most once, and ended by at most one settle or release. A panic of the ledger becomes an error.
type hold struct {
	account budget.Account
	id      string // "" in a onceAccount
	amount  USD    // held in a onceAccount; the others know it by the id
}

// A onceAccount is one of package budget's ledger in memory. It needs no hold id, since a hold here
// is reserved at most once and ended once.
type onceAccount interface {
	ReserveOnce(amount USD) (budget.Balance, error)
	SettleOnce(held, cost USD) budget.Balance
	ReleaseOnce(held USD) budget.Balance
}

// in returns a hold in an account. It holds nothing yet.
func (p *Pipeline) in(account budget.Account) hold {
	if _, ok := account.(onceAccount); ok {
		return hold{account: account}
	}
	return hold{account: account, id: p.ids.hold()}
}

func (h *hold) reserve(ctx context.Context, amount USD) (bal budget.Balance, err error) {
	if a, ok := h.account.(onceAccount); ok {
		if bal, err = a.ReserveOnce(amount); err == nil {
			h.amount = amount
		}
		return bal, err
	}
	err = contain("Ledger.Reserve", func() (err error) {
		bal, err = h.account.Reserve(ctx, h.id, amount)
		return err
	})
	return bal, err
}

// settle ends the hold with a cost, also when ctx is over.
func (h *hold) settle(ctx context.Context, cost USD) (bal budget.Balance, err error) {
	if a, ok := h.account.(onceAccount); ok {
		return a.SettleOnce(h.amount, cost), nil
	}
	err = contain("Ledger.Settle", func() (err error) {
		bal, err = h.account.Settle(context.WithoutCancel(ctx), h.id, cost)
		return err
	})
	return bal, err
}

// release ends the hold without a cost, also when ctx is over.
func (h *hold) release(ctx context.Context) (bal budget.Balance, err error) {
	if a, ok := h.account.(onceAccount); ok {
		return a.ReleaseOnce(h.amount), nil
	}
	err = contain("Account.Release", func() (err error) {
		bal, err = h.account.Release(context.WithoutCancel(ctx), h.id)
		return err
	})
	return bal, err
}
