package budget_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// Whatever is held, settled, confirmed and released, in whatever order: without a limit, one handle with
// slices answers as the ledger behind it would.
func TestSlicesAnswerAsTheirLedger(t *testing.T) {
	for seed := range uint64(150) {
		random := rand.New(rand.NewPCG(seed, 1))
		inner, plain := budget.NewMemoryLedger(), budget.NewMemoryLedger()
		a, _ := open(t, budget.Sliced(inner, money.Sum(1, money.USD(random.Int64N(60))), time.Hour), job("job-1", money.Unlimited), tenant("t", money.Unlimited))
		b, _ := open(t, plain, job("job-1", money.Unlimited), tenant("t", money.Unlimited))
		both := [...]budget.Account{a, b}
		var before []string
		for range 150 {
			h := budget.Hold{ID: fmt.Sprint(random.IntN(40)), Job: []string{"job-1", "job-1", "nested"}[random.IntN(3)]}
			cost, kind := money.USD(random.Int64N(20)), random.IntN(7)
			switch {
			case kind < 3:
				h.Amount = money.USD(random.Int64N(20))
			case kind < 6 && random.IntN(2) == 0:
				h.Unconfirmed = min(cost, money.USD(random.Int64N(20)))
			}
			before = append(before, fmt.Sprint([]string{"reserve ", "settle ", "release "}[kind/3], h, cost))
			var got [2]budget.Balance
			var errs [2]error
			for i, account := range both {
				switch {
				case kind < 3:
					got[i], errs[i] = account.Reserve(t.Context(), h)
				case kind < 6:
					got[i], errs[i] = account.Settle(t.Context(), h, cost)
				default:
					got[i], errs[i] = account.Release(t.Context(), h)
				}
				got[i].Crossed = nil
			}
			for _, known := range []error{budget.ErrExceeded, budget.ErrConflict} {
				if errors.Is(errs[0], known) != errors.Is(errs[1], known) {
					t.Fatalf("seed %d, after %q: error %v, want %v", seed, before, errs[0], errs[1])
				}
			}
			if fmt.Sprint(got[0]) != fmt.Sprint(got[1]) {
				t.Fatalf("seed %d, after %q: balance %+v, want %+v", seed, before, got[0], got[1])
			}
		}
		for id := range 40 { // so that nothing is under way
			for _, account := range both {
				if _, err := account.Release(t.Context(), budget.Hold{ID: fmt.Sprint(id), Job: "job-1"}); err != nil {
					t.Fatal(err)
				}
			}
		}
		closeAs(t, a, false)
		_, got := open(t, inner, tenant("t", money.Unlimited))
		if _, want := open(t, plain, tenant("t", money.Unlimited)); got.Spent != want.Spent || got.Unconfirmed != want.Unconfirmed || got.Held != 0 {
			t.Fatalf("seed %d: the ledger has %+v in the end, want %+v", seed, got, want)
		}
	}
}

// Costs that are not known are booked one by one, but not before their slice is.
func TestSlicesBookUnconfirmedCostsWithTheSlice(t *testing.T) {
	l := far(budget.NewMemoryLedger())
	a, _ := open(t, budget.Sliced(l, 1000, time.Hour), job("job-1", money.Unlimited))
	settle := func(id string, cost, unconfirmed money.USD) {
		t.Helper()
		if _, err := a.Settle(t.Context(), budget.Hold{ID: id, Job: "job-1", Unconfirmed: unconfirmed}, cost); err != nil {
			t.Fatal(err)
		}
	}
	hold(t, a, budget.Hold{ID: "long", Job: "job-1", Amount: 1})
	for i := range 50 {
		hold(t, a, budget.Hold{ID: fmt.Sprint(i), Job: "job-1", Amount: 10})
		settle(fmt.Sprint(i), 10, 10)
	}
	if n := l.count("settle"); n != 0 {
		t.Errorf("%d settles while the slice is spent from", n)
	}
	settle("0", 3, 0)
	settle("long", 1, 0)
	closeAs(t, a, false)
	if r, s := l.count("reserve"), l.count("settle"); r != 1 || s != 50 {
		t.Errorf("%d reserves and %d settles, want 1 and those of 49 costs and a slice", r, s)
	}
	if _, b := open(t, l, job("job-1", money.Unlimited)); b.Spent != 494 || b.Unconfirmed != 490 || b.Held != 0 {
		t.Errorf("the ledger has %+v, want 494n spent and 490n unconfirmed", b)
	}
}
