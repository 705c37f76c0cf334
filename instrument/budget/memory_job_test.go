package budget_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/internal/once"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// A onceAccount is what package instrument uses of an account over a single job.
type onceAccount interface {
	budget.Account
	ReserveOnce(h *once.Hold, now time.Duration) (budget.Balance, error)
	SettleOnce(h *once.Hold, cost, unconfirmed money.USD) budget.Balance
	ReleaseOnce(h *once.Hold) budget.Balance
}

func openOnce(t testing.TB, l budget.Ledger, s budget.Scope) onceAccount {
	t.Helper()
	a, _, err := l.Open(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return a.(onceAccount)
}

// A pair is one hold, with an id in one ledger and without in another.
type pair struct {
	byID budget.Hold
	once once.Hold
}

// Whatever is held, ends, expires and is forgotten, in whatever order: a hold without an id gets the
// same answers as one with.
func TestHoldsWithoutAnIDGetTheSameAnswers(t *testing.T) {
	for seed := range uint64(150) {
		random := rand.New(rand.NewPCG(seed, 0))
		c := newClock()
		plain, fast := budget.NewMemoryLedger(budget.WithClock(c.Now)), budget.NewMemoryLedger(budget.WithClock(c.Now))
		limit := money.USD(random.Int64N(300))
		byID, want := open(t, plain, job("job-1", limit))
		_, got := open(t, fast, job("job-1", limit))
		other := openOnce(t, fast, job("job-1", limit))
		var holds []*pair
		for i := range 300 {
			var err, wantErr error
			step := ""
			switch n := random.IntN(20); {
			case n < 9:
				h := budget.Hold{ID: fmt.Sprint("hold-", i), Job: "job-1", Amount: money.USD(random.Int64N(40)),
					Floor: money.Mul(money.USD(random.Int64N(20)), random.Int64N(3)), Lease: time.Duration(random.Int64N(4)) * time.Second}
				if random.IntN(3) == 0 {
					h.Job = "nested"
				}
				if random.IntN(5) == 0 {
					h.Amount, h.Free = 0, true
				}
				if random.IntN(50) == 0 {
					h.Amount = money.Unlimited - 1
				}
				p := &pair{byID: h, once: once.Hold{Own: h.Job == "job-1", Amount: h.Amount, Floor: h.Floor, Lease: h.Lease, Free: h.Free}}
				step = fmt.Sprintf("reserve %+v", h)
				want, wantErr = byID.Reserve(t.Context(), h)
				got, err = other.ReserveOnce(&p.once, once.Now())
				if wantErr == nil {
					holds = append(holds, p)
				}
			case n < 12 && len(holds) > 0:
				p, cost := take(random, &holds), money.USD(random.Int64N(60))
				if random.IntN(3) == 0 {
					p.byID.Unconfirmed = min(cost, money.USD(random.Int64N(60)))
				}
				step = fmt.Sprintf("settle %s %d with %d unconfirmed", p.byID.ID, cost, p.byID.Unconfirmed)
				want, wantErr = byID.Settle(t.Context(), p.byID, cost)
				got, err = other.SettleOnce(&p.once, cost, p.byID.Unconfirmed), nil
			case n < 13: // a Spend
				p, cost := &pair{byID: budget.Hold{ID: fmt.Sprint("spend-", i), Job: "job-1"}, once: once.Hold{Own: true}}, money.USD(random.Int64N(9))
				step = fmt.Sprintf("settle %s %d", p.byID.ID, cost)
				want, wantErr = byID.Settle(t.Context(), p.byID, cost)
				got, err = other.SettleOnce(&p.once, cost, 0), nil
			case n < 16 && len(holds) > 0:
				p := take(random, &holds)
				step = "release " + p.byID.ID
				want, wantErr = byID.Release(t.Context(), p.byID)
				got, err = other.ReleaseOnce(&p.once), nil
			case n < 18:
				step = "advance"
				c.advance(time.Duration(random.Int64N(1500)) * time.Millisecond)
			case n < 19:
				limit = []money.USD{money.Sum(limit, 50), limit - limit/4, money.Unlimited, 300}[random.IntN(4)]
				limit = max(limit, 0)
				step = fmt.Sprintf("open with limit %s", limit)
				_, want, wantErr = plain.Open(t.Context(), job("job-1", limit))
				_, got, err = fast.Open(t.Context(), job("job-1", limit))
			case random.IntN(4) == 0:
				step = "forget"
				err, wantErr = fast.Forget(t.Context(), budget.Job, "job-1"), plain.Forget(t.Context(), budget.Job, "job-1")
			}
			refused, wantRefused := new(budget.Error), new(budget.Error)
			if errors.As(wantErr, &wantRefused) {
				if wantRefused.Job == "" || wantRefused.Scope.ID != "job-1" {
					t.Errorf("refusal %+v names no job or scope", wantRefused)
				}
				wantRefused.Job, wantRefused.API = "", ""
				errors.As(err, &refused)
			} else if fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Fatalf("seed %d, step %d, %s: error %v, with an id %v", seed, i, step, err, wantErr)
			}
			if !reflect.DeepEqual(got, want) || *refused != *wantRefused {
				t.Fatalf("seed %d, step %d, %s:\n%+v %+v\nwith an id\n%+v %+v", seed, i, step, got, refused, want, wantRefused)
			}
			if got.Spent < 0 || got.Held < 0 || got.Own < 0 || got.Unconfirmed < 0 || got.Own > got.Spent || got.Unconfirmed > got.Spent {
				t.Fatalf("seed %d, step %d, %s: %+v", seed, i, step, got)
			}
		}
	}
}

