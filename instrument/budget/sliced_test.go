package budget_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// A farLedger is a ledger behind a network, which counts its operations with a hold.
type farLedger struct {
	budget.Ledger
	mu    sync.Mutex
	ops   map[string]int
	fails func() (before, after bool) // the network, before and after the operation
	block chan struct{}               // operations wait for it
}

func far(l budget.Ledger) *farLedger {
	return &farLedger{Ledger: l, ops: make(map[string]int), fails: func() (bool, bool) { return false, false }}
}

func (l *farLedger) down(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fails = func() (bool, bool) { return down, false }
}

func (l *farLedger) count(op string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ops[op]
}

func (l *farLedger) Open(ctx context.Context, scopes ...budget.Scope) (budget.Account, budget.Balance, error) {
	a, b, err := l.Ledger.Open(ctx, scopes...)
	return &farAccount{a, l}, b, err
}

type farAccount struct {
	budget.Account
	l *farLedger
}

func (a *farAccount) do(op string, f func() (budget.Balance, error)) (budget.Balance, error) {
	a.l.mu.Lock()
	a.l.ops[op]++
	before, after := a.l.fails()
	block := a.l.block
	a.l.mu.Unlock()
	if block != nil {
		<-block
	}
	if before {
		return budget.Balance{}, errors.New("connection refused")
	}
	b, err := f()
	if after {
		return budget.Balance{}, context.DeadlineExceeded
	}
	return b, err
}

func (a *farAccount) Reserve(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	return a.do("reserve", func() (budget.Balance, error) { return a.Account.Reserve(ctx, h) })
}

func (a *farAccount) Settle(ctx context.Context, h budget.Hold, cost money.USD) (budget.Balance, error) {
	return a.do("settle", func() (budget.Balance, error) { return a.Account.Settle(ctx, h, cost) })
}

func (a *farAccount) Release(ctx context.Context, h budget.Hold) (budget.Balance, error) {
	return a.do("release", func() (budget.Balance, error) { return a.Account.Release(ctx, h) })
}

// call makes a call that costs all that it holds.
func call(t *testing.T, a budget.Account, id string, cost money.USD) {
	t.Helper()
	hold(t, a, budget.Hold{ID: id, Job: "job-1", Amount: cost})
	if _, err := a.Settle(t.Context(), budget.Hold{ID: id, Job: "job-1"}, cost); err != nil {
		t.Fatal(err)
	}
}

func TestSlicesSaveOperations(t *testing.T) {
	l := far(budget.NewMemoryLedger())
	a, _ := open(t, budget.Sliced(l, 100, time.Hour), job("job-1", money.Unlimited))
	for i := range 1000 {
		call(t, a, fmt.Sprint("call-", i), 1)
	}
	closeAs(t, a, false)
	if r, s := l.count("reserve"), l.count("settle"); r != 10 || s != 10 {
		t.Errorf("1,000 calls of 1n took %d reserves and %d settles, want 10 of each", r, s)
	}
	if got := spentOn(t, l, job("job-1", money.Unlimited)); got != 1000 {
		t.Errorf("the ledger has %s spent, want 1000n", got)
	}
}

func TestCallsGoOnWithoutTheLedgerUntilTheSliceIsSpent(t *testing.T) {
	l := far(budget.NewMemoryLedger())
	a, _ := open(t, budget.Sliced(l, 10, time.Hour), job("job-1", 100))
	call(t, a, "first", 1)
	l.down(true)
	for i := range 9 {
		call(t, a, fmt.Sprint("call-", i), 1)
	}
	_, err := a.Reserve(t.Context(), budget.Hold{ID: "one more", Job: "job-1", Amount: 1})
	if !errors.Is(err, budget.ErrUnavailable) || errors.Is(err, budget.ErrExceeded) {
		t.Errorf("when the slice is spent: %v, want ErrUnavailable", err)
	}
	for range 2 {
		if err := a.Close(t.Context(), false); !errors.Is(err, budget.ErrUnavailable) || err.Error() != "budget: book $0.00000001: ledger unavailable: connection refused" {
			t.Errorf("Close without the ledger: %v, want ErrUnavailable, once", err)
		}
	}
	l.down(false)
	closeAs(t, a, false)
	if got := spentOn(t, l, job("job-1", 100)); got != 10 {
		t.Errorf("the ledger has %s spent, want 10n", got)
	}
}

