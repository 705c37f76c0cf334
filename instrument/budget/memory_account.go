package budget

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stagemeter/stagemeter/instrument/internal/once"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// A memoryAccount is one Open of several scopes, or of one that is no job.
type memoryAccount struct {
	ledger *memoryLedger
	scopes []*memoryScope
	closed bool // guarded by ledger.mu
}

func (a *memoryAccount) Reserve(_ context.Context, h Hold) (Balance, error) {
	return a.ledger.reserve(a.scopes, h)
}

func (a *memoryAccount) Settle(_ context.Context, h Hold, cost money.USD) (Balance, error) {
	return a.ledger.settle(a.scopes, h, cost)
}

func (a *memoryAccount) Release(_ context.Context, h Hold) (Balance, error) {
	return a.ledger.release(a.scopes, h)
}

func (a *memoryAccount) Close(_ context.Context, final bool) error {
	a.ledger.mu.Lock()
	defer a.ledger.mu.Unlock()
	if a.closed {
		return nil
	}
	a.closed = true
	now := a.ledger.clock.time()
	for i, s := range a.scopes {
		a.ledger.close(s, final && i == 0, now)
	}
	return nil
}

// Look is that of a jobAccount, of the first scope.
func (a *memoryAccount) Look() Balance { return (*jobAccount)(a.scopes[0]).Look() }

func (l *memoryLedger) reserve(scopes []*memoryScope, h Hold) (Balance, error) {
	if h.Amount.Validate() != nil || h.Floor.Validate() != nil {
		return Balance{}, fmt.Errorf("budget: reserve %s with floor %s: %w", h.Amount, h.Floor, ErrInvalid)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.since()
	op := l.begin(reserving, scopes, h.ID)
	r := scopes[0].record(h.ID)
	if r != nil && r.state == once.UnderWay && r.parts[0].Lease > 0 && r.parts[0].Expires <= now {
		r.expire()
		op.swept.add(Expired{1, r.parts[0].Booked})
	}
	switch {
	case r == nil:
	case r.state != once.UnderWay:
		return op.end(r), fmt.Errorf("budget: reserve %s for a hold that ended: %w", h.Amount, ErrConflict)
	case r.amount != h.Amount:
		return op.end(r), fmt.Errorf("budget: reserve %s, held %s: %w", h.Amount, r.amount, ErrConflict)
	default:
		return op.end(r), nil
	}
	if h.Lease > 0 {
		op.swept = l.sweep(scopes, now)
	}
	r = scopes[0].add(h, scopes)
	for {
		op.lock(r)
		refused, why := r.refusal()
		if refused < 0 {
			break
		}
		if l.due(scopes, now) { // sweeping needs the locks
			op.unlock()
			op.swept.add(l.sweep(scopes, now))
			continue
		}
		defer op.unlock()
		p := &r.parts[refused]
		if why == tooLarge {
			return op.balance(), overRange(h.Amount, p.books.held)
		}
		op.crossed = p.books.exceed(op.crossed)
		err := p.books.refusal(h.Amount)
		err.Job, err.API = h.Job, h.API
		return op.balance(), err
	}
	defer op.unlock()
	for i := range r.parts {
		r.parts[i].books.hold(&r.parts[i].Hold, now)
	}
	r.state = once.UnderWay
	r.keep()
	return op.balance(), nil
}

// refusal returns the first part that does not fit, and why; or -1.
func (r *record) refusal() (int, fit) {
	for i := range r.parts {
		if why := r.parts[i].books.fits(&r.parts[i].Hold); why != fitting {
			return i, why
		}
	}
	return -1, fitting
}

// due reports whether a sweep would find a hold. The caller holds the mutexes of the books.
func (l *memoryLedger) due(scopes []*memoryScope, now time.Duration) bool {
	return slices.ContainsFunc(scopes, func(s *memoryScope) bool { return s.current.due(now) != nil })
}

func overRange(amount, held money.USD) error {
	return fmt.Errorf("budget: reserve %s on top of %s: %w", amount, held, ErrInvalid)
}

// refusal returns the error of a call that does not fit, without its Job and API.
func (b *books) refusal(asked money.USD) *Error {
	return &Error{Scope: b.scope, Limit: b.scope.Limit, Spent: b.spent, Held: b.held, Asked: asked}
}

func (l *memoryLedger) settle(scopes []*memoryScope, h Hold, cost money.USD) (Balance, error) {
	if err := h.bookable(cost); err != nil {
		return Balance{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	op := l.begin(h.settling(), scopes, h.ID)
	r := scopes[0].record(h.ID)
	if r == nil {
		r = scopes[0].add(Hold{ID: h.ID, Job: h.Job}, scopes)
		r.keep()
	}
	if again, err := r.settle(h, cost); !again {
		return op.end(r), err
	}
	op.lock(r)
	for i := range r.parts {
		if p := &r.parts[i]; p.State != once.Settled || p.Forgotten != p.books.forgotten || p.Unconfirmed > 0 {
			p.books.settle(&p.Hold, cost, h.Unconfirmed)
		}
	}
	r.end(ending{once.Settled, cost, h.Unconfirmed})
	bal := op.balance()
	op.unlock()
	l.forgetCompleted(scopes[0])
	return bal, nil
}

func (l *memoryLedger) release(scopes []*memoryScope, h Hold) (Balance, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	op := l.begin(releasing, scopes, h.ID)
	r := scopes[0].record(h.ID)
	op.lock(r)
	if r != nil && (r.state == once.UnderWay || r.state == once.Expired || r.unconfirmed > 0) {
		for i := range r.parts {
			r.parts[i].books.release(&r.parts[i].Hold)
		}
		r.end(ending{state: once.Released})
	}
	bal := op.balance()
	op.unlock()
	l.forgetCompleted(scopes[0])
	return bal, nil
}