func take(random *rand.Rand, holds *[]*pair) *pair {
	i := random.IntN(len(*holds))
	p := (*holds)[i]
	*holds = append((*holds)[:i], (*holds)[i+1:]...)
	return p
}

// Holds of both kinds share one account: whoever needs room expires those of the other kind too.
func TestHoldsOfBothKindsExpire(t *testing.T) {
	for _, needsRoom := range []string{"with an id", "without an id"} {
		t.Run(needsRoom, func(t *testing.T) {
			c := newClock()
			l := budget.NewMemoryLedger(budget.WithClock(c.Now))
			both, _ := open(t, l, job("job-1", 100), tenant("t", money.Unlimited))
			only := openOnce(t, l, job("job-1", 100))
			h := once.Hold{Amount: 40, Floor: 1, Lease: time.Second}
			for i := range 2 {
				if i == 1 {
					h.Lease = 2 * time.Second
				}
				hold(t, both, budget.Hold{ID: fmt.Sprint("hold-", i), Amount: 10, Floor: 2, Lease: h.Lease})
			}
			if _, err := only.ReserveOnce(&h, once.Now()); err != nil {
				t.Fatal(err)
			}
			c.advance(2 * time.Second)
			var b budget.Balance
			var err error
			if needsRoom == "with an id" {
				b, err = both.Reserve(t.Context(), budget.Hold{ID: "new", Amount: 95})
			} else {
				b, err = only.ReserveOnce(&once.Hold{Amount: 95}, once.Now())
			}
			want := budget.Balance{Limit: 100, Spent: 5, Held: 95, Unconfirmed: 5, Expired: budget.Expired{Holds: 3, Amount: 5}}
			if err != nil || !reflect.DeepEqual(b, want) {
				t.Errorf("balance %+v, error %v, want %+v", b, err, want)
			}
		})
	}
}

