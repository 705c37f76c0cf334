package budget_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/internal/once"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// A clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 30, 22, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func job(id string, limit money.USD) budget.Scope {
	return budget.Scope{Kind: budget.Job, ID: id, Limit: limit}
}

func tenant(id string, limit money.USD) budget.Scope {
	return budget.Scope{Kind: budget.Tenant, ID: id, Limit: limit}
}

func open(t *testing.T, l budget.Ledger, scopes ...budget.Scope) (budget.Account, budget.Balance) {
	t.Helper()
	a, b, err := l.Open(t.Context(), scopes...)
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

func spend(t *testing.T, a budget.Account, hold string, cost money.USD) budget.Balance {
	t.Helper()
	b, err := a.Settle(t.Context(), budget.Hold{ID: hold}, cost)
	if err != nil {
		t.Fatalf("settle %s: %v", hold, err)
	}
	return b
}

func hold(t *testing.T, a budget.Account, h budget.Hold) budget.Balance {
	t.Helper()
	b, err := a.Reserve(t.Context(), h)
	if err != nil {
		t.Fatalf("reserve %+v: %v", h, err)
	}
	return b
}

func closeAs(t *testing.T, a budget.Account, final bool) {
	t.Helper()
	if err := a.Close(t.Context(), final); err != nil {
		t.Fatal(err)
	}
}

func spentOn(t *testing.T, l budget.Ledger, s budget.Scope) money.USD {
	t.Helper()
	a, b := open(t, l, s)
	closeAs(t, a, false)
	return b.Spent
}

// Five attempts of a job with a dollar spend a dollar.
func TestARedeliveredJobGoesOnWithWhatWasSpent(t *testing.T) {
	l := budget.NewMemoryLedger()
	for attempt := range 5 {
		a, b := open(t, l, job("job-1", money.Dollar))
		if want := money.Mul(20*money.Cent, int64(attempt)); b.Spent != want {
			t.Errorf("attempt %d begins with %s spent, want %s", attempt+1, b.Spent, want)
		}
		spend(t, a, fmt.Sprint("call-", attempt), 20*money.Cent)
		closeAs(t, a, false)
	}
	a, _ := open(t, l, job("job-1", money.Dollar))
	if _, err := a.Reserve(t.Context(), budget.Hold{ID: "more", Amount: 1}); !errors.Is(err, budget.ErrExceeded) {
		t.Errorf("after a dollar: %v", err)
	}
}

func TestAFinalCloseForgetsTheAccount(t *testing.T) {
	for _, scopes := range [][]budget.Scope{{job("job-1", money.Dollar)}, {job("job-1", money.Dollar), tenant("t", money.Dollar)}} {
		l := budget.NewMemoryLedger()
		first, _ := open(t, l, scopes...)
		second, _ := open(t, l, scopes...)
		spend(t, first, "a", 60*money.Cent)
		hold(t, first, budget.Hold{ID: "under way", Amount: 1})
		closeAs(t, first, true)
		if got := spend(t, second, "b", 10*money.Cent); got.Spent != 70*money.Cent {
			t.Errorf("while an Open is left the account has spent %s, want $0.70", got.Spent)
		}
		closeAs(t, second, true)
		if got := spentOn(t, l, scopes[0]); got != 70*money.Cent {
			t.Errorf("while a hold is under way the account has spent %s, want $0.70", got)
		}
		third, _ := open(t, l, scopes...)
		closeAs(t, third, true)
		spend(t, third, "under way", 1)
		if got := spentOn(t, l, scopes[0]); got != 0 {
			t.Errorf("with the last hold the account is forgotten, but has spent %s", got)
		}
		// A call that outlives its job settles where it reserved, and not with the job that has come since.
		fourth, _ := open(t, l, scopes[0])
		spend(t, second, "late", 25*money.Cent)
		if got := spend(t, fourth, "c", 0); got.Spent != 0 {
			t.Errorf("a late call of the run before has spent from the new account: %s", got.Spent)
		}
		if len(scopes) > 1 {
			if got := spentOn(t, l, scopes[1]); got != 95*money.Cent+1 {
				t.Errorf("the tenant has spent %s, want $0.950000001", got)
			}
		}
	}
}

// An attempt that comes after a final Close, while a call is still under way, keeps the account.
func TestAnOpenAfterAFinalCloseKeepsTheAccount(t *testing.T) {
	l := budget.NewMemoryLedger()
	a, _ := open(t, l, job("job-1", money.Dollar))
	hold(t, a, budget.Hold{ID: "under way", Amount: 5})
	closeAs(t, a, true)
	b, _ := open(t, l, job("job-1", money.Dollar))
	closeAs(t, b, false)
	spend(t, a, "under way", 5)
	if got := spentOn(t, l, job("job-1", money.Dollar)); got != 5 {
		t.Errorf("spent %s, want 5n", got)
	}
}

func TestClosedAccountsAreBounded(t *testing.T) {
	c := newClock()
	l := budget.NewMemoryLedger(budget.WithClock(c.Now))
	const kept = 10_000
	tenantOf, _ := open(t, l, tenant("t", money.Unlimited))
	spend(t, tenantOf, "x", 7)
	closeAs(t, tenantOf, false)
	for i := range kept + 1 {
		a, _ := open(t, l, job(fmt.Sprint("job-", i), money.Dollar))
		spend(t, a, "a", 1)
		closeAs(t, a, false)
	}
	if got := spentOn(t, l, job("job-0", money.Dollar)); got != 0 {
		t.Errorf("the oldest of %d closed accounts is kept: spent %s", kept+1, got)
	}
	if got := spentOn(t, l, job("job-2", money.Dollar)); got != 1 {
		t.Errorf("one of the newest %d closed accounts has spent %s, want 1n", kept, got)
	}
	c.advance(24*time.Hour - 1)
	if got := spentOn(t, l, job("job-7", money.Dollar)); got != 1 {
		t.Errorf("after a day less 1 ns it has spent %s, want 1n", got)
	}
	c.advance(time.Hour)
	if got := spentOn(t, l, job("job-7", money.Dollar)); got != 1 {
		t.Errorf("a day after the first Close, an hour after the last, it has spent %s, want 1n", got)
	}
	if got := spentOn(t, l, job("job-8", money.Dollar)); got != 0 {
		t.Errorf("a day after its Close an account has spent %s, want 0", got)
	}
	c.advance(365 * 24 * time.Hour)
	if got := spentOn(t, l, tenant("t", money.Unlimited)); got != 7 {
		t.Errorf("after a year a tenant has spent %s, want 7n", got)
	}
}

// A job with millions of calls must not keep millions of ids, nor lose a hold that is open for long.
func TestMemoryLedgerForgetsOldHoldsThatEnded(t *testing.T) {
	a, _ := open(t, budget.NewMemoryLedger(), job("job-1", money.Unlimited))
	hold(t, a, budget.Hold{ID: "open", Amount: 7})
	const remembered, calls = 1024, 3*1024 + 10
	for i := range calls {
		spend(t, a, fmt.Sprint("call-", i), 1)
	}
	if got := spend(t, a, fmt.Sprint("call-", calls-remembered), 1); got.Spent != calls {
		t.Errorf("a hold among the last %d counts twice: %d, want %d", remembered, got.Spent, calls)
	}
	if got := spend(t, a, fmt.Sprint("call-", calls-remembered-1), 1); got.Spent != calls+1 {
		t.Errorf("a hold before the last %d is still kept", remembered)
	}
	if got := spend(t, a, "open", 7); got.Held != 0 || got.Spent != calls+8 {
		t.Errorf("the open hold settled as %+v", got)
	}
}

func TestScopesThatCannotBeOpened(t *testing.T) {
	for name, scopes := range map[string][]budget.Scope{
		"none":           nil,
		"unknown kind":   {{Kind: "week", ID: "a"}},
		"no kind":        {{ID: "a"}},
		"twice":          {job("a", 1), tenant("t", 1), job("a", 2)},
		"negative limit": {job("a", 1), tenant("t", -1)},
	} {
		l := budget.NewMemoryLedger()
		if _, _, err := l.Open(context.Background(), scopes...); !errors.Is(err, budget.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

// The last 10,000 expired holds are remembered, so that a late settle does not book twice.
func TestExpiredHoldsAreRemembered(t *testing.T) {
	c := newClock()
	a, _ := open(t, budget.NewMemoryLedger(budget.WithClock(c.Now)), job("job-1", 25_000))
	const kept = 10_000
	for i := range kept + 1 {
		hold(t, a, budget.Hold{ID: fmt.Sprint("hold-", i), Amount: 2, Lease: time.Second})
	}
	c.advance(time.Minute)
	if _, err := a.Reserve(t.Context(), budget.Hold{ID: "probe", Amount: 25_000}); !errors.Is(err, budget.ErrExceeded) {
		t.Fatal(err)
	}
	if got := spend(t, a, fmt.Sprint("hold-", 1), 2); got.Spent != 2*(kept+1) {
		t.Errorf("one of the last %d: spent %s, want %dn", kept, got.Spent, 2*(kept+1))
	}
	if got := spend(t, a, fmt.Sprint("hold-", 0), 2); got.Spent != 2*(kept+2) {
		t.Errorf("the one before is still remembered: spent %s", got.Spent)
	}
}

// Operations at once on accounts that share scopes, with and without ids, end and add up.
func TestAccountsThatShareScopesAddUp(t *testing.T) {
	l := budget.NewMemoryLedger()
	both, _ := open(t, l, job("job-1", money.Unlimited), tenant("t", money.Unlimited))
	turned, _ := open(t, l, tenant("t", money.Unlimited), job("job-1", money.Unlimited))
	only := openOnce(t, l, job("job-1", money.Unlimited))
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				h := budget.Hold{ID: fmt.Sprint(g, "-", i), Amount: 2}
				for _, a := range []budget.Account{both, turned} {
					_, _ = a.Reserve(context.Background(), h)
					_, _ = a.Settle(context.Background(), h, 1)
				}
				var o once.Hold
				_, _ = only.ReserveOnce(&o, once.Now())
				only.SettleOnce(&o, 1, 0)
			}
		})
	}
	wg.Wait()
	if got := spentOn(t, l, job("job-1", money.Unlimited)); got != 12_000 {
		t.Errorf("the job has %s spent, want 12000n", got)
	}
	if got := spentOn(t, l, tenant("t", money.Unlimited)); got != 8_000 {
		t.Errorf("the tenant has %s spent, want 8000n", got)
	}
}
