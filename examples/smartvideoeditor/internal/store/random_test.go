package store

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/budget/sqlledger"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// testLikeMemory does the same random operations with a ledger in SQL and with the one in memory.
func testLikeMemory(t *testing.T, dialect sqlledger.Dialect, db *sql.DB) {
	must(t, sqlledger.Migrate(t.Context(), db, dialect))
	for seed := range uint64(10) {
		var shift time.Duration
		both := [...]budget.Ledger{
			newLedger(t, db, dialect),
			budget.NewMemoryLedger(budget.WithClock(func() time.Time { return time.Now().Add(shift) })),
		}
		ops := operations{Rand: rand.New(rand.NewPCG(seed, 7)), prefix: fmt.Sprint("random ", seed, " ")}
		accounts := make(map[string][2]budget.Account)
		var before []string
		for range 100 {
			o := ops.next()
			before = append(before, fmt.Sprintf("%+v", o))
			var got [2]outcome
			for i, l := range both {
				a := accounts[o.scopes[0].ID]
				got[i] = o.do(t, l, &a[i])
				accounts[o.scopes[0].ID] = a
			}
			if !reflect.DeepEqual(got[0], got[1]) {
				t.Fatalf("seed %d, after\n%q:\ngot  %+v\nwant %+v", seed, before, got[0], got[1])
			}
			if d := time.Duration(ops.IntN(4)) * 7 * time.Minute; ops.IntN(5) == 0 {
				advance(t, db, d)
				shift += d
			}
		}
	}
}

// operations makes random operations.
type operations struct {
	*rand.Rand
	prefix string
}

// An operation is one on an account, or on a ledger.
type operation struct {
	kind   string
	scopes []budget.Scope
	hold   budget.Hold
	cost   money.USD
}

func (r operations) next() operation {
	job := fmt.Sprint(r.prefix, r.IntN(2))
	o := operation{
		kind: []string{"open", "reserve", "reserve", "reserve", "settle", "settle", "settle", "release", "forget"}[r.IntN(9)],
		scopes: []budget.Scope{
			{Kind: budget.Job, ID: job, Limit: r.limit(60)},
			{Kind: budget.Tenant, ID: r.prefix, Limit: r.limit(90)},
			{Kind: budget.Month, ID: r.prefix, Limit: money.Unlimited},
		}[:1+r.IntN(3)],
		hold: budget.Hold{
			ID: fmt.Sprint(r.IntN(20)), Job: job, API: "api", Amount: money.USD(r.IntN(12)), Floor: money.USD(r.IntN(5)),
			Free: r.IntN(6) == 0, Lease: time.Duration(1+r.IntN(5)) * 10 * time.Minute,
		},
		cost: money.USD(r.IntN(12)),
	}
	if r.IntN(5) == 0 {
		o.hold.Job = "nested"
	}
	if r.IntN(30) == 0 {
		o.cost = money.Unlimited - 1
	}
	if r.IntN(3) == 0 { // sometimes more than the cost
		o.hold.Unconfirmed = money.USD(r.IntN(12))
	}
	return o
}

func (r operations) limit(most int) money.USD {
	if r.IntN(4) == 0 {
		return money.Unlimited
	}
	return money.USD(r.IntN(most))
}

// An outcome is what an operation answers.
type outcome struct {
	balance budget.Balance
	refusal budget.Error
	err     error // of package budget
}

// do does the operation with the account, which it opens first if it has none.
func (o operation) do(t *testing.T, l budget.Ledger, a *budget.Account) (got outcome) {
	var err error
	switch {
	case o.kind == "open", *a == nil:
		if *a != nil {
			must(t, (*a).Close(t.Context(), false))
		}
		*a, got.balance, err = l.Open(t.Context(), o.scopes...)
	case o.kind == "reserve":
		got.balance, err = (*a).Reserve(t.Context(), o.hold)
	case o.kind == "settle":
		got.balance, err = (*a).Settle(t.Context(), o.hold, o.cost)
	case o.kind == "release":
		got.balance, err = (*a).Release(t.Context(), o.hold)
	case o.kind == "forget":
		s := o.scopes[len(o.scopes)-1]
		err = l.Forget(t.Context(), s.Kind, s.ID)
	}
	slices.SortFunc(got.balance.Crossed, func(a, b budget.Crossing) int {
		return cmp.Or(cmp.Compare(a.Scope.Kind, b.Scope.Kind), cmp.Compare(a.Percent, b.Percent), cmp.Compare(a.Spent, b.Spent))
	})
	if refusal := (*budget.Error)(nil); errors.As(err, &refusal) {
		got.refusal = *refusal
	}
	for _, known := range []error{budget.ErrExceeded, budget.ErrConflict, budget.ErrInvalid, budget.ErrLost} {
		if errors.Is(err, known) {
			got.err = known
		}
	}
	if err != nil && got.err == nil {
		t.Fatal(err)
	}
	return got
}
