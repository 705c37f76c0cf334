package budget

import (
	"context"
	"fmt"
	"sync"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// finishedHolds is the number of ended holds that an account in memory remembers, to be idempotent.
// A hold that comes back after that many others counts as new. The bound keeps a job with millions
// of calls small.
const finishedHolds = 1024

// NewMemoryLedger returns a ledger for the jobs of one process. It keeps an account as long as it
// is open, and of each account the holds under way and the last 1,024 that ended. Each operation is
// a map access under a mutex; none blocks, and the context is not used.
func NewMemoryLedger() Ledger {
	return &memoryLedger{accounts: make(map[string]*memoryAccount)}
}

type memoryLedger struct {
	mu       sync.Mutex
	accounts map[string]*memoryAccount
}

func (l *memoryLedger) Open(_ context.Context, job string, limit money.USD) (Account, error) {
	if limit < 0 {
		return nil, fmt.Errorf("budget: limit %s of job %q: %w", limit, job, ErrInvalid)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.accounts[job]
	if a == nil {
		a = &memoryAccount{ledger: l, job: job}
		l.accounts[job] = a
	}
	a.open++
	a.mu.Lock()
	a.limit = limit
	a.mu.Unlock()
	return a, nil
}

type memoryAccount struct {
	ledger *memoryLedger
	job    string
	open   int // guarded by ledger.mu

	mu                 sync.Mutex
	limit, spent, held money.USD
	holds              map[string]money.USD
	ended              map[string]endedHold
	order              []string // ring of the keys of ended
	next               int
}

type endedHold struct {
	cost     money.USD
	released bool
}

func (a *memoryAccount) Reserve(_ context.Context, hold string, amount money.USD) (Balance, error) {
	if amount.Validate() != nil {
		return Balance{}, fmt.Errorf("budget: reserve %s: %w", amount, ErrInvalid)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if old, ok := a.holds[hold]; ok {
		if old != amount {
			return a.balance(a.spent), fmt.Errorf("budget: reserve %s, held %s: %w", amount, old, ErrConflict)
		}
		return a.balance(a.spent), nil
	}
	if _, ok := a.ended[hold]; ok {
		return a.balance(a.spent), fmt.Errorf("budget: reserve %s for a hold that ended: %w", amount, ErrConflict)
	}
	if err := a.fits(amount); err != nil {
		return a.balance(a.spent), err
	}
	if a.holds == nil {
		a.holds = make(map[string]money.USD)
	}
	a.holds[hold] = amount
	a.held = money.Sum(a.held, amount)
	return a.balance(a.spent), nil
}

// fits returns why an amount cannot be held, or nil.
func (a *memoryAccount) fits(amount money.USD) error {
	if used := money.Sum(a.spent, a.held); a.limit != money.Unlimited && (used >= a.limit || amount > a.limit-used) {
		return ErrExceeded
	}
	if amount > money.Unlimited-a.held {
		return fmt.Errorf("budget: reserve %s on top of %s: %w", amount, a.held, ErrInvalid)
	}
	return nil
}

func (a *memoryAccount) Settle(_ context.Context, hold string, cost money.USD) (Balance, error) {
	if cost.Validate() != nil {
		return Balance{}, fmt.Errorf("budget: settle %s: %w", cost, ErrInvalid)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	prior := a.spent
	if e, ok := a.ended[hold]; ok && !e.released {
		if e.cost != cost {
			return a.balance(prior), fmt.Errorf("budget: settle %s, settled %s: %w", cost, e.cost, ErrConflict)
		}
		return a.balance(prior), nil
	}
	a.end(hold, endedHold{cost: cost})
	a.spent = money.Sum(a.spent, cost)
	return a.balance(prior), nil
}

func (a *memoryAccount) Release(_ context.Context, hold string) (Balance, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.holds[hold]; ok {
		a.end(hold, endedHold{released: true})
	}
	return a.balance(a.spent), nil
}

func (a *memoryAccount) Close(context.Context) error {
	a.ledger.mu.Lock()
	defer a.ledger.mu.Unlock()
	if a.open--; a.open == 0 {
		delete(a.ledger.accounts, a.job)
	}
	return nil
}

// Package instrument reserves each hold at most once and ends it exactly once, with amounts that
// can be booked. Nothing need be remembered of such a hold, so it has no id, and each operation is
// arithmetic under the mutex. The balances are those of Reserve, Settle and Release.

func (a *memoryAccount) ReserveOnce(amount money.USD) (Balance, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := a.fits(amount)
	if err == nil {
		a.held = money.Sum(a.held, amount)
	}
	return a.balance(a.spent), err
}

func (a *memoryAccount) SettleOnce(held, cost money.USD) Balance {
	a.mu.Lock()
	defer a.mu.Unlock()
	prior := a.spent
	a.held -= held
	a.spent = money.Sum(prior, cost)
	return a.balance(prior)
}

func (a *memoryAccount) ReleaseOnce(held money.USD) Balance {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held -= held
	return a.balance(a.spent)
}

// end moves a hold from the open ones to the remembered ones.
func (a *memoryAccount) end(hold string, e endedHold) {
	a.held -= a.holds[hold]
	delete(a.holds, hold)
	if _, again := a.ended[hold]; !again {
		if len(a.order) < finishedHolds {
			a.order = append(a.order, hold)
		} else {
			delete(a.ended, a.order[a.next])
			a.order[a.next] = hold
			a.next = (a.next + 1) % finishedHolds
		}
	}
	if a.ended == nil {
		a.ended = make(map[string]endedHold)
	}
	a.ended[hold] = e
}

func (a *memoryAccount) balance(prior money.USD) Balance {
	return Balance{Limit: a.limit, Spent: a.spent, Held: a.held, Prior: prior}
}
