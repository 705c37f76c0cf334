package budgettest

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

type faultyBooks struct {
	spent, held, own, unconfirmed money.USD
	reached                       map[int]bool
}

func newFaultyBooks() *faultyBooks { return &faultyBooks{reached: make(map[int]bool)} }

// window returns the key of the books that a scope has now.
func (s *faultyStore) window(key string) string {
	day, month := 24*time.Hour, 30*24*time.Hour
	switch {
	case s.is("a window never ends"):
		return key
	case s.is("a day is an hour"):
		day = time.Hour
	case s.is("a month is a day"):
		month = day
	}
	switch {
	case strings.HasPrefix(key, "day "):
		return fmt.Sprint(key, "/", int(s.now/day))
	case strings.HasPrefix(key, "month ") || s.is("a job ends with the month"):
		return fmt.Sprint(key, "/", int(s.now/month))
	}
	return key
}

func (s *faultyStore) current(key string) *faultyBooks {
	window := s.window(key)
	b := s.books[window]
	if b == nil {
		b = newFaultyBooks()
		for old, other := range s.books {
			if s.is("thresholds outlast the day") && strings.HasPrefix(old, key+"/") {
				b.reached = other.reached
			}
			if s.is("a limit ends with the day") && strings.HasPrefix(old, key+"/") {
				s.limits[key] = unlimited
			}
		}
		s.books[window] = b
	}
	return b
}

type holdState int

const (
	unknown holdState = iota
	underWay
	expired
	settled
	released
)

type faultyHold struct {
	store       *faultyStore
	first       string
	amount      money.USD
	floor       money.USD
	cost        money.USD
	booked      money.USD // and not confirmed, like unconfirmed, which is of it
	unconfirmed money.USD
	expires     time.Duration // 0 for never
	state       holdState
	parts       []faultyPart
}

type faultyPart struct {
	key   string
	books *faultyBooks
	own   bool
}

func (h *faultyHold) due(now time.Duration) bool {
	return h.expires > 0 && h.expires <= now && (h.state == underWay || h.state == settled && h.store.is("what ended expires too"))
}

// now returns the books of a part.
func (h *faultyHold) now(i int) *faultyBooks {
	if h.store.is("a hold ends in the window of now") {
		return h.store.current(h.parts[i].key)
	}
	return h.parts[i].books
}

func (h *faultyHold) each(f func(b *faultyBooks, own bool)) {
	for i, p := range h.parts {
		if i > 0 && h.store.is("only the first scope is booked") {
			return
		}
		f(h.now(i), p.own)
	}
}

// free ends what the hold has held.
func (h *faultyHold) free() {
	h.each(func(b *faultyBooks, _ bool) { b.held -= h.amount })
}

func (h *faultyHold) book(cost, unconfirmed money.USD) {
	h.each(func(b *faultyBooks, own bool) {
		b.spent = h.store.sum(b.spent, cost)
		if b == h.now(0) || !h.store.is("a cost is unconfirmed in its first scope only") {
			b.unconfirmed = h.store.sum(b.unconfirmed, unconfirmed)
		}
		if (own || h.store.is("own is spent")) && !(unconfirmed > 0 && h.nobodys()) {
			b.own = h.store.sum(b.own, cost)
		}
	})
}

func (h *faultyHold) expire() {
	s := h.store
	if s.is("a hold expires in its first scope only") {
		h.parts = h.parts[:1]
	}
	if h.state == underWay {
		h.free()
	}
	h.state = expired
	h.booked = h.floor
	switch {
	case s.is("an expired hold books nothing"):
		h.booked = 0
	case s.is("an expired hold books its amount"):
		h.booked = h.amount
	case s.is("a floor is cut to the amount"):
		h.booked = min(h.floor, h.amount)
	case h.floor == 0 && !s.is("without a floor an expired hold books nothing"):
		h.booked = h.amount
	}
	h.unconfirmed = h.booked
	h.book(h.booked, h.booked)
}

func (h *faultyHold) nobodys() bool {
	return h.state == expired && h.store.is("what expires is nobody's") || h.state != expired && h.store.is("what is unconfirmed is nobody's")
}

// unbook takes back what was booked and is not confirmed.
func (h *faultyHold) unbook() {
	h.each(func(b *faultyBooks, own bool) {
		b.spent -= h.booked
		b.unconfirmed -= h.unconfirmed
		if own && !h.nobodys() {
			b.own -= h.booked
		}
	})
}

func (s *faultyStore) sum(x, y money.USD) money.USD {
	switch {
	case s.is("money is a float of 32 bits"):
		return money.USD(float32(x) - float32(-y))
	case s.is("sums wrap around"):
		return x - -y
	}
	return money.Sum(x, y)
}

// sweep expires the holds of a's scopes whose lease is over, 100 at a time, and reports whether there
// were any.
func (a *faultyAccount) sweep(e *budget.Expired) bool {
	bound, n := 100, 0
	switch {
	case a.is("expired holds are never swept"):
		return false
	case a.is("a refusal sweeps one hold"):
		bound = 1
	case a.is("one operation sweeps all"):
		bound = math.MaxInt
	}
	if a.next > a.now {
		return false
	}
	next := time.Duration(math.MaxInt64)
	for _, h := range a.holds {
		switch {
		case !h.due(a.now) || !a.involves(h):
			if h.state == underWay && h.expires > 0 {
				next = min(next, h.expires)
			}
		case n < bound:
			n++
			h.expire()
			e.Holds++
			e.Amount = money.Sum(e.Amount, h.booked)
			if a.is("expired holds are told of twice") {
				e.Holds++
			}
		default:
			next = a.now
		}
	}
	a.next = next
	return n > 0
}

func (a *faultyAccount) involves(h *faultyHold) bool {
	if a.is("only holds of the account expire") {
		return h.first == a.scopes[0].ID
	}
	for _, p := range h.parts {
		for _, s := range a.scopes {
			if p.key == s.ID {
				return true
			}
		}
	}
	return false
}

func reached(percent int, spent, limit money.USD) bool {
	switch {
	case limit == unlimited:
		return false
	case percent == budget.Exceeded:
		return spent > limit
	}
	return spent > 0 && spent >= share(percent, limit)
}

// cross returns the thresholds of s that are reached and were not told.
func (b *faultyBooks) cross(s budget.Scope, highest bool) (crossed []budget.Crossing) {
	for _, p := range []int{50, 80, 100, budget.Exceeded} {
		if reached(p, b.spent, s.Limit) && !b.reached[p] {
			b.reached[p] = true
			crossed = append(crossed, budget.Crossing{Scope: s, Percent: p, Spent: b.spent})
		}
	}
	if highest && len(crossed) > 0 {
		return crossed[len(crossed)-1:]
	}
	return crossed
}

func (a *faultyAccount) cross() (crossed []budget.Crossing) {
	for i, s := range a.scopes {
		named := a.names[i]
		named.Limit = a.limits[s.ID]
		if named.Limit == unlimited && a.is("unlimited has thresholds") {
			named.Limit--
		}
		b := a.current(s.ID)
		if a.is("each handle tells of its own thresholds") {
			mine := s.ID + a.handle
			if a.mine == nil {
				a.mine = make(map[string]map[int]bool)
			}
			if a.mine[mine] == nil {
				a.mine[mine] = make(map[int]bool)
			}
			b.reached = a.mine[mine]
		}
		crossed = append(crossed, b.cross(named, a.is("only the highest threshold is told"))...)
		if a.is("only the first scope has thresholds") {
			break
		}
	}
	if a.is("thresholds are never told") {
		return nil
	}
	return crossed
}