// A final Close forgets the account with its last hold, also if that has no id.
func TestTheLastHoldWithoutAnIDForgetsACompletedAccount(t *testing.T) {
	for name, end := range map[string]func(onceAccount, *once.Hold){
		"settle":  func(a onceAccount, h *once.Hold) { a.SettleOnce(h, 3, 0) },
		"release": func(a onceAccount, h *once.Hold) { a.ReleaseOnce(h) },
	} {
		l := budget.NewMemoryLedger()
		a := openOnce(t, l, job("job-1", 10))
		spend(t, a, "before", 4)
		var h once.Hold
		if _, err := a.ReserveOnce(&h, once.Now()); err != nil {
			t.Fatal(err)
		}
		closeAs(t, a, true)
		b := openOnce(t, l, job("job-1", 10))
		if got := spend(t, b, "look", 0).Spent; got != 4 {
			t.Errorf("%s: while a hold is under way the account has spent %s, want 4n", name, got)
		}
		closeAs(t, b, true)
		end(a, &h)
		if got := spentOn(t, l, job("job-1", 10)); got != 0 {
			t.Errorf("%s: the account is not forgotten: spent %s", name, got)
		}
	}
}

// The lease of a hold without an id runs from the reading that the caller passes, unless the ledger has
// a clock of its own.
func TestLeaseFromTheCallersReading(t *testing.T) {
	stopped := time.Now()
	for _, tt := range []struct {
		reason string
		ledger budget.Ledger
		want   int
	}{
		{"the clock of the process", budget.NewMemoryLedger(), 1},
		{"a clock that stands still", budget.NewMemoryLedger(budget.WithClock(func() time.Time { return stopped })), 0},
	} {
		a := openOnce(t, tt.ledger, job("job-1", 10))
		h := once.Hold{Amount: 5, Lease: time.Hour}
		if _, err := a.ReserveOnce(&h, once.Now()-time.Hour); err != nil {
			t.Fatal(err)
		}
		b, err := a.ReserveOnce(&once.Hold{Amount: 1, Lease: time.Hour}, once.Now())
		if err != nil || b.Expired.Holds != tt.want {
			t.Errorf("%s: a hold of an hour ago for an hour: expired %+v, %v; want %d", tt.reason, b.Expired, err, tt.want)
		}
	}
}

func TestHoldsWithoutAnIDDoNotAllocate(t *testing.T) {
	a := openOnce(t, budget.NewMemoryLedger(), job("job-1", money.Dollar))
	var h once.Hold
	if n := testing.AllocsPerRun(1000, func() {
		h = once.Hold{Own: true, Amount: 5, Floor: 1, Lease: time.Minute}
		_, _ = a.ReserveOnce(&h, once.Now())
		a.SettleOnce(&h, 1, 0)
		h = once.Hold{Amount: 5}
		_, _ = a.ReserveOnce(&h, once.Now())
		a.ReleaseOnce(&h)
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func BenchmarkHoldWithoutAnID(b *testing.B) {
	for _, lease := range []time.Duration{0, time.Minute} {
		b.Run(fmt.Sprint("lease ", lease), func(b *testing.B) {
			a := openOnce(b, budget.NewMemoryLedger(), job("job-1", money.Unlimited))
			var h once.Hold
			now := once.Now()
			for b.Loop() {
				h = once.Hold{Own: true, Amount: 5, Lease: lease}
				_, _ = a.ReserveOnce(&h, now)
				a.SettleOnce(&h, 1, 0)
			}
		})
	}
}

func BenchmarkHoldByID(b *testing.B) {
	for name, scopes := range map[string][]budget.Scope{
		"1 scope":  {job("job-1", money.Unlimited)},
		"3 scopes": {job("job-1", money.Unlimited), tenant("t", money.Unlimited), {Kind: budget.Day, ID: "t", Limit: money.Unlimited}},
	} {
		b.Run(name, func(b *testing.B) {
			a, _, err := budget.NewMemoryLedger().Open(b.Context(), scopes...)
			if err != nil {
				b.Fatal(err)
			}
			for i := 0; b.Loop(); i++ {
				h := budget.Hold{ID: fmt.Sprint(i), Job: "job-1", Amount: 5}
				_, _ = a.Reserve(b.Context(), h)
				_, _ = a.Settle(b.Context(), h, 1)
			}
		})
	}
}
