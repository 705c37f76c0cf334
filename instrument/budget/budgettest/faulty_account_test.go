package budgettest

import (
	"context"
	"fmt"
	"maps"
	"runtime"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// begin locks the store, and returns what keeps the operation from being done.
func (a *faultyAccount) begin() error {
	if a.is("scopes are locked in the order given") {
		if err := a.lockInOrder(); err != nil {
			a.mu.Lock()
			return err
		}
	}
	a.mu.Lock()
	for _, s := range a.scopes {
		a.busy[s.ID] = false
	}
	switch {
	case a.lives != a.faultyStore.lives && !a.is("a lost account has spent nothing"):
		return budget.ErrLost
	case a.starts != a.faultyStore.starts && a.is("a handle ends with a restart"):
		return errFault
	case a.opens[a.scopes[0].ID] == 0 && a.is("a closed account takes nothing"):
		return errFault
	}
	return nil
}

// lockInOrder finds out whether two operations would wait for each other.
func (a *faultyAccount) lockInOrder() error {
	for i, s := range a.scopes {
		for tries := 0; ; tries++ {
			a.mu.Lock()
			free := !a.busy[s.ID]
			a.busy[s.ID] = true
			a.dead = a.dead || !free && i > 0 && tries > 2
			dead := a.dead
			a.mu.Unlock()
			if dead {
				return fmt.Errorf("deadlock: %w", errFault)
			}
			if free {
				break
			}
			runtime.Gosched()
		}
		runtime.Gosched()
	}
	return nil
}

func (a *faultyAccount) invalid(amount money.USD) bool {
	return amount.Validate() != nil && !a.is("invalid amounts are taken")
}

// id returns the key of a hold.
func (a *faultyAccount) id(h budget.Hold) string {
	id := a.scopes[0].ID + "\x00" + h.ID
	switch {
	case a.is("holds are cut at 255 bytes"):
		return a.scopes[0].ID + "\x00" + h.ID[:min(len(h.ID), 255)]
	case a.is("each handle has holds of its own"):
		return a.handle + id
	case a.is("holds end with the day"):
		return a.window(a.scopes[0].ID) + id
	}
	return id
}

// add makes a hold. It holds nothing yet.
func (a *faultyAccount) add(h budget.Hold) *faultyHold {
	f := &faultyHold{store: a.faultyStore, first: a.scopes[0].ID, amount: h.Amount, floor: h.Floor}
	for i, s := range a.scopes {
		f.parts = append(f.parts, faultyPart{key: s.ID, books: a.current(s.ID), own: h.Job == a.names[i].ID})
	}
	return f
}

func (a *faultyAccount) Settle(ctx context.Context, h budget.Hold, cost money.USD) (budget.Balance, error) {
	err := a.begin()
	defer a.mu.Unlock()
	if err != nil {
		return budget.Balance{}, err
	}
	if a.invalid(cost) || (h.Unconfirmed < 0 || h.Unconfirmed > cost) && !a.is("any part of a cost may be unconfirmed") {
		return budget.Balance{}, budget.ErrInvalid
	}
	switch {
	case a.is("unconfirmed is not looked at"):
		h.Unconfirmed = 0
	case a.is("all of a cost is unconfirmed") && h.Unconfirmed > 0:
		h.Unconfirmed = cost
	}
	id := a.id(h)
	f := a.holds[id]
	known := f != nil
	if !known {
		f = a.add(budget.Hold{ID: h.ID, Job: h.Job})
	}
	op := "settle"
	if h.Unconfirmed > 0 && !a.is("confirming is a retry") {
		op = "estimate"
	}
	answer := func() budget.Balance { return a.answer(op, h.ID, budget.Expired{}) }
	if f.due(a.now) && a.is("a settle past the lease books the floor too") {
		f.expire()
		f.booked = 0
	}
	confirms := f.state == settled && f.unconfirmed > 0 && h.Unconfirmed == 0
	confirmed := f.state == settled && f.unconfirmed == 0 || f.state == released
	switch {
	case confirms && a.is("a settle never confirms"):
		return answer(), nil
	case confirms:
	case confirmed && h.Unconfirmed > 0 && !a.is("what is confirmed becomes unconfirmed"):
		return answer(), nil
	case confirmed && h.Unconfirmed > 0:
		f.booked = f.cost
	case f.state == expired && h.Unconfirmed > 0 && a.is("what expired is not settled unconfirmed"):
		return answer(), nil
	case f.state == settled && h.Unconfirmed > 0 && a.is("settle unconfirmed twice books twice"):
		f.booked, f.unconfirmed = 0, 0
	case f.state == settled && f.unconfirmed != h.Unconfirmed:
		return answer(), budget.ErrConflict
	case f.state == settled && a.is("settle twice books twice"):
		f.state = released
	case f.state == settled && a.is("settle again books the new cost"):
		f.book(cost-f.cost, 0)
		return answer(), nil
	case f.state == settled && f.cost != cost && !a.is("settle again is never a conflict"):
		return answer(), budget.ErrConflict
	case f.state == settled:
		return answer(), nil
	case a.is("settle needs a hold") && (!known || f.state == released):
		return answer(), errFault
	case a.is("settle is refused over the limit") && cost > a.limits[f.first]-f.parts[0].books.spent:
		return answer(), budget.ErrExceeded
	case a.is("settle books the hold at most") && known:
		cost = min(cost, f.amount)
	case a.is("settle books the estimate") && known:
		cost = f.amount
	}
	a.confirm(f, cost, h.Unconfirmed)
	if a.is("a canceled context books and then fails, without the id") && ctx.Err() != nil {
		return answer(), ctx.Err()
	}
	f.cost, f.state = cost, settled
	a.holds[id] = f
	a.undo = func() { f.book(-cost, 0); delete(a.holds, id) }
	b := answer()
	if a.opens[f.first] == 0 && a.final[f.first] {
		a.end(f.first)
	}
	return b, nil
}

// confirm ends a hold with a cost, of which a part may be unconfirmed.
func (a *faultyAccount) confirm(f *faultyHold, cost, unconfirmed money.USD) {
	switch f.state {
	case underWay:
		if !a.is("settle keeps the hold") {
			f.free()
		}
	case settled:
		if a.is("confirming books the whole cost") {
			f.booked = 0
		}
		f.unbook()
	case expired:
		switch {
		case a.is("a late settle books its whole cost"):
			f.each(func(b *faultyBooks, _ bool) { b.unconfirmed -= f.booked })
		case a.is("a late settle never takes back") && cost < f.booked:
			f.each(func(b *faultyBooks, _ bool) { b.unconfirmed -= f.booked })
			return
		case a.is("a late settle does not confirm"):
			f.each(func(b *faultyBooks, _ bool) { b.unconfirmed = money.Sum(b.unconfirmed, f.booked) })
			f.unbook()
		default:
			f.unbook()
		}
	}
	f.state, f.booked, f.unconfirmed = settled, cost, unconfirmed
	f.book(cost, unconfirmed)
}

func (a *faultyAccount) Release(_ context.Context, h budget.Hold) (budget.Balance, error) {
	err := a.begin()
	defer a.mu.Unlock()
	if err != nil {
		return budget.Balance{}, err
	}
	f := a.holds[a.id(h)]
	switch {
	case a.is("release does nothing"):
	case f == nil && a.is("release of an unknown hold is an error"):
		return a.answer("release", h.ID, budget.Expired{}), errFault
	case f == nil:
	case f.state == settled && f.unconfirmed > 0 && !a.is("a release never confirms"):
		f.unbook()
		f.state, f.unconfirmed = released, 0
	case f.state == settled && a.is("release refunds what was settled"):
		f.book(-f.cost, 0)
	case f.state == underWay, f.state == released && a.is("release twice frees twice"):
		for a.looked++; a.looked < 2 && a.is("release looks and frees in two steps"); { // until another has looked too
			a.mu.Unlock()
			runtime.Gosched()
			a.mu.Lock()
		}
		f.free()
		f.state = released
	case f.state == expired && !a.is("a late release changes nothing"):
		f.unbook()
		f.state = released
	}
	return a.answer("release", h.ID, budget.Expired{}), nil
}

// figures returns the balance of the first scope.
func (a *faultyAccount) figures() budget.Balance {
	b := a.current(a.scopes[0].ID)
	bal := budget.Balance{Limit: a.limits[a.scopes[0].ID], Spent: b.spent, Held: b.held, Own: b.own, Unconfirmed: b.unconfirmed}
	if a.is("the balance is of the last scope") {
		b := a.current(a.scopes[len(a.scopes)-1].ID)
		bal.Spent, bal.Held = b.spent, b.held
	}
	return bal
}

// answer is the answer to an operation.
func (a *faultyAccount) answer(operation, hold string, swept budget.Expired, crossed ...budget.Crossing) budget.Balance {
	b := a.figures()
	b.Expired = swept
	if a.is("thresholds are found in a step of its own") {
		told := a.current(a.scopes[0].ID).reached
		a.current(a.scopes[0].ID).reached = maps.Clone(told)
		crossed = a.cross()
		found := a.current(a.scopes[0].ID).reached
		a.current(a.scopes[0].ID).reached = told
		a.mu.Unlock()
		runtime.Gosched()
		a.mu.Lock()
		a.current(a.scopes[0].ID).reached = found
	}
	crossed = append(crossed, a.cross()...)
	if operation == "estimate" && a.is("what an unconfirmed cost reaches is not told") {
		crossed = nil
	}
	if swept.Holds > 0 && a.is("what a sweep reaches is not told") {
		crossed = nil
	}
	id := a.scopes[0].ID + "\x00" + operation + "\x00" + hold
	if a.is("settle tells what reserve told") {
		id = a.scopes[0].ID + "\x00" + hold
	}
	if !a.is("a retried " + operation + " tells nothing") {
		crossed = append(a.told[id], crossed...)
		a.told[id] = crossed
	}
	b.Crossed = crossed
	a.older, a.old = a.old, b
	return b
}
