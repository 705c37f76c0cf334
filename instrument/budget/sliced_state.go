package budget

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/stagemeter/stagemeter/instrument/internal/once"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// A slicedState is what all Opens of the same scopes share. All but opens and joining is guarded by
// turn; whoever takes the ledger's turn too takes that first.
type slicedState struct {
	ledger *slicedLedger
	key    string
	scopes []Scope
	opens  atomic.Int64

	joining atomic.Int64 // Opens that wait for turn

	turn    turn
	account Account // the newest Open of the inner ledger
	seen    Balance // the newest of the inner ledger, without what one operation told
	pool    pool
	look    bool       // a limit may have changed: the next operation asks what that has reached
	away    bool       // the inner ledger did not answer
	pending []booking  // what the inner ledger has to be told
	dropped money.USD  // that it will never take
	why     error      // the first answer that says so
	crossed []Crossing // by operations of the inner ledger, to be told by the next here
	refused []Crossing // that whole slices did not fit, to be told when a call does not
	expired Expired
	told    tales
	holds   map[string]*slicedHold
	ended   []string // ring of the newest
	next    int
}

// A slicedHold is the hold of a call.
type slicedHold struct {
	job    string
	amount money.USD
	ending
	booked string // the id of its cost in the inner ledger, while that is unconfirmed
}

// see takes note of an answer of the inner ledger.
func (s *slicedState) see(b Balance) {
	s.crossed = append(s.crossed, b.Crossed...)
	s.expired.add(b.Expired)
	b.Crossed, b.Expired = nil, Expired{}
	s.seen = b
}

// balance returns what the inner ledger would have if it had answered each call.
func (s *slicedState) balance() Balance {
	b := s.seen
	s.pool.add(&b)
	b.Held = money.Sum(b.Held, s.pool.held)
	slices := s.pool.amount()
	for _, w := range s.pending {
		slices = money.Sum(slices, w.amount)
	}
	b.Held = max(b.Held-slices, 0) // a slice that is expired is not held any more
	return b
}

// answer returns the balance after an operation, with what it tells.
func (s *slicedState) answer(op operation, id string) Balance {
	b := s.balance()
	if b.Spent > b.Limit {
		s.crossed, s.refused = append(s.crossed, s.refused...), nil
	}
	b.Expired, s.expired = s.expired, Expired{}
	b.Crossed, s.crossed = s.told.tell(op, id, s.crossed), nil
	return b
}

// idle reports whether no call is under way, and nothing is left to be booked.
func (s *slicedState) idle() bool {
	return s.pool.calls == 0 && len(s.pool.slices) == 0 && len(s.pending) == 0
}

// ask asks the inner ledger what a changed limit has reached.
func (s *slicedState) ask(ctx context.Context) {
	if !s.look {
		return
	}
	b, err := s.account.Release(ctx, Hold{ID: s.ledger.id()})
	if s.away = unanswered(err); err == nil {
		s.see(b)
		s.look = false
	}
}

func (s *slicedState) Reserve(ctx context.Context, h Hold) (Balance, error) {
	if h.Amount.Validate() != nil || h.Floor.Validate() != nil {
		return Balance{}, fmt.Errorf("budget: reserve %s with floor %s: %w", h.Amount, h.Floor, ErrInvalid)
	}
	if err := s.turn.take(ctx); err != nil {
		return Balance{}, err
	}
	defer s.turn.give()
	switch known := s.holds[h.ID]; {
	case known == nil:
	case known.state != once.UnderWay:
		return s.answer(reserving, h.ID), fmt.Errorf("budget: reserve %s for a hold that ended: %w", h.Amount, ErrConflict)
	case known.amount != h.Amount:
		return s.answer(reserving, h.ID), fmt.Errorf("budget: reserve %s, held %s: %w", h.Amount, known.amount, ErrConflict)
	default:
		return s.answer(reserving, h.ID), nil
	}
	s.ask(ctx)
	if err := s.pool.take(ctx, h); err != nil {
		refusal := new(Error)
		if errors.As(err, &refusal) {
			own := *refusal
			own.Job, own.API, own.Asked = h.Job, h.API, h.Amount
			if b := s.balance(); own.Scope.Kind == s.scopes[0].Kind && own.Scope.ID == s.scopes[0].ID {
				own.Spent, own.Held = b.Spent, b.Held
			}
			err = &own
		}
		return s.answer(reserving, h.ID), err
	}
	if s.holds == nil {
		s.holds = make(map[string]*slicedHold)
	}
	s.holds[h.ID] = &slicedHold{job: h.Job, amount: h.Amount, ending: ending{state: once.UnderWay}}
	s.pool.held = money.Sum(s.pool.held, h.Amount)
	s.pool.calls++
	return s.answer(reserving, h.ID), nil
}

