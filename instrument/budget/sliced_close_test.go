package budget_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
)

// A call that outlives the last Close while the ledger is away is not forgotten: its settle fails, and the next one
// books it once.
func TestALateCallIsSettledAgain(t *testing.T) {
	l := far(budget.NewMemoryLedger())
	a, _ := open(t, budget.Sliced(l, 10, time.Hour), job("job-1", 100))
	hold(t, a, budget.Hold{ID: "late", Job: "job-1", Amount: 4})
	closeAs(t, a, false)
	l.down(true)
	for range 2 {
		if _, err := a.Settle(t.Context(), budget.Hold{ID: "late", Job: "job-1"}, 3); !errors.Is(err, budget.ErrUnavailable) {
			t.Errorf("%v, want ErrUnavailable", err)
		}
	}
	l.down(false)
	for range 2 {
		spendAs(t, a, "late", "job-1", 3)
	}
	if _, b := open(t, l, job("job-1", 100)); b.Held != 0 || b.Spent != 3 {
		t.Errorf("the ledger has %+v, want 3n spent", b)
	}
}

// A final Close may forget the account, so it comes after what is booked.
func TestSlicesAreBookedBeforeTheAccountIsClosed(t *testing.T) {
	l := &closing{farLedger: far(budget.NewMemoryLedger())}
	a, _ := open(t, budget.Sliced(l, 10, time.Hour), job("job-1", 100))
	call(t, a, "a", 4)
	l.down(true)
	if err := a.Close(t.Context(), true); err == nil || l.closed != 0 {
		t.Errorf("%v, closed %d times before the cost is booked", err, l.closed)
	}
	l.down(false)
	for range 2 {
		closeAs(t, a, true)
	}
	if l.closed != 1 || l.count("settle") != 2 {
		t.Errorf("closed %d times after %d settles, want once after two", l.closed, l.count("settle"))
	}
}

// The error of a ledger that says itself that it is unavailable says so once.
func TestUnavailableIsSaidOnce(t *testing.T) {
	l := &closing{farLedger: far(budget.NewMemoryLedger()), reserve: budget.ErrUnavailable}
	a, _ := open(t, budget.Sliced(l, 10, time.Hour), job("job-1", 100))
	_, err := a.Reserve(t.Context(), budget.Hold{ID: "a", Job: "job-1", Amount: 4})
	if !errors.Is(err, budget.ErrUnavailable) || strings.Count(err.Error(), "unavailable") != 1 {
		t.Errorf("%v", err)
	}
}

// The last Close books also if another Open waits meanwhile, and gives up.
func TestAnOpenThatGivesUpKeepsNothingOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &closing{farLedger: far(budget.NewMemoryLedger())}
		sliced := budget.Sliced(l, 10, time.Hour)
		a, _ := open(t, sliced, job("job-1", 100))
		call(t, a, "a", 4)
		block := make(chan struct{})
		l.down(true)
		l.block, l.wait = block, make(chan struct{})
		go func() {
			if _, err := a.Reserve(t.Context(), budget.Hold{ID: "b", Job: "job-1", Amount: 10}); err == nil {
				t.Error("Reserve without the ledger passed")
			}
		}()
		synctest.Wait()
		l.down(false)
		l.block = nil
		go func() {
			if err := a.Close(t.Context(), false); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		over, cancel := context.WithCancel(t.Context())
		go func() {
			if _, _, err := sliced.Open(over, job("job-1", 100)); !errors.Is(err, budget.ErrUnavailable) {
				t.Errorf("Open behind a Close gave %v", err)
			}
		}()
		synctest.Wait()
		close(block)
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(l.wait)
		synctest.Wait()
		if _, b := open(t, l, job("job-1", 100)); b.Held != 0 || b.Spent != 4 {
			t.Errorf("the ledger has %+v, want 4n spent", b)
		}
	})
}

// closing counts the closes of a far ledger.
type closing struct {
	*farLedger
	closed  int
	reserve error
	wait    chan struct{} // closes wait for it
}

func (l *closing) Open(ctx context.Context, scopes ...budget.Scope) (budget.Account, budget.Balance, error) {
	a, b, err := l.farLedger.Open(ctx, scopes...)
	return closingAccount{a, l}, b, err
}

type closingAccount struct {
	budget.Account
	l *closing
}

func (a closingAccount) Reserve(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	if a.l.reserve != nil {
		return budget.Balance{}, a.l.reserve
	}
	return a.Account.Reserve(ctx, h)
}

func (a closingAccount) Close(ctx context.Context, final bool) error {
	a.l.closed++
	if a.l.wait != nil {
		<-a.l.wait
	}
	return a.Account.Close(ctx, final)
}
