package remote_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/internal/remote"
	"github.com/stagemeter/stagemeter/instrument/money"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errStore = errors.New("store is away")

// fake is the ledger in memory behind a wire. While how is not nil, it is called before each operation, whose answer
// is its error; and while lose is not nil, after each, so that the answer is lost.
type fake struct {
	budget.Ledger
	mu        sync.Mutex
	how, lose func(ctx context.Context, op string) error
	asked     []string
}

func newFake() *fake { return &fake{Ledger: budget.NewMemoryLedger()} }

func (f *fake) set(how func(ctx context.Context, op string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.how = how
}

func (f *fake) ask(ctx context.Context, op string) error {
	f.mu.Lock()
	f.asked = append(f.asked, op)
	how := f.how
	f.mu.Unlock()
	if how == nil {
		return nil
	}
	return how(ctx, op)
}

// ops returns what was asked since the last call.
func (f *fake) ops() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.asked
	f.asked = nil
	return asked
}

func (f *fake) answer(ctx context.Context, op string, bal budget.Balance, err error) (budget.Balance, error) {
	f.mu.Lock()
	lose := f.lose
	f.mu.Unlock()
	if lose != nil {
		if err := lose(ctx, op); err != nil {
			return budget.Balance{}, err
		}
	}
	return bal, err
}

func (f *fake) Open(ctx context.Context, scopes ...budget.Scope) (budget.Account, budget.Balance, error) {
	if err := f.ask(ctx, "open"); err != nil {
		return nil, budget.Balance{}, err
	}
	a, bal, err := f.Ledger.Open(ctx, scopes...)
	return fakeAccount{a, f}, bal, err
}

func (f *fake) Forget(ctx context.Context, kind budget.Kind, id string) error {
	if err := f.ask(ctx, "forget"); err != nil {
		return err
	}
	return f.Ledger.Forget(ctx, kind, id)
}

type fakeAccount struct {
	budget.Account
	f *fake
}

func (a fakeAccount) Reserve(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	if err := a.f.ask(ctx, "reserve "+h.ID); err != nil {
		return budget.Balance{}, err
	}
	bal, err := a.Account.Reserve(ctx, h)
	return a.f.answer(ctx, "reserve", bal, err)
}

func (a fakeAccount) Settle(ctx context.Context, h budget.Hold, cost money.USD) (budget.Balance, error) {
	if err := a.f.ask(ctx, "settle "+h.ID); err != nil {
		return budget.Balance{}, err
	}
	bal, err := a.Account.Settle(ctx, h, cost)
	return a.f.answer(ctx, "settle", bal, err)
}

func (a fakeAccount) Release(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	if err := a.f.ask(ctx, "release "+h.ID); err != nil {
		return budget.Balance{}, err
	}
	bal, err := a.Account.Release(ctx, h)
	return a.f.answer(ctx, "release", bal, err)
}

func (a fakeAccount) Close(ctx context.Context, final bool) error {
	op := "close"
	if final {
		op = "close for good"
	}
	if err := a.f.ask(ctx, op); err != nil {
		return err
	}
	return a.Account.Close(ctx, final)
}

func away(context.Context, string) error { return errStore }

// kit is a Ledger over a fake, and what it counts and reports.
type kit struct {
	*remote.Ledger
	fake *fake

	mu      sync.Mutex
	counted map[remote.Op]int
	reports []string
}

func newKit() *kit {
	k := &kit{fake: newFake(), counted: make(map[remote.Op]int)}
	k.Ledger = remote.New(k.fake, remote.Config{
		Reserve: 100 * time.Millisecond,
		Settle:  2 * time.Second,
		Count: func(op remote.Op) {
			k.mu.Lock()
			defer k.mu.Unlock()
			k.counted[op]++
		},
		Report: func(err error) {
			k.mu.Lock()
			defer k.mu.Unlock()
			k.reports = append(k.reports, err.Error())
		},
	})
	return k
}

func (k *kit) count(op remote.Op) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.counted[op]
}

func (k *kit) reported() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.reports
}

// open opens the account of a job with a limit of a dollar.
func (k *kit) open(t *testing.T) *remote.Account {
	t.Helper()
	a, err := k.Open(t.Context(), func(budget.Balance) {}, budget.Scope{Kind: budget.Job, ID: "job-1", Limit: money.Dollar})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// balance asks the ledger in memory behind the wire.
func (k *kit) balance(t *testing.T) budget.Balance {
	t.Helper()
	a, bal, err := k.fake.Ledger.Open(t.Context(), budget.Scope{Kind: budget.Job, ID: "job-1", Limit: money.Dollar})
	if err != nil {
		t.Fatal(err)
	}
	_ = a.Close(t.Context(), false)
	return bal
}

func hold(id string) budget.Hold {
	return budget.Hold{ID: id, Job: "job-1", API: "gpt", Amount: 10 * money.Cent, Lease: time.Hour}
}

func ignore(budget.Balance) {}
