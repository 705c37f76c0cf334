package budgettest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// script is a duty that one goroutine can check: the answers of an account to a sequence of
// operations. Amounts are nano-dollars, so a ledger that keeps anything coarser fails.
type script struct {
	name  string
	limit money.USD
	steps []step
}

type step struct {
	op      string
	hold    string
	amount  money.USD
	err     error           // what the error has to match; nil: none
	lenient bool            // the answer does not matter, only what follows
	balance *budget.Balance // nil: not looked at; its Limit is filled in
}

func reserve(hold string, amount money.USD) step {
	return step{op: "reserve", hold: hold, amount: amount}
}

func settle(hold string, cost money.USD) step {
	return step{op: "settle", hold: hold, amount: cost}
}

func release(hold string) step { return step{op: "release", hold: hold} }

// setLimit opens the account again.
func setLimit(limit money.USD) step { return step{op: "open with limit", amount: limit} }

// look reads the balance: releasing an unknown hold changes nothing.
func look(spent, held money.USD) step { return release("nobody").gives(spent, held) }

func (s step) gives(spent, held money.USD) step {
	s.balance = &budget.Balance{Spent: spent, Held: held, Prior: spent}
	return s
}

// from sets what was spent before the step, for one that books something.
func (s step) from(prior money.USD) step {
	s.balance.Prior = prior
	return s
}

func (s step) fails(err error) step { s.err = err; return s }

func (s step) orNot() step { s.lenient = true; return s }

func (s step) String() string {
	text := s.op
	if s.hold != "" {
		text += " " + s.hold
	}
	if s.op != "release" {
		text += " " + nano(s.amount)
	}
	return text
}

func nano(u money.USD) string {
	if u == money.Unlimited {
		return "unlimited"
	}
	return fmt.Sprintf("%dn", int64(u))
}

func (s script) check(ctx context.Context, l budget.Ledger) error {
	job, limit := uniqueJob(), s.limit
	account, err := l.Open(ctx, job, limit)
	if err != nil {
		return fmt.Errorf("open with limit %s: %w", nano(limit), err)
	}
	opened := []budget.Account{account}
	done := []string{"open with limit " + nano(limit)}
	for _, step := range s.steps {
		done = append(done, step.String())
		var got budget.Balance
		var err error
		switch step.op {
		case "reserve":
			got, err = account.Reserve(ctx, step.hold, step.amount)
		case "settle":
			got, err = account.Settle(ctx, step.hold, step.amount)
		case "release":
			got, err = account.Release(ctx, step.hold)
		default:
			limit = step.amount
			if account, err = l.Open(ctx, job, limit); err == nil {
				opened = append(opened, account)
			}
		}
		if problem := step.problem(got, err, limit); problem != "" {
			return fmt.Errorf("%s:\n\t%s", strings.Join(done, "; "), problem)
		}
		if account == nil {
			return nil // an Open that was to fail
		}
	}
	for _, a := range opened {
		if err := a.Close(ctx); err != nil {
			return fmt.Errorf("close: %w", err)
		}
	}
	return nil
}

// problem returns how an answer differs from the one that the step wants.
func (s step) problem(got budget.Balance, err error, limit money.USD) string {
	switch {
	case s.lenient:
		return ""
	case !errors.Is(err, s.err):
		return fmt.Sprintf("error %v, want %v", err, s.err)
	case s.balance == nil:
		return ""
	}
	want := *s.balance
	want.Limit = limit
	if got != want {
		return fmt.Sprintf("balance %s, want %s", show(got), show(want))
	}
	return ""
}

func show(b budget.Balance) string {
	return fmt.Sprintf("{limit %s, spent %s, held %s, prior %s}", nano(b.Limit), nano(b.Spent), nano(b.Held), nano(b.Prior))
}
