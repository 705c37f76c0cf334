package budgettest

import (
	"context"
	"runtime"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

func (a *faultyAccount) Reserve(_ context.Context, h budget.Hold) (budget.Balance, error) {
	err := a.begin()
	defer a.mu.Unlock()
	if err != nil {
		return budget.Balance{}, err
	}
	if a.invalid(h.Amount) || a.invalid(h.Floor) {
		return budget.Balance{}, budget.ErrInvalid
	}
	id := a.id(h)
	var swept budget.Expired
	if old := a.holds[id]; old != nil {
		if old.due(a.now) {
			old.expire()
			swept = budget.Expired{Holds: 1, Amount: old.booked}
		}
		if again, err := a.reserveAgain(old, h); again || err != nil {
			return a.answer("reserve", h.ID, swept), err
		}
	}
	lease := h.Lease
	if lease <= 0 && a.is("without a lease there is a short one") {
		lease = 1
	}
	if a.is("leases are half as long") {
		lease /= 2
	}
	if a.is("a new hold renews the leases") && lease > 0 {
		for _, other := range a.holds {
			other.expires = a.now + lease
		}
	}
	if !a.is("expired holds are swept after a refusal") {
		a.sweep(&swept)
	}
	for batches := 0; ; batches++ {
		refused := a.refuses(h)
		if refused < 0 {
			break
		}
		if a.is("a refusal sweeps one hold") && batches > 0 || a.is("a refusal sweeps a bounded number") && batches > 10 ||
			a.is("expired holds are swept after a refusal") || !a.sweep(&swept) {
			return a.refuse(h, refused, swept)
		}
	}
	if a.is("scopes are checked one after the other") {
		a.mu.Unlock()
		runtime.Gosched()
		a.mu.Lock()
	}
	held := a.current(a.scopes[0].ID).held
	if !a.is("sums wrap around") && h.Amount > unlimited-held {
		return a.answer("reserve", h.ID, swept), budget.ErrInvalid
	}
	f := a.add(h)
	f.state = underWay
	if lease > 0 {
		f.expires = a.now + lease
		a.next = min(a.next, f.expires)
	}
	f.each(func(b *faultyBooks, _ bool) { b.held = money.Sum(b.held, h.Amount) })
	a.holds[id] = f
	return a.answer("reserve", h.ID, swept), nil
}

// reserveAgain reports whether a known hold answers a Reserve.
func (a *faultyAccount) reserveAgain(old *faultyHold, h budget.Hold) (bool, error) {
	switch live := old.state == underWay; {
	case live && a.is("reserve twice holds twice"):
		old.each(func(b *faultyBooks, _ bool) { b.held = money.Sum(b.held, h.Amount) })
		return true, nil
	case live && a.is("reserve again replaces the hold"):
		old.free()
		old.amount = h.Amount
		old.each(func(b *faultyBooks, _ bool) { b.held = money.Sum(b.held, h.Amount) })
		return true, nil
	case live && h.Amount == old.amount:
		if a.is("a retry renews the lease") {
			old.expires = a.now + h.Lease
		}
		return true, nil
	case old.state == settled && a.is("reserve revives a hold that ended"),
		old.state == expired && a.is("reserve revives a hold that expired"):
		return false, nil
	}
	return true, budget.ErrConflict
}

// refuses returns the first scope that a hold does not fit into, or -1.
func (a *faultyAccount) refuses(h budget.Hold) int {
	for i := range a.scopes {
		if !a.fits(i, h) {
			return i
		}
		if a.is("only the first scope is checked") {
			break
		}
	}
	return -1
}

func (a *faultyAccount) fits(i int, h budget.Hold) bool {
	b := a.current(a.scopes[i].ID)
	now := budget.Balance{Limit: a.limits[a.scopes[i].ID], Spent: b.spent, Held: b.held}
	amount := h.Amount
	switch {
	case h.Free && (amount == 0 && !a.is("free is not looked at") || a.is("a free hold always passes")):
		return true
	case a.is("reserve never refuses"), a.is("reserve of 0 always passes") && amount == 0:
		return true
	case a.is("reserve checks a balance that is one operation old") && a.older.Limit != 0:
		now = a.older
	case a.is("reserve does not count what is spent"):
		now.Spent = 0
	case a.is("each open keeps its limit"):
		now.Limit = a.names[i].Limit
	case a.is("unlimited is a large limit"):
		now.Limit = min(now.Limit, 1_000_000*dollar)
	case a.is("money is cents"):
		const cent = 10
		now.Limit, amount = now.Limit/cent, amount/cent
	}
	if now.Limit == unlimited {
		return true
	}
	left := now.Limit - now.Spent - now.Held
	some := left > 0
	if a.is("reserve forgets what is held when it asks what is left") {
		some = now.Limit-now.Spent > 0
	}
	return some && amount <= left
}

func (a *faultyAccount) refuse(h budget.Hold, at int, swept budget.Expired) (budget.Balance, error) {
	switch {
	case a.is("a refusal keeps its hold"):
		a.current(a.scopes[0].ID).held = money.Sum(a.current(a.scopes[0].ID).held, h.Amount)
	case a.is("a refusal keeps the holds of the scopes before"):
		for _, s := range a.scopes[:at] {
			a.current(s.ID).held = money.Sum(a.current(s.ID).held, h.Amount)
		}
	case a.is("a refusal is some other error"):
		return a.answer("reserve", h.ID, swept), errFault
	case a.is("a refusal gives no balance"):
		return budget.Balance{}, budget.ErrExceeded
	case a.is("a refusal names the first scope"):
		at = 0
	case a.is("expired holds are swept after a refusal"):
		a.sweep(&swept)
	}
	b, scope := a.current(a.scopes[at].ID), a.names[at]
	scope.Limit = a.limits[a.scopes[at].ID]
	err := error(&budget.Error{Scope: scope, Job: h.Job, API: h.API, Limit: scope.Limit, Spent: b.spent, Held: b.held, Asked: h.Amount})
	if a.is("a refusal of a single scope has no figures") && len(a.scopes) == 1 {
		err = budget.ErrExceeded
	}
	var crossed []budget.Crossing
	if !b.reached[budget.Exceeded] || a.is("each refusal is told") {
		crossed = []budget.Crossing{{Scope: scope, Percent: budget.Exceeded, Spent: b.spent}}
	}
	before := a.cross()
	b.reached[budget.Exceeded] = true
	return a.answer("reserve", h.ID, swept, append(before, crossed...)...), err
}
