package budget

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// NewMemoryLedger returns a ledger for the jobs of one process. What it keeps is bounded:
//
//   - The account of a job stays after a Close that is not final: those of the newest 10,000 such
//     jobs, for 24 hours after the last Close. A final Close forgets the account as soon as no Open
//     and no hold under way is left.
//   - Of tenants that no Open is left of, the newest 10,000 stay, without a limit of time. A day or a
//     month is forgotten when it is over and no Open is left, or when 10,000 newer ones are closed.
//   - Of each account, besides the holds under way, the last 1,024 holds that ended are remembered,
//     and the last 10,000 that expired or were settled unconfirmed. A hold that comes back after that
//     many counts as new.
//
// A Reserve with a lease and an Open sweep up to 64 expired holds of each scope. A Reserve that does
// not fit sweeps on until it fits or no expired hold is left. Settle and Release sweep none.
//
// No operation blocks on anything but mutexes, and none uses its context. An operation by hold id is
// a few map accesses under the mutex of the ledger. An account over a single scope of kind [Job] has
// a second way, without ids, that package instrument takes: arithmetic under a mutex of its own.
func NewMemoryLedger(options ...Option) Ledger {
	return &memoryLedger{clock: newClock(options), scopes: make(map[scopeKey]*memoryScope)}
}

type memoryLedger struct {
	clock clock

	// mu comes before the mutex of any books. Whoever takes more than one of those holds mu.
	mu     sync.Mutex
	scopes map[scopeKey]*memoryScope
	closed map[Kind]*closedScopes
}

// InMemory tells package instrument that no operation takes time, so that none needs a limit.
func (*memoryLedger) InMemory() {}

func (l *memoryLedger) Open(_ context.Context, scopes ...Scope) (Account, Balance, error) {
	if err := validScopes(scopes); err != nil {
		return nil, Balance{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.time()
	l.forgetClosed(now)
	if len(scopes) == 1 && scopes[0].Kind == Job {
		s := l.open(scopes[0], now)
		only := [...]*memoryScope{s}
		return (*jobAccount)(s), l.opened(only[:]), nil
	}
	a := &memoryAccount{ledger: l, scopes: make([]*memoryScope, len(scopes))}
	for i, scope := range scopes {
		a.scopes[i] = l.open(scope, now)
	}
	return a, l.opened(a.scopes), nil
}

func validScopes(scopes []Scope) error {
	if len(scopes) == 0 {
		return fmt.Errorf("budget: open no scope: %w", ErrInvalid)
	}
	for i, s := range scopes {
		switch {
		case !s.Kind.known():
			return fmt.Errorf("budget: open a scope of kind %q: %w", s.Kind, ErrInvalid)
		case s.Limit < 0:
			return fmt.Errorf("budget: limit %s of %s %q: %w", s.Limit, s.Kind, s.ID, ErrInvalid)
		}
		for _, other := range scopes[:i] {
			if s.Kind == other.Kind && s.ID == other.ID {
				return fmt.Errorf("budget: open %s %q twice in one account: %w", s.Kind, s.ID, ErrInvalid)
			}
		}
	}
	return nil
}

// open counts an Open of one scope, and sets its limit. The caller holds l.mu.
func (l *memoryLedger) open(scope Scope, now time.Time) *memoryScope {
	key := scopeKey{scope.Kind, scope.ID}
	s := l.scopes[key]
	switch {
	case s == nil:
		s = newMemoryScope(l, scope, now)
		l.scopes[key] = s
	case s.opens == 0:
		l.closed[s.key.kind].remove(s)
	}
	s.opens++
	b := s.books(now)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.completed = false
	b.setLimit(scope.Limit)
	return s
}

// opened sweeps, and returns the balance that Open returns. Thresholds that are reached now are left
// to the next operation with a hold.
func (l *memoryLedger) opened(scopes []*memoryScope) (bal Balance) {
	bal.Expired = l.sweep(scopes, l.clock.since())
	b := scopes[0].current
	b.mu.Lock()
	defer b.mu.Unlock()
	b.write(&bal)
	return bal
}

// Forget does nothing for an account that does not exist.
func (l *memoryLedger) Forget(_ context.Context, kind Kind, id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.scopes[scopeKey{kind, id}]
	if s == nil {
		return nil
	}
	s.told = nil
	b := s.books(l.clock.time())
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forget()
	return nil
}

// close ends one Open of a scope. The caller holds l.mu.
func (l *memoryLedger) close(s *memoryScope, final bool, now time.Time) {
	if s.opens == 0 {
		return
	}
	s.opens--
	b := s.books(now)
	b.mu.Lock()
	b.completed = b.completed || final && s.key.kind == Job
	b.mu.Unlock()
	if s.opens > 0 {
		return
	}
	if l.closed == nil {
		l.closed = make(map[Kind]*closedScopes)
	}
	if l.closed[s.key.kind] == nil {
		l.closed[s.key.kind] = new(closedScopes)
	}
	l.closed[s.key.kind].add(s, s.keptUntil(now))
	l.forgetCompleted(s)
	l.forgetClosed(now)
}

// forgetCompleted forgets the account of a job that is completed, unless an Open or a hold under way
// is left. The caller holds l.mu.
func (l *memoryLedger) forgetCompleted(s *memoryScope) {
	b := &s.first
	b.mu.Lock()
	over := s.opens == 0 && b.completed && b.underWay == 0
	b.mu.Unlock()
	if over && l.scopes[s.key] == s {
		l.closed[s.key.kind].remove(s)
		delete(l.scopes, s.key)
	}
}
