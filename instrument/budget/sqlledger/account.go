package sqlledger

import (
	"context"
	"fmt"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// An account is one Open.
type account struct {
	ledger *Ledger
	scopes []budget.Scope
	rows   []scope // of scopes
	token  string
}

func (a *account) Reserve(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	if h.Amount.Validate() != nil || h.Floor.Validate() != nil {
		return budget.Balance{}, fmt.Errorf("budget: reserve %s with floor %s: %w", h.Amount, h.Floor, budget.ErrInvalid)
	}
	r := a.request(reserving, h)
	r.Free, r.Amount, r.Floor, r.Lease = h.Free, int64(h.Amount), int64(h.Floor), max(0, int64(h.Lease))
	got, err := a.ledger.do(ctx, r)
	if err != nil {
		return budget.Balance{}, fmt.Errorf("budget: reserve %s: %w", h.Amount, err)
	}
	b := got.balance(a)
	switch got.Code {
	case refused:
		s := a.scopes[got.At]
		s.Limit = money.USD(got.Refused.Limit)
		return b, &budget.Error{Scope: s, Job: h.Job, API: h.API, Limit: s.Limit, Asked: h.Amount,
			Spent: money.USD(got.Refused.Spent), Held: money.USD(got.Refused.Held)}
	case tooLarge:
		return b, fmt.Errorf("budget: reserve %s on top of %s: %w", h.Amount, money.USD(got.Refused.Held), budget.ErrInvalid)
	case ended:
		return b, fmt.Errorf("budget: reserve %s for a hold that ended: %w", h.Amount, budget.ErrConflict)
	case conflict:
		return b, fmt.Errorf("budget: reserve %s, held %s: %w", h.Amount, money.USD(got.Was), budget.ErrConflict)
	}
	return b, a.lost(got, "reserve")
}

func (a *account) Settle(ctx context.Context, h budget.Hold, cost money.USD) (budget.Balance, error) {
	if cost.Validate() != nil || h.Unconfirmed < 0 || h.Unconfirmed > cost {
		return budget.Balance{}, fmt.Errorf("budget: settle %s with %s unconfirmed: %w", cost, h.Unconfirmed, budget.ErrInvalid)
	}
	r := a.request(settling, h)
	r.Cost, r.Unconfirmed = int64(cost), int64(h.Unconfirmed)
	got, err := a.ledger.do(ctx, r)
	if err != nil {
		return budget.Balance{}, fmt.Errorf("budget: settle %s: %w", cost, err)
	}
	a.ledger.clean(ctx, len(a.scopes))
	if got.Code == conflict {
		return got.balance(a), fmt.Errorf("budget: settle %s with %s unconfirmed, settled %s: %w", cost, h.Unconfirmed, money.USD(got.Was), budget.ErrConflict)
	}
	return got.balance(a), a.lost(got, "settle")
}

func (a *account) Release(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	got, err := a.ledger.do(ctx, a.request(releasing, h))
	if err != nil {
		return budget.Balance{}, fmt.Errorf("budget: release: %w", err)
	}
	a.ledger.clean(ctx, len(a.scopes))
	return got.balance(a), a.lost(got, "release")
}

// Close may be called again: it ends this Open, if that was not done before.
func (a *account) Close(ctx context.Context, final bool) error {
	if _, err := a.ledger.do(ctx, request{Op: closing, Token: a.token, Final: final}); err != nil {
		return fmt.Errorf("budget: close %s %q: %w", a.scopes[0].Kind, a.scopes[0].ID, err)
	}
	return nil
}

func (a *account) request(op string, h budget.Hold) request {
	r := request{
		Op: op, Hold: key(a.rows[0].Key, h.ID), Name: name(h.ID), Job: name(h.Job), API: name(h.API), Attempt: int64(h.Attempt),
		Scopes: append([]scope(nil), a.rows...),
	}
	for i, s := range a.scopes {
		r.Scopes[i].Own = h.Job == s.ID
	}
	return r
}

// lost returns the error of an account that the database no longer has.
func (a *account) lost(got answer, what string) error {
	if got.Code != lost {
		return nil
	}
	s := a.scopes[min(got.At, len(a.scopes)-1)]
	return fmt.Errorf("budget: %s: %s %q: %w", what, s.Kind, s.ID, budget.ErrLost)
}
