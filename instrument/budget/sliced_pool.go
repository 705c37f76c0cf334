package budget

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// A pool has the slices of an account. Amounts are not bound to a slice: what calls hold and cost is
// covered by all slices together, the oldest first.
type pool struct {
	state  *slicedState
	slices []slice   // the oldest first
	held   money.USD // by calls under way
	calls  int       // that are under way
	own    money.USD // cost of calls that ended, not booked yet, of the job that the account is named after
	nested money.USD // the same of others
	other  string    // the newest of them
	flush  bool      // book the cost as soon as no call is under way
	asking *slice    // a slice whose Reserve may or may not have arrived

	unconfirmed []*slicedHold // calls that ended, whose cost is not known and not booked yet
	besides     money.USD     // booked for such calls, and still covered by slices
}

// A slice is a hold in the inner ledger.
type slice struct {
	id     string
	amount money.USD
	old    time.Duration // when no new call is to spend from it, by the clock here
	over   time.Duration // when its lease is over, or was
}

// A booking is a Settle that the inner ledger has to be told: of a slice, or of a cost that exceeds
// all slices.
type booking struct {
	id, job                   string
	amount, cost, unconfirmed money.USD
	was                       ending // by an earlier booking of the id
}

// cost returns what slices have to cover besides the calls under way.
func (p *pool) cost() money.USD {
	cost := money.Sum(p.own, p.nested)
	if p.besides > 0 {
		cost = money.Sum(cost, p.besides)
	}
	for _, h := range p.unconfirmed {
		cost = money.Sum(cost, h.cost)
	}
	return cost
}

func (p *pool) amount() (sum money.USD) {
	for _, s := range p.slices {
		sum = money.Sum(sum, s.amount)
	}
	return sum
}

// left returns what a new call may spend of the slices for which usable is true.
func (p *pool) left(usable func(slice) bool) money.USD {
	var fresh, stale money.USD
	for _, s := range p.slices {
		if usable(s) {
			fresh = money.Sum(fresh, s.amount)
		} else {
			stale = money.Sum(stale, s.amount)
		}
	}
	return fresh - max(money.Sum(p.held, p.cost())-stale, 0)
}

// take makes sure that the slices cover a new hold.
func (p *pool) take(ctx context.Context, h Hold) error {
	if h.Free && h.Amount == 0 {
		return nil
	}
	now := p.state.ledger.clock.since()
	if p.calls == 0 {
		p.settleWhile(func(s slice) bool { return s.over <= now })
	}
	all := p.state.balance()
	room := all.Limit - money.Sum(all.Spent, all.Held) // a limit may be lower than what is held
	fits := func(left money.USD) bool {
		return left > 0 && h.Amount <= left && (all.Limit == money.Unlimited || room > 0 && h.Amount <= room)
	}
	left := p.left(func(s slice) bool { return now < s.old })
	if fits(left) {
		return nil
	}
	if err := p.state.deliver(ctx); err != nil && !errors.Is(err, ErrUnavailable) {
		return err
	}
	lacks := h.Amount - left
	if lacks <= 0 { // what is left is more than the budget has
		lacks = h.Amount
	}
	err := p.grow(ctx, h, lacks)
	switch {
	case err == nil && p.calls == 0: // else what is old ends with the calls
		p.settleWhile(func(s slice) bool { return s.old <= now })
		_ = p.state.send(ctx)
	case errors.Is(err, ErrUnavailable) && fits(p.left(func(s slice) bool { return now < s.over })):
		return nil
	}
	return err
}

// grow holds another slice, of at least the amount that a call lacks.
func (p *pool) grow(ctx context.Context, h Hold, lacks money.USD) error {
	l := p.state.ledger
	b := p.state.seen
	want := l.slice
	if b.Limit != money.Unlimited {
		want = min(want, max(b.Limit-money.Sum(b.Spent, b.Held), 0))
	}
	want = max(want, lacks)
	err := p.hold(ctx, h, want)
	if !errors.Is(err, ErrExceeded) {
		return err
	}
	if p.calls == 0 { // what slices have left may be enough
		p.bookAll()
		_ = p.state.send(ctx)
		lacks = h.Amount
	}
	refused := p.state.crossed
	p.state.crossed = nil
	err = p.hold(ctx, h, lacks)
	if errors.Is(err, ErrExceeded) {
		p.state.crossed = append(append(refused, p.state.refused...), p.state.crossed...)
		p.state.refused = nil
		return err
	}
	// The call fits, so that the budget is exceeded is not told yet.
	for _, c := range refused {
		if c.Percent == Exceeded {
			p.state.refused = append(p.state.refused, c)
		} else {
			p.state.crossed = append(p.state.crossed, c)
		}
	}
	return err
}

// hold reserves a slice in the inner ledger.
func (p *pool) hold(ctx context.Context, h Hold, amount money.USD) error {
	l := p.state.ledger
	if p.asking != nil && p.asking.amount < amount {
		p.giveUp()
	}
	if p.asking == nil {
		p.asking = &slice{id: l.id(), amount: amount}
	}
	s := *p.asking
	began := l.clock.since()
	floor := money.USD(0)
	if s.amount == 0 {
		floor = h.Floor
	}
	b, err := p.state.account.Reserve(ctx, Hold{
		ID: s.id, Job: p.state.scopes[0].ID, Attempt: h.Attempt, API: h.API, Amount: s.amount, Floor: floor, Lease: l.lease,
	})
	p.state.away = unanswered(err)
	switch {
	case err == nil:
		s.old, s.over = began+l.lease/2, began+l.lease
		p.slices = append(p.slices, s)
	case p.state.away: // it may have arrived: ask with the same id again
		return fmt.Errorf("budget: no slice: %w", unavailable(err))
	}
	p.asking = nil
	if err == nil || errors.Is(err, ErrExceeded) {
		p.state.see(b)
	}
	return err
}

