package budgettest

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// faultyLedger is a plain ledger with one mistake, or none. All of it is behind one mutex, so what the suite finds is
// the mistake and not a data race.
type faultyLedger struct {
	fault    string
	mu       sync.Mutex
	accounts map[string]*faultyAccount
	closed   map[string]bool
}

func newFaulty(fault string) *faultyLedger {
	return &faultyLedger{fault: fault, accounts: make(map[string]*faultyAccount), closed: make(map[string]bool)}
}

type faultyAccount struct {
	*faultyLedger
	job                string
	opens              int
	limit, spent, held money.USD
	before             money.USD      // spent before the last operation
	old, older         budget.Balance // after the last operation, and the one before
	holds              map[string]faultyHold
	looked             int // releases that found a hold
}

type faultyHold struct {
	amount, cost      money.USD
	settled, released bool
}

var errFault = errors.New("fault")

func (l *faultyLedger) is(fault string) bool { return l.fault == fault }

func (l *faultyLedger) invalid(amount money.USD) bool {
	return amount < 0 && !l.is("invalid amounts are taken")
}

func (l *faultyLedger) key(job string) (string, error) {
	switch {
	case l.is("an empty id is an error") && job == "":
		return "", errFault
	case l.is("ids are cut at 255 bytes"):
		return job[:min(len(job), 255)], nil
	case l.is("ids are trimmed"):
		return strings.TrimSpace(job), nil
	case l.is("ids ignore case"):
		return strings.ToLower(job), nil
	case l.is("ids end at a zero byte"):
		job, _, _ = strings.Cut(job, "\x00")
	case l.is("ids are made valid UTF-8"):
		job = strings.ToValidUTF8(job, "?")
	case l.is("what is between braces is the id"):
		if _, tag, ok := strings.Cut(job, "{"); ok {
			job, _, _ = strings.Cut(tag, "}")
		}
	}
	return job, nil
}

func (l *faultyLedger) Open(_ context.Context, job string, limit money.USD) (budget.Account, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if limit < 0 && !l.is("invalid limits are taken") {
		return nil, budget.ErrInvalid
	}
	job, err := l.key(job)
	if err != nil || l.is("a job is opened once") && l.closed[job] {
		return nil, errFault
	}
	if limit == 0 && l.is("a limit of 0 is no limit") {
		limit = unlimited
	}
	a := l.accounts[job]
	if a == nil || l.is("each open has an account of its own") {
		a = &faultyAccount{faultyLedger: l, job: job, limit: limit, holds: make(map[string]faultyHold)}
		l.accounts[job] = a
	}
	a.opens++
	switch {
	case l.is("the first limit holds"):
	case l.is("the lowest limit holds"):
		a.limit = min(a.limit, limit)
	default:
		a.limit = limit
	}
	if l.is("each open starts anew") {
		a.spent, a.held = 0, 0
	}
	if l.is("a lower limit cuts what is spent") {
		a.spent = min(a.spent, a.limit)
	}
	if l.is("each open keeps its limit") {
		return ownLimit{a, limit}, nil
	}
	return a, nil
}

// ownLimit is an open with a limit of its own.
type ownLimit struct {
	*faultyAccount
	limit money.USD
}

func (o ownLimit) Reserve(ctx context.Context, hold string, amount money.USD) (budget.Balance, error) {
	o.mu.Lock()
	o.faultyAccount.limit = o.limit
	o.mu.Unlock()
	return o.faultyAccount.Reserve(ctx, hold, amount)
}

func (a *faultyAccount) Close(context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.opens--; a.opens == 0 || a.is("the first close ends it") {
		delete(a.accounts, a.job)
		a.closed[a.job] = true
	}
	return nil
}

func (a *faultyAccount) Reserve(_ context.Context, hold string, amount money.USD) (budget.Balance, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.invalid(amount) {
		return budget.Balance{}, budget.ErrInvalid
	}
	hold = a.holdKey(hold)
	h, known := a.holds[hold]
	revived := h.settled && a.is("reserve revives a hold that ended")
	switch {
	case known && a.is("reserve twice holds twice") && !h.settled && !h.released:
		a.held = money.Sum(a.held, amount)
		return a.balance(a.spent), nil
	case known && a.is("reserve again replaces the hold"):
		a.held = money.Sum(a.held, amount-h.amount)
		a.holds[hold] = faultyHold{amount: amount}
		return a.balance(a.spent), nil
	case known && !revived && h.amount == amount && !h.settled && !h.released:
		return a.balance(a.spent), nil
	case known && !revived:
		return a.balance(a.spent), budget.ErrConflict
	}
	if !a.fits(amount) {
		return a.refuse(amount)
	}
	if !a.is("sums wrap around") && amount > unlimited-a.held {
		return a.balance(a.spent), budget.ErrInvalid
	}
	a.holds[hold] = faultyHold{amount: amount}
	a.held = money.Sum(a.held, amount)
	return a.balance(a.spent), nil
}

