package instrument

import "context"

// hold is what one call, or one Spend, has of the account of its job: reserved by at most one reserve, and ended by
// at most one settle or release. User code is contained: a ledger that panics gives an error.
type hold struct {
	account Account
	id      string // "" in a *memoryAccount, which asks for none: see memoryAccount.reserveOnce
	amount  USD    // held in a *memoryAccount; the others know it by the id
}

// in gives a hold in an account. It holds nothing yet.
func (p *Pipeline) in(account Account) hold {
	if _, ok := account.(*memoryAccount); ok {
		return hold{account: account}
	}
	return hold{account: account, id: p.holdID()}
}

func (h *hold) reserve(ctx context.Context, amount USD) (bal Balance, err error) {
	if a, ok := h.account.(*memoryAccount); ok {
		if bal, err = a.reserveOnce(amount); err == nil {
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

// settle ends the hold with a cost, whatever the state of ctx.
func (h *hold) settle(ctx context.Context, cost USD) (bal Balance, err error) {
	if a, ok := h.account.(*memoryAccount); ok {
		return a.settleOnce(h.amount, cost), nil
	}
	err = contain("Ledger.Settle", func() (err error) {
		bal, err = h.account.Settle(context.WithoutCancel(ctx), h.id, cost)
		return err
	})
	return bal, err
}

// release ends the hold without a cost, whatever the state of ctx.
func (h *hold) release(ctx context.Context) (bal Balance, err error) {
	if a, ok := h.account.(*memoryAccount); ok {
		return a.releaseOnce(h.amount), nil
	}
	err = contain("Account.Release", func() (err error) {
		bal, err = h.account.Release(context.WithoutCancel(ctx), h.id)
		return err
	})
	return bal, err
}
