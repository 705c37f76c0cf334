package instrument_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// disguised is the ledger in memory as a ledger of the user's, which is asked with hold ids.
type disguised struct{ budget.Ledger }

type disguisedAccount struct{ budget.Account }

func (l disguised) Open(ctx context.Context, scopes ...budget.Scope) (budget.Account, budget.Balance, error) {
	a, b, err := l.Ledger.Open(ctx, scopes...)
	return disguisedAccount{a}, b, err
}

// In memory a hold needs no id. Whatever calls a job makes, also one inside of another, it gets the same answers and
// leaves the same balances and metrics as with one.
func TestHoldsWithoutAnIDAreTheSame(t *testing.T) {
	for seed := range uint64(50) {
		fast, recFast := instrumenttest.New(t)
		plain, recPlain := instrumenttest.New(t, instrument.WithLedger(disguised{budget.NewMemoryLedger()}), patient)
		limit := instrument.USD(rand.New(rand.NewPCG(seed, 0)).Int64N(int64(3 * instrument.Dollar)))
		if seed == 0 {
			limit = instrument.Unlimited
		}
		got, want := spending(fast, seed, limit), spending(plain, seed, limit)
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("seed %d, limit %s, step %d: %+v, with hold ids %+v", seed, limit, i, got[i], want[i])
			}
		}
		if got, want := countsOf(recFast), countsOf(recPlain); got != want {
			t.Errorf("seed %d:\n%s\nwith hold ids\n%s", seed, got, want)
		}
	}
}

type step struct {
	remaining instrument.USD
	refusal   instrument.BudgetError
}

// spending is what a job sees that makes calls at random: nested, failing, more or less expensive than estimated.
func spending(p *instrument.Pipeline, seed uint64, limit instrument.USD) (steps []step) {
	random := rand.New(rand.NewPCG(seed, 1))
	amount := func() instrument.USD { return instrument.USD(random.Int64N(int64(20 * instrument.Cent))) }
	ctx, job := p.StartJob(context.Background(), "job-1", instrument.WithBudget(limit))
	defer job.End(nil)
	var call func(ctx context.Context, depth int)
	call = func(ctx context.Context, depth int) {
		cost, fails := amount(), []error{nil, nil, errDecoder, context.DeadlineExceeded, instrument.ErrBudgetExceeded}[random.IntN(5)]
		_, err := instrument.RunCallValue(ctx, "whisper", func(int) instrument.USD { return cost },
			func(ctx context.Context) (int, error) {
				for depth < 3 && random.IntN(2) == 0 {
					call(ctx, depth+1)
				}
				return 0, fails
			}, instrument.WithMaxCost(amount()), instrument.WithMinCost(amount()/10))
		var s step
		if refused := new(instrument.BudgetError); errors.As(err, &refused) {
			s.refusal = *refused
		}
		s.remaining, _ = job.BudgetRemaining()
		steps = append(steps, s)
	}
	for range 40 {
		switch random.IntN(5) {
		case 0:
			instrument.Spend(ctx, "gpu", amount())
		case 1: // an estimate that cannot be held beside another
			_, c, err := instrument.StartCall(ctx, "gpu", instrument.WithMaxCost(instrument.Unlimited-1))
			call(ctx, 3)
			if err == nil {
				c.SetCost(amount())
				c.End(nil)
			}
		default:
			call(ctx, 0)
		}
	}
	return steps
}