func TestASliceIsNotSpentAfterItsLease(t *testing.T) {
	c := newClock()
	l := far(budget.NewMemoryLedger(budget.WithClock(c.Now)))
	a, _ := open(t, budget.Sliced(l, 10, time.Hour, budget.WithClock(c.Now)), job("job-1", 100))
	call(t, a, "first", 1)
	l.down(true)
	c.advance(time.Hour - 1)
	call(t, a, "just in time", 1)
	c.advance(1)
	if _, err := a.Reserve(t.Context(), budget.Hold{ID: "late", Job: "job-1", Amount: 1}); !errors.Is(err, budget.ErrUnavailable) {
		t.Errorf("when the lease is over: %v, want ErrUnavailable", err)
	}
	l.down(false)
	call(t, a, "late", 1)
	closeAs(t, a, false)
	if got := spentOn(t, l, job("job-1", 100)); got != 3 {
		t.Errorf("the ledger has %s spent, want 3n", got)
	}
}

// Without the ledger a slice is all that calls can spend: it is not given back early, neither by age nor for a threshold.
func TestASliceIsKeptWithoutTheLedger(t *testing.T) {
	c := newClock()
	l := far(budget.NewMemoryLedger(budget.WithClock(c.Now)))
	a, _ := open(t, budget.Sliced(l, 10, time.Hour, budget.WithClock(c.Now)), job("job-1", 16))
	call(t, a, "first", 1)
	l.down(true)
	c.advance(40 * time.Minute)
	for i := range 9 { // with the seventh, half of the limit is spent
		call(t, a, fmt.Sprint("call-", i), 1)
	}
	l.down(false)
	b, err := a.Release(t.Context(), budget.Hold{ID: "nobody"})
	if err != nil || b.Spent != 10 || b.Held != 0 {
		t.Errorf("%+v, %v, want 10n spent", b, err)
	}
	closeAs(t, a, false)
	if got := spentOn(t, l, job("job-1", 16)); got != 10 {
		t.Errorf("the ledger has %s spent, want 10n", got)
	}
}

func TestASliceIsRenewedBeforeItsLeaseIsOver(t *testing.T) {
	c := newClock()
	l := far(budget.NewMemoryLedger(budget.WithClock(c.Now)))
	a, _ := open(t, budget.Sliced(l, 10, time.Hour, budget.WithClock(c.Now)), job("job-1", 100))
	for i := range 24 {
		call(t, a, fmt.Sprint("call-", i), 1)
		c.advance(15 * time.Minute)
	}
	_, b := open(t, l, job("job-1", 100))
	if b.Unconfirmed != 0 || b.Spent < 20 || l.count("reserve") != 12 {
		t.Errorf("after 6 hours with a call each 15 minutes: %+v after %d reserves, want 12 and nothing unconfirmed", b, l.count("reserve"))
	}
}

// A call that takes longer than the lease: the ledger has the whole slice as spent, and then what it cost.
func TestASliceExpiresUnderALongCall(t *testing.T) {
	c := newClock()
	l := budget.NewMemoryLedger(budget.WithClock(c.Now))
	a, _ := open(t, budget.Sliced(l, 10, time.Hour, budget.WithClock(c.Now)), job("job-1", 100))
	hold(t, a, budget.Hold{ID: "long", Job: "job-1", Amount: 6})
	c.advance(2 * time.Hour)
	if _, b := open(t, l, job("job-1", 100)); b.Spent != 10 || b.Unconfirmed != 10 || b.Held != 0 {
		t.Errorf("when its slice has expired the ledger has %+v", b)
	}
	if _, err := a.Settle(t.Context(), budget.Hold{ID: "long", Job: "job-1"}, 3); err != nil {
		t.Fatal(err)
	}
	if _, b := open(t, l, job("job-1", 100)); b.Spent != 3 || b.Unconfirmed != 0 || b.Held != 0 {
		t.Errorf("when the call has ended the ledger has %+v", b)
	}
}

