package instrument_test

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
)

// wire is the ledger in memory at the other end of a wire. cut is called before each operation,
// whose answer is then its error.
type wire struct {
	budget.Ledger
	mu    sync.Mutex
	cut   func(ctx context.Context, op string) error
	asked []string
	holds []budget.Hold
}

func newWire() *wire { return &wire{Ledger: budget.NewMemoryLedger()} }

func (w *wire) set(cut func(ctx context.Context, op string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
}

// ops returns how often something was asked that begins with op.
func (w *wire) ops(op string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, asked := range w.asked {
		if strings.HasPrefix(asked, op) {
			n++
		}
	}
	return n
}

func (w *wire) reserved() []budget.Hold {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.holds)
}

func (w *wire) ask(ctx context.Context, op string) error {
	w.mu.Lock()
	w.asked = append(w.asked, op)
	cut := w.cut
	w.mu.Unlock()
	if cut == nil {
		return nil
	}
	return cut(ctx, op)
}

// balance returns what the account of a job has at the other end.
func (w *wire) balance(id string, limit instrument.USD) budget.Balance {
	a, bal, err := w.Ledger.Open(context.Background(), budget.Scope{Kind: budget.Job, ID: id, Limit: limit})
	if err == nil {
		_ = a.Close(context.Background(), false)
	}
	return bal
}

func (w *wire) Open(ctx context.Context, scopes ...budget.Scope) (budget.Account, budget.Balance, error) {
	if err := w.ask(ctx, "open"); err != nil {
		return nil, budget.Balance{}, err
	}
	a, bal, err := w.Ledger.Open(ctx, scopes...)
	return wireAccount{a, w}, bal, err
}

type wireAccount struct {
	budget.Account
	w *wire
}

func (a wireAccount) Reserve(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	if err := a.w.ask(ctx, "reserve"); err != nil {
		return budget.Balance{}, err
	}
	a.w.mu.Lock()
	a.w.holds = append(a.w.holds, h)
	a.w.mu.Unlock()
	return a.Account.Reserve(ctx, h)
}

func (a wireAccount) Settle(ctx context.Context, h budget.Hold, cost instrument.USD) (budget.Balance, error) {
	if err := a.w.ask(ctx, "settle"); err != nil {
		return budget.Balance{}, err
	}
	return a.Account.Settle(ctx, h, cost)
}

func (a wireAccount) Release(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	if err := a.w.ask(ctx, "release"); err != nil {
		return budget.Balance{}, err
	}
	return a.Account.Release(ctx, h)
}

func (a wireAccount) Close(ctx context.Context, final bool) error {
	op := "close to be kept"
	if final {
		op = "close for good"
	}
	if err := a.w.ask(ctx, op); err != nil {
		return err
	}
	return a.Account.Close(ctx, final)
}

func storeAway(context.Context, string) error { return errStore }

func storeLost(context.Context, string) error { return budget.ErrLost }
