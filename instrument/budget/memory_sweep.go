package budget

import (
	"slices"
	"time"

	"github.com/stagemeter/stagemeter/instrument/internal/once"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// sweepBatch bounds how many holds of a scope expire at once.
const sweepBatch = 64

func (e *Expired) add(more Expired) {
	e.Holds += more.Holds
	e.Amount = money.Sum(e.Amount, more.Amount)
}

// due returns the first hold whose lease is over, or nil.
func (b *books) due(now time.Duration) *once.Hold {
	if h := b.soonest; h != nil && h.Expires <= now {
		return h
	}
	return nil
}

// sweep expires a batch of the holds without an id whose lease is over. It stops at one with an id,
// which may be in other books too. It needs b.mu.
func (b *books) sweep(now time.Duration, swept *Expired) {
	for range sweepBatch {
		h := b.due(now)
		if h == nil || h.Owner != nil {
			return
		}
		b.expire(h)
		swept.add(Expired{1, h.Booked})
	}
}

// sweep expires a batch of the holds of each scope whose lease is over, in all scopes that they are
// in. The caller holds l.mu and the mutex of no books.
func (l *memoryLedger) sweep(scopes []*memoryScope, now time.Duration) (swept Expired) {
	for _, s := range scopes {
		l.sweepBooks(s.current, now, &swept)
		s.past = slices.DeleteFunc(s.past, func(b *books) bool { return !l.sweepBooks(b, now, &swept) })
	}
	return swept
}

// sweepBooks sweeps a batch, and reports whether holds are left under way.
func (l *memoryLedger) sweepBooks(b *books, now time.Duration, swept *Expired) (left bool) {
	for range sweepBatch {
		b.mu.Lock()
		h := b.due(now)
		left = b.underWay > 0
		if h != nil && h.Owner == nil {
			b.expire(h)
			swept.add(Expired{1, h.Booked})
		}
		b.mu.Unlock()
		if h == nil {
			return left
		}
		if r, ok := h.Owner.(*record); ok {
			r.expire()
			swept.add(Expired{1, h.Booked})
			l.forgetCompleted(r.scope)
		}
	}
	return true
}
