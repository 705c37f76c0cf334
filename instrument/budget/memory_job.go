package budget

import (
	"context"
	"time"

	"github.com/stagemeter/stagemeter/instrument/internal/once"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// A jobAccount is an account over a single scope of kind Job, shared by all its Opens. Besides the
// methods of an [Account] it has three for package instrument, which reserves each hold at most once
// and ends it exactly once, with amounts that can be booked. Nothing need be remembered of such a
// hold, so it has no id. The answers are those of Reserve, Settle and Release.
type jobAccount memoryScope

func (a *jobAccount) scopes() [1]*memoryScope { return [...]*memoryScope{(*memoryScope)(a)} }

func (a *jobAccount) Reserve(_ context.Context, h Hold) (Balance, error) {
	scopes := a.scopes()
	return a.ledger.reserve(scopes[:], h)
}

func (a *jobAccount) Settle(_ context.Context, h Hold, cost money.USD) (Balance, error) {
	scopes := a.scopes()
	return a.ledger.settle(scopes[:], h, cost)
}

func (a *jobAccount) Release(_ context.Context, h Hold) (Balance, error) {
	scopes := a.scopes()
	return a.ledger.release(scopes[:], h)
}

func (a *jobAccount) Close(_ context.Context, final bool) error {
	a.ledger.mu.Lock()
	defer a.ledger.mu.Unlock()
	a.ledger.close((*memoryScope)(a), final, a.ledger.clock.time())
	return nil
}

// Look returns the balance, and tells of no threshold.
func (a *jobAccount) Look() (bal Balance) {
	a.first.mu.Lock()
	defer a.first.mu.Unlock()
	a.first.write(&bal)
	return bal
}

// ReserveOnce is Reserve for a hold without an id. now is what [once.Now] returned when the call
// began, a moment ago, so that it need not be read again; a clock of [WithClock] is read all the
// same. A refusal is a new [*Error] whose Job and API are for the caller to fill in.
func (a *jobAccount) ReserveOnce(h *once.Hold, now time.Duration) (bal Balance, err error) {
	b := &a.first
	if h.Lease > 0 {
		now = a.ledger.clock.at(now)
	}
	b.mu.Lock()
	if h.Lease > 0 && b.due(now) != nil {
		b.sweep(now, &bal.Expired)
	}
	if b.fits(h) == fitting {
		b.hold(h, now)
	} else {
		err = a.makeRoom(h, &bal)
	}
	if b.near() {
		bal.Crossed = b.cross(bal.Crossed)
	}
	b.write(&bal)
	b.mu.Unlock()
	return bal, err
}

// makeRoom sweeps until h fits, or no expired hold is left. It unlocks the books for holds with an
// id, which are in books of other scopes too.
func (a *jobAccount) makeRoom(h *once.Hold, bal *Balance) error {
	b, now := &a.first, a.ledger.clock.since()
	for {
		why := b.fits(h)
		if why == fitting {
			b.hold(h, now)
			return nil
		}
		switch due := b.due(now); {
		case due == nil && why == tooLarge:
			return overRange(h.Amount, b.held)
		case due == nil:
			bal.Crossed = b.exceed(bal.Crossed)
			return b.refusal(h.Amount)
		case due.Owner == nil:
			b.sweep(now, &bal.Expired)
		default:
			b.mu.Unlock()
			a.sweep(now, &bal.Expired)
			b.mu.Lock()
		}
	}
}

// sweep expires holds with an id.
func (a *jobAccount) sweep(now time.Duration, swept *Expired) {
	a.ledger.mu.Lock()
	defer a.ledger.mu.Unlock()
	scopes := a.scopes()
	more := a.ledger.sweep(scopes[:], now)
	swept.add(more)
}

// SettleOnce is Settle for a hold without an id, with as much of the cost unconfirmed. It also books
// the cost of a hold that was not reserved, if only Own is set.
func (a *jobAccount) SettleOnce(h *once.Hold, cost, unconfirmed money.USD) (bal Balance) {
	b := &a.first
	b.mu.Lock()
	b.settle(h, cost, unconfirmed)
	if b.near() {
		bal.Crossed = b.cross(nil)
	}
	b.write(&bal)
	a.unlock()
	return bal
}

// SpendOnce is SettleOnce for a cost without a hold.
func (a *jobAccount) SpendOnce(own bool, cost money.USD) Balance {
	h := once.Hold{Own: own}
	return a.SettleOnce(&h, cost, 0)
}

// ReleaseOnce is Release for a hold without an id.
func (a *jobAccount) ReleaseOnce(h *once.Hold) (bal Balance) {
	b := &a.first
	b.mu.Lock()
	if h.State == once.UnderWay || h.State == once.Expired {
		b.release(h)
	}
	if b.near() {
		bal.Crossed = b.cross(nil)
	}
	b.write(&bal)
	a.unlock()
	return bal
}

// unlock unlocks the books, and forgets a completed account after its last hold.
func (a *jobAccount) unlock() {
	over := a.first.completed && a.first.underWay == 0
	a.first.mu.Unlock()
	if over {
		a.ledger.mu.Lock()
		a.ledger.forgetCompleted((*memoryScope)(a))
		a.ledger.mu.Unlock()
	}
}