// settle queues what the inner ledger has to be told now. over says that no Open is left.
func (p *pool) settle(over bool) {
	for len(p.slices) > 1 && p.cost() >= p.slices[0].amount { // used up
		p.queue(p.slices[0].amount)
	}
	switch {
	case p.calls > 0:
	case over || p.flush && !p.state.away || p.cost() >= p.amount():
		p.bookAll()
	case p.state.away: // what is left of a slice is all that can be spent
		now := p.state.ledger.clock.since()
		p.settleWhile(func(s slice) bool { return s.over <= now })
	default:
		now := p.state.ledger.clock.since()
		p.settleWhile(func(s slice) bool { return s.old <= now })
	}
	if len(p.unconfirmed) >= maxUnconfirmed {
		p.discharge(0)
	}
	p.bookOver(min(p.cost(), money.Sum(p.held, p.cost())-p.amount())) // that exceeds what is held
}

// bookCost queues a cost besides the slices.
func (p *pool) bookCost(cost money.USD) {
	if nested := min(cost, p.nested); nested > 0 {
		p.nested -= nested
		cost -= nested
		p.state.pending = append(p.state.pending, booking{id: p.state.ledger.id(), job: p.other, cost: nested})
	}
	if cost > 0 {
		p.own -= cost
		p.state.pending = append(p.state.pending, booking{id: p.state.ledger.id(), job: p.state.scopes[0].ID, cost: cost})
	}
}

// queue settles the oldest slice with at most this cost. A slice is the account's own, and confirmed,
// so that what nested jobs have spent of it is booked besides, and what is not known.
func (p *pool) queue(cost money.USD) {
	s := p.slices[0]
	p.slices = p.slices[1:]
	cost = p.discharge(min(cost, p.cost()))
	nested := min(cost, p.nested)
	p.bookCost(nested)
	p.own -= cost - nested
	p.state.pending = append(p.state.pending, booking{id: s.id, job: p.state.scopes[0].ID, amount: s.amount, cost: cost - nested})
}

// settleWhile settles the oldest slices for which due is true. No call is under way.
func (p *pool) settleWhile(due func(slice) bool) {
	for len(p.slices) > 0 && due(p.slices[0]) {
		p.queue(p.slices[0].amount)
	}
}

// givesBack reports whether slices are to be settled that have something left.
func (p *pool) givesBack() bool {
	return p.calls == 0 && len(p.slices) > 0 && (p.flush || p.slices[0].old <= p.state.ledger.clock.since())
}

// giveUp queues that a slice which may be held costs nothing.
func (p *pool) giveUp() {
	if p.asking != nil {
		p.state.pending = append(p.state.pending, booking{id: p.asking.id, job: p.state.scopes[0].ID})
		p.asking = nil
	}
}

// bookAll settles all slices. No call is under way.
func (p *pool) bookAll() {
	p.flush = false
	p.giveUp()
	for len(p.slices) > 0 {
		cost := p.slices[0].amount
		if len(p.slices) == 1 {
			cost = p.cost()
		}
		p.queue(cost)
	}
	p.bookCost(p.discharge(p.cost()))
}

// bookIdle settles all slices unless a call is under way.
func (p *pool) bookIdle() {
	if p.calls == 0 {
		p.bookAll()
	}
}

// unanswered reports whether an error of the inner ledger is no answer.
func unanswered(err error) bool {
	if errors.Is(err, ErrUnavailable) {
		return true
	}
	for _, answer := range []error{nil, ErrExceeded, ErrConflict, ErrLost, ErrInvalid} {
		if errors.Is(err, answer) {
			return false
		}
	}
	return true
}

// unavailable returns an error of the inner ledger that is no answer so that it matches
// [ErrUnavailable].
func unavailable(err error) error {
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// deliver tells the inner ledger what is pending, and returns what that will never take as an error,
// once.
func (s *slicedState) deliver(ctx context.Context) error {
	if err := s.send(ctx); err != nil {
		return err
	}
	return s.drop()
}

// send tells the inner ledger what is pending, until it does not answer. What it will never take is
// left to drop.
func (s *slicedState) send(ctx context.Context) error {
	for len(s.pending) > 0 {
		w := s.pending[0]
		b, err := s.account.Settle(ctx, Hold{ID: w.id, Job: w.job, Unconfirmed: w.unconfirmed}, w.cost)
		s.away = unanswered(err)
		switch {
		case err == nil:
			s.see(b)
		case !s.away && !errors.Is(err, ErrExceeded):
			s.dropped = money.Sum(s.dropped, w.cost)
			if s.why == nil {
				s.why = err
			}
		default:
			return fmt.Errorf("budget: book %s: %w", w.cost, unavailable(err))
		}
		s.pending = s.pending[1:]
	}
	return nil
}

// drop returns what the inner ledger has not taken, and will not take, since the last drop.
func (s *slicedState) drop() (err error) {
	if s.why != nil {
		err = fmt.Errorf("budget: book %s: %w", s.dropped, s.why)
	}
	s.dropped, s.why = 0, nil
	return err
}
