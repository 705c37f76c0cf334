package livepage

import (
	"slices"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// budgetOf adds up the budgets of the live jobs, each account once, or returns nil if there is none.
func budgetOf(s instrument.Snapshot) *budget {
	var sum instrument.BudgetState
	seen := make(map[string]bool)
	for i := range s.Live {
		b := s.Live[i].Budget
		if !limited(b) || seen[b.Account] {
			continue
		}
		seen[b.Account] = true
		sum.Limit, sum.Spent = money.Sum(sum.Limit, b.Limit), money.Sum(sum.Spent, b.Spent)
		sum.Held, sum.Unconfirmed = money.Sum(sum.Held, b.Held), money.Sum(sum.Unconfirmed, b.Unconfirmed)
	}
	if len(seen) == 0 {
		return nil
	}
	refused := int64(0)
	for _, a := range s.APIs {
		refused += a.Refused
	}
	return &budget{Limit: amount(sum.Limit), Spent: amount(sum.Spent), Held: amount(sum.Held), Unconfirmed: amount(sum.Unconfirmed), Refused: &refused}
}

// spentOn returns the sum spent on the APIs, or nil if calls were made and none had a price.
func spentOn(all []instrument.APIState) *amount {
	sum, known := instrument.USD(0), true
	for _, a := range all {
		sum = money.Sum(sum, a.Cost)
		known = known && a.Unpriced == 0
	}
	if known || slices.ContainsFunc(all, func(a instrument.APIState) bool { return a.Priced }) {
		cost := amount(sum)
		return &cost
	}
	return nil
}

// apis returns the paid APIs. The cost of one is nil if no call of it had a price.
func apis(all []instrument.APIState) []api {
	out := []api{}
	for _, a := range atMost(all, sentOthers) {
		one := api{API: a.API, InProgress: a.InProgress, Calls: a.Calls, Errors: a.Errors, Refused: a.Refused, Unpriced: a.Unpriced}
		if a.Priced {
			cost := amount(a.Cost)
			one.Cost = &cost
		}
		out = append(out, one)
	}
	return out
}

// spent returns the sum of the costs of calls, or nil if calls were made and none had a price.
func spent(sum instrument.USD, unpriced int) *amount {
	if sum == 0 && unpriced > 0 {
		return nil
	}
	a := amount(sum)
	return &a
}
