package main

import (
	"context"
	"sync"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// A budget changes nothing that is counted. What is counted is confirmed in its ledger, and what is not
// known is what was held for the call, unconfirmed.
func TestGoldensWithABudget(t *testing.T) {
	unknown := 0
	for _, f := range goldens(t) {
		l := &heldLedger{Ledger: budget.NewMemoryLedger()}
		tenant := budget.Scope{Kind: budget.Tenant, ID: "tenant", Limit: 1_000_000 * money.Dollar}
		got, err := f.play(playOptions{
			pipeline: []instrument.Option{instrument.WithLedger(l), instrument.WithUnpricedPolicy(instrument.ReserveUnpriced(7 * money.Cent))},
			job:      []instrument.JobOption{instrument.WithScopes(tenant)},
		})
		if want, _ := f.Expected.Result(); err != nil || !got.same(want) {
			t.Errorf("%s: %v, %v; want %v", f.Name, got, err, want)
		}
		_, b, err := l.Ledger.Open(t.Context(), tenant)
		if err != nil {
			t.Fatal(err)
		}
		held := money.USD(0)
		if got.Unknown {
			unknown++
			held = l.held
		}
		if b.Spent != money.Sum(money.USD(got.Nano), held) || b.Unconfirmed != held || b.Held != 0 {
			t.Errorf("%s, %v: the ledger has %+v, want %v unconfirmed", f.Name, got, b, held)
		}
	}
	if unknown == 0 {
		t.Error("no golden file has a cost that is not known")
	}
}

// A heldLedger knows what was held of all calls together.
type heldLedger struct {
	budget.Ledger
	mu   sync.Mutex
	held money.USD
}

func (l *heldLedger) Open(ctx context.Context, scopes ...budget.Scope) (budget.Account, budget.Balance, error) {
	a, b, err := l.Ledger.Open(ctx, scopes...)
	return &heldAccount{a, l}, b, err
}

type heldAccount struct {
	budget.Account
	l *heldLedger
}

func (a *heldAccount) Reserve(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	a.l.mu.Lock()
	a.l.held = money.Sum(a.l.held, h.Amount)
	a.l.mu.Unlock()
	return a.Account.Reserve(ctx, h)
}
