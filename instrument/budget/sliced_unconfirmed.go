package budget

import (
	"slices"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// maxUnconfirmed bounds how many costs that are not known wait to be booked.
const maxUnconfirmed = 100

// end takes note of how a call has ended. A cost that is not known stays apart from the others: it
// gets an id of its own in the inner ledger, by which it is confirmed.
func (p *pool) end(h *slicedHold, e ending) {
	was := h.ending
	h.ending = e
	switch {
	case h.booked != "":
		p.state.pending = append(p.state.pending, booking{id: h.booked, job: h.job, cost: e.cost, unconfirmed: e.unconfirmed, was: was})
		h.booked = ""
		p.besides = max(p.besides-max(was.cost-e.cost, 0), 0) // the inner ledger has that much more room
		return
	case was.unconfirmed > 0:
		p.unconfirmed = slices.DeleteFunc(p.unconfirmed, func(o *slicedHold) bool { return o == h })
	}
	switch {
	case e.unconfirmed > 0:
		p.unconfirmed = append(p.unconfirmed, h)
	case h.job == p.state.scopes[0].ID:
		p.own = money.Sum(p.own, e.cost)
	default:
		p.nested, p.other = money.Sum(p.nested, e.cost), h.job
	}
}

// discharge queues the costs that are not known. Slices still cover what was booked besides them;
// discharge returns how much of a cost they have to be settled with.
func (p *pool) discharge(cost money.USD) money.USD {
	for _, h := range p.unconfirmed {
		h.booked = p.state.ledger.id()
		p.state.pending = append(p.state.pending, booking{id: h.booked, job: h.job, cost: h.cost, unconfirmed: h.unconfirmed})
		p.besides = money.Sum(p.besides, h.cost)
	}
	p.unconfirmed = nil
	covered := min(cost, p.besides)
	p.besides -= covered
	return cost - covered
}

// bookOver queues a cost that no slice covers: what is known of it first, which can be divided.
func (p *pool) bookOver(cost money.USD) {
	if cost <= 0 {
		return
	}
	covered := min(cost, p.besides)
	p.besides -= covered
	cost -= covered
	known := min(cost, money.Sum(p.own, p.nested))
	p.bookCost(known)
	if cost > known {
		p.discharge(cost - known)
	}
}

// add adds to a balance what the inner ledger has not been told.
func (p *pool) add(b *Balance) {
	own := p.state.scopes[0].ID
	b.Spent = money.Sum(b.Spent, p.own, p.nested)
	b.Own = money.Sum(b.Own, p.own)
	add := func(job string, cost, unconfirmed money.USD, was ending) {
		b.Spent = max(money.Sum(b.Spent, cost)-was.cost, 0)
		b.Unconfirmed = max(money.Sum(b.Unconfirmed, unconfirmed)-was.unconfirmed, 0)
		if job == own {
			b.Own = max(money.Sum(b.Own, cost)-was.cost, 0)
		}
	}
	for _, h := range p.unconfirmed {
		add(h.job, h.cost, h.unconfirmed, ending{})
	}
	for _, w := range p.state.pending {
		add(w.job, w.cost, w.unconfirmed, w.was)
	}
}
