package remote

import (
	"context"
	"errors"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// Guard returns a ledger that asks l as a [Ledger] does, but delivers nothing later, for slices
// between l and the pipeline. It also returns how the pipeline is to ask these.
//
// No operation of l takes longer than c.Reserve, since calls wait meanwhile. An operation of the
// slices may wait for as many of l as have to fail until l is left alone, and for one more; then the
// slices answer. Failures of l count; those of the slices are the same ones.
func Guard(l budget.Ledger, c Config) (guard budget.Ledger, slices Config) {
	slices = c
	slices.Patient = true
	slices.Reserve = max(c.Reserve, (failuresInARow+1)*min(c.Reserve, time.Minute))
	slices.Settle = max(c.Settle, slices.Reserve)
	slices.Count = func(op Op) {
		if op == GivenUp {
			c.Count(op)
		}
	}
	c.Settle = min(c.Settle, c.Reserve)
	return guarded{New(l, c)}, slices
}

type guarded struct{ *Ledger }

type guardedAccount struct {
	l       *Ledger
	account budget.Account
}

func (g guarded) Open(ctx context.Context, scopes ...budget.Scope) (budget.Account, budget.Balance, error) {
	opened := make(chan budget.Account, 1)
	bal, late, err := g.do(ctx, try{op: Open, limit: g.Config.Reserve}, func(ctx context.Context) (budget.Balance, error) {
		a, bal, err := g.ledger.Open(ctx, scopes...)
		if err == nil && a == nil {
			err = errors.New("Ledger.Open gave no account")
		}
		if err == nil {
			opened <- a
		}
		return bal, err
	})
	if err == nil {
		return guardedAccount{g.Ledger, <-opened}, bal, nil
	}
	if late != nil {
		late.after(func() { g.closeLate(opened) })
	}
	return nil, bal, err
}

// closeLate closes an account that was opened too late. It runs in the goroutine that opened it.
func (g guarded) closeLate(opened <-chan budget.Account) {
	select {
	case a := <-opened:
		defer func() { _ = recover() }()
		ctx, cancel := context.WithTimeout(context.Background(), g.Settle)
		defer cancel()
		_ = a.Close(ctx, false)
	default:
	}
}

func (a guardedAccount) Reserve(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	bal, _, err := a.l.do(ctx, try{op: Reserve, limit: a.l.Config.Reserve}, func(ctx context.Context) (budget.Balance, error) {
		return a.account.Reserve(ctx, h)
	})
	return bal, err
}

func (a guardedAccount) Settle(ctx context.Context, h budget.Hold, cost money.USD) (budget.Balance, error) {
	bal, _, err := a.l.do(ctx, try{op: Settle, limit: a.l.Config.Settle}, func(ctx context.Context) (budget.Balance, error) {
		return a.account.Settle(ctx, h, cost)
	})
	return bal, err
}

func (a guardedAccount) Release(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	bal, _, err := a.l.do(ctx, try{op: Release, limit: a.l.Config.Reserve}, func(ctx context.Context) (budget.Balance, error) {
		return a.account.Release(ctx, h)
	})
	return bal, err
}

func (a guardedAccount) Close(ctx context.Context, final bool) error {
	_, _, err := a.l.do(ctx, try{op: Close, limit: a.l.Config.Settle}, func(ctx context.Context) (budget.Balance, error) {
		return budget.Balance{}, a.account.Close(ctx, final)
	})
	return err
}
