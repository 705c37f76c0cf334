package instrument_test

import (
	"context"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// scripted answers each settle with the next of its balances.
type scripted struct{ balances []budget.Balance }

func (s *scripted) Open(context.Context, ...budget.Scope) (budget.Account, budget.Balance, error) {
	return s, budget.Balance{Limit: dollar}, nil
}
func (s *scripted) Forget(context.Context, budget.Kind, string) error { return nil }
func (s *scripted) Reserve(context.Context, budget.Hold) (budget.Balance, error) {
	return budget.Balance{}, nil
}
func (s *scripted) Settle(context.Context, budget.Hold, instrument.USD) (budget.Balance, error) {
	b := s.balances[0]
	s.balances = s.balances[1:]
	return b, nil
}
func (s *scripted) Release(context.Context, budget.Hold) (budget.Balance, error) {
	return budget.Balance{}, nil
}
func (s *scripted) Close(context.Context, bool) error { return nil }

// Answers overtake each other, so an older one must not bring money back; but an expired hold that
// turns out to have cost less does.
func TestWhatRemainsFollowsTheNewestBalance(t *testing.T) {
	l := &scripted{}
	p, _ := instrumenttest.New(t, instrument.WithLedger(l), patient)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
	defer job.End(nil)
	for _, tt := range []struct {
		reason             string
		spent, unconfirmed instrument.USD
		remain             instrument.USD
	}{
		{"a cost", 30 * cent, 0, 70 * cent},
		{"an older answer", 20 * cent, 0, 70 * cent},
		{"a hold expired", 35 * cent, 5 * cent, 65 * cent},
		{"an older answer still", 20 * cent, 0, 65 * cent},
		{"it cost less than was booked", 32 * cent, 0, 68 * cent},
		{"the answer from before that", 35 * cent, 5 * cent, 68 * cent},
		{"another expired", 42 * cent, 10 * cent, 58 * cent},
		{"and cost nothing", 32 * cent, 0, 68 * cent},
		{"and one cost more", 50 * cent, 0, 50 * cent},
		{"no balance", 0, 0, 50 * cent},
	} {
		b := budget.Balance{Limit: dollar, Spent: tt.spent, Unconfirmed: tt.unconfirmed}
		if tt.spent == 0 {
			b = budget.Balance{}
		}
		l.balances = append(l.balances, b)
		instrument.Spend(ctx, "gpu", cent)
		if got, _ := job.BudgetRemaining(); got != tt.remain {
			t.Errorf("%s: %s remain, want %s", tt.reason, got, tt.remain)
		}
	}
}
