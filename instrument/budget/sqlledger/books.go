package sqlledger

import (
	"math"

	"github.com/stagemeter/stagemeter/instrument/budget"
)

// What follows is what the ledger in memory does, with the figures of a row. The function of
// PostgreSQL does the same.

// percents are the thresholds, by their bit in reached.
var percents = [...]int{50, 80, 100, budget.Exceeded}

// least returns the least amount that reaches a percentage of a limit, or the largest number.
func least(percent int, limit int64) int64 {
	switch {
	case limit == math.MaxInt64:
		return math.MaxInt64
	case percent == budget.Exceeded:
		return sum(limit, 1)
	}
	n := int64(percent)
	return max(1, limit/100*n+(limit%100*n+99)/100)
}

// setLimit changes the limit, and forgets the thresholds that are not reached at the new one.
func (b *books) setLimit(limit int64) {
	if limit == b.Limit {
		return
	}
	b.Limit, b.changed = limit, true
	for i, percent := range percents {
		if at := least(percent, limit); at == math.MaxInt64 || b.Spent < at {
			b.reached &^= 1 << i
		}
	}
}

// cross returns the thresholds that are reached and were not told.
func (b *books) cross() (crossed []crossing) {
	for i, percent := range percents {
		if at := least(percent, b.Limit); at != math.MaxInt64 && b.Spent >= at {
			crossed = b.reach(crossed, i)
		}
	}
	return crossed
}

func (b *books) reach(crossed []crossing, i int) []crossing {
	if b.reached&(1<<i) != 0 {
		return crossed
	}
	b.reached |= 1 << i
	b.changed = true
	return append(crossed, crossing{Scope: b.scope, Kind: b.kind, Name: b.name, Limit: b.Limit, Percent: percents[i], Spent: b.Spent})
}

// fits returns done, refused or tooLarge.
func (b *books) fits(amount int64, free bool) code {
	if free && amount == 0 {
		return done
	}
	if b.Limit != math.MaxInt64 {
		if used := sum(b.Spent, b.Held); used >= b.Limit || amount > b.Limit-used {
			return refused
		}
	}
	if amount > math.MaxInt64-b.Held {
		return tooLarge
	}
	return done
}

func (p *part) reserve() {
	p.state = underWay
	p.books.Held = sum(p.books.Held, p.amount)
	p.books.underWay++
	p.books.changed = true
}

// end frees a part that is under way, or takes back what was booked for it and is not confirmed.
func (p *part) end() {
	b := p.books
	switch {
	case p.state == underWay:
		b.Held -= p.amount
		b.underWay--
	case p.unconfirmed > 0 && p.forgotten == b.forgotten:
		b.Spent = max(b.Spent-p.cost, 0)
		b.Unconfirmed = max(b.Unconfirmed-p.unconfirmed, 0)
		if p.own {
			b.Own = max(b.Own-p.cost, 0)
		}
	}
	p.forgotten = b.forgotten
	b.changed = true
}

func (p *part) settle(cost, unconfirmed int64) {
	p.end()
	p.book(cost, unconfirmed)
	p.state = settled
}

func (p *part) release() {
	p.end()
	p.state, p.cost, p.unconfirmed = released, 0, 0
}

func (p *part) expire() {
	p.end()
	cost := p.floor
	if cost == 0 {
		cost = p.amount
	}
	p.book(cost, cost)
	p.state = expired
}

func (p *part) book(cost, unconfirmed int64) {
	p.cost, p.unconfirmed = cost, unconfirmed
	p.books.Spent = sum(p.books.Spent, cost)
	p.books.Unconfirmed = sum(p.books.Unconfirmed, unconfirmed)
	if p.own {
		p.books.Own = sum(p.books.Own, cost)
	}
}
