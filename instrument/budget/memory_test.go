package budget_test

import (
	"fmt"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/budget/budgettest"
	"github.com/stagemeter/stagemeter/instrument/money"
)

func TestMemoryLedger(t *testing.T) {
	budgettest.TestLedger(t, func(*testing.T) budget.Ledger { return budget.NewMemoryLedger() })
}

// An account is forgotten with its last run: a worker that runs for months does not grow by every job.
func TestMemoryLedgerForgetsAnAccountWithItsLastRun(t *testing.T) {
	ctx := t.Context()
	l := budget.NewMemoryLedger()
	first, err := l.Open(ctx, "job-1", money.Dollar)
	if err != nil {
		t.Fatal(err)
	}
	second, err := l.Open(ctx, "job-1", money.Dollar)
	if err != nil {
		t.Fatal(err)
	}
	spend(t, first, "a", 60*money.Cent)
	if err := first.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if got := spend(t, second, "b", 10*money.Cent); got.Spent != 70*money.Cent {
		t.Errorf("while a run lives the account has spent %s, want $0.70", got.Spent)
	}
	if err := second.Close(ctx); err != nil {
		t.Fatal(err)
	}
	third, err := l.Open(ctx, "job-1", money.Dollar)
	if err != nil {
		t.Fatal(err)
	}
	if got := spend(t, third, "a", 5*money.Cent); got.Spent != 5*money.Cent {
		t.Errorf("a new account has spent %s, want $0.05", got.Spent)
	}
	// A call that outlives its job settles where it reserved, and not with the job that has come since.
	if got := spend(t, second, "late", 25*money.Cent); got.Spent != 95*money.Cent {
		t.Errorf("the closed account has spent %s, want $0.95", got.Spent)
	}
	if got := spend(t, third, "c", 0); got.Spent != 5*money.Cent {
		t.Errorf("a late call of the run before has spent from the new account: %s", got.Spent)
	}
}

// A job with millions of calls must not keep millions of ids, nor lose a hold that is open for long.
func TestMemoryLedgerForgetsOldHoldsThatEnded(t *testing.T) {
	ctx := t.Context()
	a, err := budget.NewMemoryLedger().Open(ctx, "job-1", money.Unlimited)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Reserve(ctx, "open", 7); err != nil {
		t.Fatal(err)
	}
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
	if got, err := a.Settle(ctx, "open", 7); err != nil || got.Held != 0 || got.Spent != calls+8 {
		t.Errorf("the open hold settled as %+v, %v", got, err)
	}
}

func spend(t *testing.T, a budget.Account, hold string, cost money.USD) budget.Balance {
	t.Helper()
	b, err := a.Settle(t.Context(), hold, cost)
	if err != nil {
		t.Fatalf("settle %s: %v", hold, err)
	}
	return b
}
