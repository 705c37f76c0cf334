package budget

import (
	"math"
	"sync"
	"time"

	"github.com/stagemeter/stagemeter/instrument/internal/once"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// books has the figures of one scope, in one window. Its methods need mu.
type books struct {
	mu                            sync.Mutex
	scope                         Scope // its Limit is the newest
	spent, held, own, unconfirmed money.USD

	reached thresholds // those that were told, or are about to be
	next    money.USD  // what has to be spent to reach another

	underWay  int        // holds, with and without a lease
	soonest   *once.Hold // list of those with a lease, by Expires
	latest    *once.Hold
	forgotten uint32 // how often
	completed bool   // a Close was final, and no Open came after it
}

// fits returns whether h can be held: fitting, tooMuch or tooLarge.
func (b *books) fits(h *once.Hold) fit {
	if h.Free && h.Amount == 0 {
		return fitting
	}
	if limit := b.scope.Limit; limit != money.Unlimited {
		if used := money.Sum(b.spent, b.held); used >= limit || h.Amount > limit-used {
			return tooMuch
		}
	}
	if h.Amount > money.Unlimited-b.held {
		return tooLarge
	}
	return fitting
}

// A fit says whether an amount can be held.
type fit uint8

const (
	fitting  fit = iota
	tooMuch      // for the budget
	tooLarge     // for the range of an amount
)

func (b *books) hold(h *once.Hold, now time.Duration) {
	h.State = once.UnderWay
	b.held = money.Sum(b.held, h.Amount)
	b.underWay++
	if h.Lease <= 0 {
		return
	}
	if h.Expires = now + h.Lease; h.Expires < now {
		h.Expires = math.MaxInt64
	}
	before := b.latest // leases are mostly alike, so the place is mostly the last
	for before != nil && before.Expires > h.Expires {
		before = before.Prev
	}
	h.Prev = before
	if before == nil {
		h.Next, b.soonest = b.soonest, h
	} else {
		h.Next, before.Next = before.Next, h
	}
	if h.Next == nil {
		b.latest = h
	} else {
		h.Next.Prev = h
	}
}

// free ends what a hold has held.
func (b *books) free(h *once.Hold) {
	b.held -= h.Amount
	b.underWay--
	if h.Lease <= 0 {
		return
	}
	if h.Prev == nil {
		b.soonest = h.Next
	} else {
		h.Prev.Next = h.Next
	}
	if h.Next == nil {
		b.latest = h.Prev
	} else {
		h.Next.Prev = h.Prev
	}
	h.Prev, h.Next = nil, nil
}

// end frees a hold that is under way, or takes back what was booked for it and is not confirmed.
func (b *books) end(h *once.Hold) {
	switch {
	case h.State == once.UnderWay:
		b.free(h)
	case h.Unconfirmed > 0 && h.Forgotten == b.forgotten:
		b.spent = max(b.spent-h.Booked, 0)
		b.unconfirmed = max(b.unconfirmed-h.Unconfirmed, 0)
		if h.Own {
			b.own = max(b.own-h.Booked, 0)
		}
	}
	h.Forgotten = b.forgotten
}

func (b *books) settle(h *once.Hold, cost, unconfirmed money.USD) {
	b.end(h)
	b.book(h, cost, unconfirmed)
	h.State = once.Settled
}

func (b *books) release(h *once.Hold) {
	b.end(h)
	h.State, h.Booked, h.Unconfirmed = once.Released, 0, 0
}

func (b *books) expire(h *once.Hold) {
	b.free(h)
	cost := h.Floor
	if cost == 0 {
		cost = h.Amount
	}
	b.book(h, cost, cost)
	h.State, h.Forgotten = once.Expired, b.forgotten
}

func (b *books) book(h *once.Hold, cost, unconfirmed money.USD) {
	h.Booked, h.Unconfirmed = cost, unconfirmed
	b.spent = money.Sum(b.spent, cost)
	if unconfirmed > 0 {
		b.unconfirmed = money.Sum(b.unconfirmed, unconfirmed)
	}
	if h.Own {
		b.own = money.Sum(b.own, cost)
	}
}

// forget starts the books afresh. Holds under way stay.
func (b *books) forget() {
	b.spent, b.own, b.unconfirmed = 0, 0, 0
	b.forgotten++
	b.reached = 0
	b.arm()
}

// write writes the figures to a balance. Copies of the whole would cost as much as all the rest of
// an operation without an id.
func (b *books) write(bal *Balance) {
	bal.Limit, bal.Spent, bal.Held, bal.Own, bal.Unconfirmed = b.scope.Limit, b.spent, b.held, b.own, b.unconfirmed
}