func (s *slicedState) Settle(ctx context.Context, h Hold, cost money.USD) (Balance, error) {
	if err := h.bookable(cost); err != nil {
		return Balance{}, err
	}
	return s.end(ctx, h.settling(), h, ending{once.Settled, cost, h.Unconfirmed})
}

func (s *slicedState) Release(ctx context.Context, h Hold) (Balance, error) {
	return s.end(ctx, releasing, h, ending{state: once.Released})
}

func (s *slicedState) end(ctx context.Context, op operation, h Hold, e ending) (Balance, error) {
	if err := s.turn.take(ctx); err != nil {
		return Balance{}, err
	}
	over := false
	defer func() {
		s.turn.give()
		if over {
			s.ledger.leave(s)
		}
	}()
	known := s.holds[h.ID]
	switch changes, err := known.ends(h, e); {
	case err != nil:
		return s.answer(op, h.ID), err
	case !changes:
		s.ask(ctx)
		err := s.deliverLate(ctx)
		over = s.opens.Load() == 0 && s.idle()
		return s.answer(op, h.ID), err
	case known == nil:
		known = &slicedHold{job: h.Job}
	case known.state == once.UnderWay:
		s.pool.held -= known.amount
		s.pool.calls--
	}
	s.remember(h.ID, known)
	before := s.balance().Spent
	s.pool.end(known, e)
	s.pool.flush = s.pool.flush || s.crosses(before, s.balance().Spent)
	s.look = s.look || s.pool.givesBack() // asked first, since it may be the last for long
	s.ask(ctx)
	late := s.opens.Load() == 0
	s.pool.settle(late)
	err := s.deliver(ctx)
	if !late && errors.Is(err, ErrUnavailable) { // the hold is ended here, and a Close tells the ledger
		err = nil
	}
	over = s.opens.Load() == 0 && s.idle()
	return s.answer(op, h.ID), err
}

// ends reports whether an operation changes how a hold has ended. A nil hold is unknown.
func (h *slicedHold) ends(as Hold, e ending) (bool, error) {
	switch {
	case h == nil:
		return e.state == once.Settled, nil
	case e.state == once.Released:
		return h.state == once.UnderWay || h.unconfirmed > 0, nil
	}
	again, err := h.settle(as, e.cost)
	return again && h.ending != e, err
}

// deliverLate delivers what a call that outlived the last Close could not: no other Close will.
func (s *slicedState) deliverLate(ctx context.Context) error {
	if s.opens.Load() > 0 {
		return nil
	}
	return s.deliver(ctx)
}

// crosses reports whether a threshold of the first scope lies between two amounts.
func (s *slicedState) crosses(before, after money.USD) bool {
	for _, percent := range percents {
		if at := least(percent, s.seen.Limit); at != money.Unlimited && before < at && at <= after {
			return true
		}
	}
	return false
}

// remember keeps a hold that ended, and forgets the oldest of those.
func (s *slicedState) remember(id string, h *slicedHold) {
	if s.holds == nil {
		s.holds = make(map[string]*slicedHold)
	}
	known := s.holds[id]
	s.holds[id] = h
	switch {
	case known != nil && known.state != once.UnderWay: // remembered before
	case len(s.ended) < keptEnded:
		s.ended = append(s.ended, id)
	default:
		if old := s.holds[s.ended[s.next]]; old != nil && old.state != once.UnderWay {
			delete(s.holds, s.ended[s.next])
		}
		s.ended[s.next] = id
		s.next = (s.next + 1) % keptEnded
	}
}

func (s *slicedState) forgetEnded() {
	for id, h := range s.holds {
		if h.state != once.UnderWay {
			delete(s.holds, id)
		}
	}
	s.ended, s.next, s.told, s.refused = nil, 0, nil, nil
}
