package remote_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/internal/remote"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// What could not be settled is settled later, with the same hold and once.
func TestSettleIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit()
		a := k.open(t)
		if _, _, err := a.Reserve(t.Context(), hold("a"), true); err != nil {
			t.Fatal(err)
		}
		k.fake.ops()
		k.fake.set(away)
		var told []budget.Balance
		if _, err := a.Settle(t.Context(), hold("a"), 7*money.Cent, func(bal budget.Balance) { told = append(told, bal) }); err == nil {
			t.Fatal("no error")
		}
		time.Sleep(time.Minute)
		if n := k.Pending(); n != 1 {
			t.Errorf("%d pending, want 1", n)
		}
		k.fake.set(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if bal := k.balance(t); bal.Spent != 7*money.Cent || bal.Held != 0 {
			t.Errorf("%+v, want $0.07 spent", bal)
		}
		if n := k.Pending(); n != 0 || len(told) != 1 || told[0].Spent != 7*money.Cent {
			t.Errorf("%d pending, told of %+v", n, told)
		}
		asked := k.fake.ops()
		if slices.ContainsFunc(asked, func(op string) bool { return op != "settle a" }) || len(asked) < 5 || len(asked) > 30 {
			t.Errorf("in a minute it was asked %q", asked)
		}
	})
}

// The store has settled, but the answer was lost: the retry must not book it twice.
func TestSettleWhoseAnswerIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit()
		a := k.open(t)
		k.fake.lose = away
		crossed := 0
		if _, err := a.Settle(t.Context(), hold("a"), 80*money.Cent, func(bal budget.Balance) { crossed += len(bal.Crossed) }); err == nil {
			t.Fatal("no error")
		}
		k.fake.mu.Lock()
		k.fake.lose = nil
		k.fake.mu.Unlock()
		if _, err := a.Settle(t.Context(), hold("b"), 0, ignore); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if bal := k.balance(t); bal.Spent != 80*money.Cent || crossed != 2 || k.Pending() != 0 {
			t.Errorf("%+v, %d crossings, %d pending, want $0.80 spent, and 50 and 80 %% crossed", bal, crossed, k.Pending())
		}
	})
}

// An answer that will not change is not asked for again.
func TestSettleThatContradictsIsNotTriedAgain(t *testing.T) {
	k := newKit()
	a := k.open(t)
	if _, err := a.Settle(t.Context(), hold("a"), 1, ignore); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Settle(t.Context(), hold("a"), 2, ignore); !errors.Is(err, budget.ErrConflict) || k.Pending() != 0 {
		t.Errorf("%v with %d pending, want ErrConflict and none", err, k.Pending())
	}
}

// A ledger forgets a job that is completed. What that spends later has no account, and is not asked for again; a store
// that was emptied may come back.
func TestSettleInAForgottenAccountIsNotTriedAgain(t *testing.T) {
	for final, pending := range map[bool]int{true: 0, false: 1} {
		synctest.Test(t, func(t *testing.T) {
			k := newKit()
			a := k.open(t)
			if err := a.Close(t.Context(), final); err != nil {
				t.Fatal(err)
			}
			k.fake.set(func(context.Context, string) error { return budget.ErrLost })
			if _, err := a.Settle(t.Context(), hold("a"), 1, ignore); !errors.Is(err, budget.ErrLost) || k.Pending() != pending {
				t.Errorf("final %t: %v with %d pending, want ErrLost and %d", final, err, k.Pending(), pending)
			}
			k.fake.set(nil)
			if err := k.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSettleIsGivenUpWhenTheLeaseIsOver(t *testing.T) {
	for unconfirmed, told := range map[money.USD]string{0: `$0.07 of job "job-1"`, 2 * money.Cent: `$0.07, of which $0.02 is unconfirmed, of job "job-1"`} {
		synctest.Test(t, func(t *testing.T) {
			k := newKit()
			a := k.open(t)
			k.fake.set(away)
			h := hold("a")
			h.Lease, h.Unconfirmed = 10*time.Minute, unconfirmed
			if _, err := a.Settle(t.Context(), h, 7*money.Cent, ignore); err == nil {
				t.Fatal("no error")
			}
			time.Sleep(9 * time.Minute)
			if k.Pending() != 1 || k.count(remote.GivenUp) != 0 {
				t.Errorf("before: %d pending, %d given up", k.Pending(), k.count(remote.GivenUp))
			}
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			if k.Pending() != 0 || k.count(remote.GivenUp) != 1 {
				t.Errorf("after: %d pending, %d given up", k.Pending(), k.count(remote.GivenUp))
			}
			if r := k.reported(); len(r) != 1 || !strings.Contains(r[0], told+`, API "gpt", hold a, cannot be delivered`) {
				t.Errorf("reported %q", r)
			}
		})
	}
}

func TestQueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 10_000
		k := newKit()
		a := k.open(t)
		k.fake.set(away)
		for range most + 3 {
			_, _ = a.Settle(t.Context(), hold("a"), 1, ignore)
		}
		if k.Pending() != most || k.count(remote.GivenUp) != 3 || len(k.reported()) != 3 {
			t.Errorf("%d pending, %d given up, %d reported; want %d, 3 and 3", k.Pending(), k.count(remote.GivenUp), len(k.reported()), most)
		}
		k.fake.set(nil)
		if err := k.Close(t.Context()); err != nil || k.Pending() != 0 {
			t.Errorf("%v with %d pending", err, k.Pending())
		}
	})
}

// An account must not be forgotten before its last cost has arrived.
func TestAccountIsClosedAfterWhatIsQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit()
		a := k.open(t)
		k.fake.set(away)
		_, _ = a.Settle(t.Context(), hold("a"), 1, ignore)
		if err := a.Close(t.Context(), true); err != nil {
			t.Error(err)
		}
		k.fake.set(nil)
		k.fake.ops()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got, want := k.fake.ops(), []string{"settle a", "close for good"}; !slices.Equal(got, want) {
			t.Errorf("asked %q, want %q", got, want)
		}
	})
}

func TestCloseDelivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit()
		a := k.open(t)
		k.fake.set(away)
		for _, id := range []string{"a", "b", "c"} {
			_, _ = a.Settle(t.Context(), hold(id), money.Cent, ignore)
		}
		time.Sleep(time.Minute) // the next try is many seconds away
		k.fake.set(nil)
		start := time.Now()
		if err := k.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if bal := k.balance(t); bal.Spent != 3*money.Cent || k.Pending() != 0 || time.Since(start) > time.Second {
			t.Errorf("%+v, %d pending after %s", bal, k.Pending(), time.Since(start))
		}
		// Afterwards each is tried once.
		if _, err := a.Settle(t.Context(), hold("d"), money.Cent, ignore); err != nil {
			t.Error(err)
		}
		k.fake.set(away)
		if _, err := a.Settle(t.Context(), hold("e"), money.Cent, ignore); err == nil || k.Pending() != 0 || k.count(remote.GivenUp) != 1 {
			t.Errorf("%v, %d pending, %d given up", err, k.Pending(), k.count(remote.GivenUp))
		}
		if bal := k.balance(t); bal.Spent != 4*money.Cent {
			t.Errorf("%+v, want $0.04 spent", bal)
		}
	})
}

// Close takes no longer than its context, even if the ledger ignores its own, and says what is lost. It may be called
// by several at once.
func TestCloseOfALedgerThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit()
		a := k.open(t)
		k.fake.set(away)
		for range 3 {
			_, _ = a.Settle(t.Context(), hold("a"), money.Cent, ignore)
		}
		hang := make(chan struct{})
		k.fake.set(func(context.Context, string) error { <-hang; return errStore })
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		start := time.Now()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				err := k.Close(ctx)
				if err == nil || time.Since(start) != 500*time.Millisecond {
					t.Errorf("%v after %s", err, time.Since(start))
				}
			})
		}
		wg.Wait()
		err := k.Close(context.Background())
		if !errors.Is(err, budget.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "3 settles and releases could not be delivered") {
			t.Errorf("%v", err)
		}
		if k.Pending() != 0 || k.count(remote.GivenUp) != 3 || len(k.reported()) != 3 {
			t.Errorf("%d pending, %d given up, %d reported; want 0, 3 and 3", k.Pending(), k.count(remote.GivenUp), len(k.reported()))
		}
		close(hang)
	})
}

// Settles, failures and Close at the same time lose nothing: what is not in the ledger is counted as given up.
func TestCloseBesideSettles(t *testing.T) {
	k := newKit()
	a := k.open(t)
	var n sync.Mutex
	calls := 0
	k.fake.set(func(_ context.Context, op string) error {
		n.Lock()
		defer n.Unlock()
		if calls++; calls%3 == 0 && op != "open" {
			return errStore
		}
		return nil
	})
	const settles = 300
	var wg sync.WaitGroup
	for i := range settles {
		wg.Go(func() {
			h := hold(strings.Repeat("x", i+1))
			_, _ = a.Settle(t.Context(), h, 1, ignore)
		})
	}
	if err := k.Close(t.Context()); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if err := k.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if bal := k.balance(t); bal.Spent != money.USD(settles-k.count(remote.GivenUp)) || k.Pending() != 0 {
		t.Errorf("%d booked, %d given up, %d pending, of %d", bal.Spent, k.count(remote.GivenUp), k.Pending(), settles)
	}
}