func (a *faultyAccount) fits(amount money.USD) bool {
	now := budget.Balance{Limit: a.limit, Spent: a.spent, Held: a.held}
	switch {
	case a.is("reserve never refuses"), a.is("reserve of 0 always passes") && amount == 0:
		return true
	case a.is("reserve checks a balance that is one operation old") && a.older != (budget.Balance{}):
		now = a.older
	case a.is("reserve does not count what is spent"):
		now.Spent = 0
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

func (a *faultyAccount) refuse(amount money.USD) (budget.Balance, error) {
	switch {
	case a.is("a refusal keeps its hold"):
		a.held = money.Sum(a.held, amount)
	case a.is("a refusal is some other error"):
		return a.balance(a.spent), errFault
	case a.is("a refusal gives no balance"):
		return budget.Balance{}, budget.ErrExceeded
	}
	return a.balance(a.spent), budget.ErrExceeded
}

func (a *faultyAccount) Settle(ctx context.Context, hold string, cost money.USD) (budget.Balance, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.invalid(cost) {
		return budget.Balance{}, budget.ErrInvalid
	}
	hold = a.holdKey(hold)
	h, known := a.holds[hold]
	prior := a.spent
	switch {
	case h.settled && a.is("settle twice books twice"):
	case h.settled && a.is("settle again books the new cost"):
		a.spent = money.Sum(a.spent, cost-h.cost)
		return a.balance(prior), nil
	case h.settled && h.cost != cost && !a.is("settle again is never a conflict"):
		return a.balance(prior), budget.ErrConflict
	case h.settled:
		return a.balance(prior), nil
	case a.is("settle needs a hold") && (!known || h.released):
		return a.balance(prior), errFault
	case a.is("settle is refused over the limit") && cost > a.limit-a.spent:
		return a.balance(prior), budget.ErrExceeded
	case a.is("settle books the hold at most") && known:
		cost = min(cost, h.amount)
	case a.is("settle books the estimate") && known:
		cost = h.amount
	}
	if known && !h.settled && !h.released && !a.is("settle keeps the hold") {
		a.held -= h.amount
	}
	a.spent = a.sum(a.spent, cost)
	if a.is("a canceled context books and then fails, without the id") && ctx.Err() != nil {
		return a.balance(prior), ctx.Err()
	}
	a.holds[hold] = faultyHold{amount: h.amount, cost: cost, settled: true}
	return a.balance(prior), nil
}

func (a *faultyAccount) sum(x, y money.USD) money.USD {
	switch {
	case a.is("money is a float of 32 bits"):
		return money.Dollars(float64(float32(x.Float64()) + float32(y.Float64())))
	case a.is("sums wrap around"):
		return x - -y
	}
	return money.Sum(x, y)
}

func (a *faultyAccount) Release(_ context.Context, hold string) (budget.Balance, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	hold = a.holdKey(hold)
	h, known := a.holds[hold]
	switch {
	case a.is("release does nothing"):
	case !known && a.is("release of an unknown hold is an error"):
		return a.balance(a.spent), errFault
	case h.settled && a.is("release refunds what was settled"):
		a.spent -= h.cost
	case known && !h.settled && (!h.released || a.is("release twice frees twice")):
		for a.looked++; a.looked < 2 && a.is("release looks and frees in two steps"); { // until another has looked too
			a.mu.Unlock()
			runtime.Gosched()
			a.mu.Lock()
		}
		a.held -= h.amount
		h.released = true
		a.holds[hold] = h
	}
	return a.balance(a.spent), nil
}

func (a *faultyAccount) holdKey(hold string) string {
	if a.is("holds are cut at 255 bytes") {
		return hold[:min(len(hold), 255)]
	}
	return hold
}

// balance is the answer to an operation.
func (a *faultyAccount) balance(prior money.USD) budget.Balance {
	b := budget.Balance{Limit: a.limit, Spent: a.spent, Held: a.held, Prior: prior}
	switch {
	case a.is("prior is read in a step of its own"):
		b.Prior, a.before = a.before, prior
	case a.is("prior is always spent"):
		b.Prior = b.Spent
	}
	a.older, a.old = a.old, b
	return b
}