// The nested job's calls spend from the same slices, and the ledger knows whose they are.
func TestSlicesKeepOwnApart(t *testing.T) {
	l := budget.NewMemoryLedger()
	a, _ := open(t, budget.Sliced(l, 100, time.Hour), job("job-1", 100))
	hold(t, a, budget.Hold{ID: "own", Job: "job-1", Amount: 10})
	hold(t, a, budget.Hold{ID: "nested", Job: "job-2", Amount: 90})
	spendAs(t, a, "own", "job-1", 7)
	spendAs(t, a, "nested", "job-2", 80)
	closeAs(t, a, false)
	if _, b := open(t, l, job("job-1", 100)); b.Spent != 87 || b.Own != 7 || b.Held != 0 {
		t.Errorf("the ledger has %+v, want 87 spent, 7 of its own", b)
	}
}

func spendAs(t *testing.T, a budget.Account, id, job string, cost money.USD) budget.Balance {
	t.Helper()
	b, err := a.Settle(t.Context(), budget.Hold{ID: id, Job: job}, cost)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A call that outlives the last Close is booked when it ends.
func TestALateCallOfAClosedSlicedAccountIsBooked(t *testing.T) {
	l := budget.NewMemoryLedger()
	a, _ := open(t, budget.Sliced(l, 10, time.Hour), job("job-1", 100))
	hold(t, a, budget.Hold{ID: "late", Job: "job-1", Amount: 4})
	call(t, a, "other", 2)
	closeAs(t, a, false)
	spendAs(t, a, "late", "job-1", 3)
	if _, b := open(t, l, job("job-1", 100)); b.Held != 0 || b.Spent != 5 {
		t.Errorf("the closed job has %+v, want 5 spent", b)
	}
}

func TestOperationsHonorTheirContextWhileTheyWait(t *testing.T) {
	l := far(budget.NewMemoryLedger())
	a, _ := open(t, budget.Sliced(l, 10, time.Hour), job("job-1", 100))
	block := make(chan struct{})
	l.mu.Lock()
	l.block = block
	l.mu.Unlock()
	first := make(chan error)
	go func() {
		_, err := a.Reserve(t.Context(), budget.Hold{ID: "first", Job: "job-1", Amount: 1})
		first <- err
	}()
	for l.count("reserve") == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, op := range map[string]func() error{
		"reserve": func() error { _, err := a.Reserve(ctx, budget.Hold{ID: "x", Amount: 1}); return err },
		"settle":  func() error { _, err := a.Settle(ctx, budget.Hold{ID: "x"}, 1); return err },
		"release": func() error { _, err := a.Release(ctx, budget.Hold{ID: "x"}); return err },
		"close":   func() error { return a.Close(ctx, false) },
	} {
		if err := op(); !errors.Is(err, budget.ErrUnavailable) || !errors.Is(err, context.Canceled) {
			t.Errorf("%s behind an operation that waits: %v", name, err)
		}
	}
	close(block)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

func TestSlicesHaveToBeAmountsAndLeases(t *testing.T) {
	for _, l := range []budget.Ledger{
		budget.Sliced(budget.NewMemoryLedger(), 0, time.Hour),
		budget.Sliced(budget.NewMemoryLedger(), -1, time.Hour),
		budget.Sliced(budget.NewMemoryLedger(), money.Unlimited, time.Hour),
		budget.Sliced(budget.NewMemoryLedger(), 1, 0),
	} {
		if _, _, err := l.Open(t.Context(), job("job-1", 1)); !errors.Is(err, budget.ErrInvalid) {
			t.Errorf("%v, want ErrInvalid", err)
		}
	}
}

// Several processes with slices of one budget, over a network that loses requests and answers, whose
// calls cost up to what they hold: together they never spend more than the limit, the ledger never
// has less than they have spent, and in the end it has exactly that.
func TestSlicesAreStrictAndLoseNothing(t *testing.T) {
	for seed := range uint64(12) {
		const limit = 2000
		shared := budget.NewMemoryLedger()
		check, _ := open(t, shared, tenant("t", limit))
		var spent, unconfirmed, passed atomic.Int64
		var accounts []budget.Account
		var networks []*farLedger
		for i := range 4 {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			l := far(shared)
			l.fails = func() (bool, bool) { return random.IntN(4) == 0, random.IntN(4) == 0 }
			a, _ := open(t, budget.Sliced(l, money.Sum(1, money.USD(random.Int64N(100))), time.Hour), job(fmt.Sprint("job-", i), money.Unlimited), tenant("t", limit))
			accounts, networks = append(accounts, a), append(networks, l)
		}
		var wg sync.WaitGroup
		for i, a := range accounts {
			for g := range 4 {
				wg.Go(func() {
					random := rand.New(rand.NewPCG(seed, uint64(100+10*i+g)))
					for n := range 100 {
						h := budget.Hold{ID: fmt.Sprint("hold-", g, "-", n), Job: fmt.Sprint("job-", i+random.IntN(2)), Amount: money.USD(random.Int64N(20))}
						if _, err := a.Reserve(t.Context(), h); err != nil {
							if !errors.Is(err, budget.ErrExceeded) && !errors.Is(err, budget.ErrUnavailable) {
								t.Errorf("seed %d: %v", seed, err)
							}
							continue
						}
						passed.Add(1)
						var err error
						if random.IntN(5) == 0 {
							_, err = a.Release(t.Context(), h)
						} else {
							cost := random.Int64N(int64(money.Sum(h.Amount, 1)))
							if random.IntN(3) == 0 {
								h.Unconfirmed = money.USD(random.Int64N(cost + 1))
							}
							spent.Add(cost)
							unconfirmed.Add(int64(h.Unconfirmed))
							_, err = a.Settle(t.Context(), h, money.USD(cost))
							if h.Unconfirmed > 0 && random.IntN(2) == 0 && err == nil {
								less := random.Int64N(cost + 1)
								spent.Add(less - cost)
								unconfirmed.Add(-int64(h.Unconfirmed))
								h.Unconfirmed = 0
								_, err = a.Settle(t.Context(), h, money.USD(less))
							}
						}
						if err != nil {
							t.Errorf("seed %d: %v", seed, err)
						}
					}
				})
			}
		}
		wg.Wait()
		b, _ := check.Release(t.Context(), budget.Hold{ID: "look"})
		// What is delivered only in part counts twice for a while.
		if spent.Load() > limit || int64(money.Sum(b.Spent, b.Held)) < spent.Load() {
			t.Errorf("seed %d: the ledger has %s spent and %s held, of %s, when calls have cost %dn", seed, b.Spent, b.Held, money.USD(limit), spent.Load())
		}
		for i, a := range accounts {
			networks[i].down(false)
			closeAs(t, a, false)
		}
		b, _ = check.Release(t.Context(), budget.Hold{ID: "look"})
		if int64(b.Spent) != spent.Load() || int64(b.Unconfirmed) != unconfirmed.Load() || b.Held != 0 || passed.Load() == 0 {
			t.Errorf("seed %d: the ledger has %s spent, %s unconfirmed and %s held in the end, when %d calls have cost %dn, %dn of it unconfirmed", seed,
				b.Spent, b.Unconfirmed, b.Held, passed.Load(), spent.Load(), unconfirmed.Load())
		}
	}
}
