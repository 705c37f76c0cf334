package budget

import (
	"fmt"

	"github.com/stagemeter/stagemeter/instrument/internal/once"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// An ending is what a ledger remembers of the end of a hold.
type ending struct {
	state             once.State // may be under way, or unknown
	cost, unconfirmed money.USD  // of a hold that is settled
}

// confirmed reports whether a Settle or a Release has confirmed what the hold has cost.
func (e ending) confirmed() bool {
	return e.state == once.Released || e.state == once.Settled && e.unconfirmed == 0
}

// settle reports whether the hold is to be settled with a cost, maybe again.
func (e ending) settle(h Hold, cost money.USD) (bool, error) {
	switch {
	case h.Unconfirmed > 0 && e.confirmed():
		return false, nil
	case e.state != once.Settled || e.unconfirmed > 0 && h.Unconfirmed == 0:
		return true, nil
	case e.cost != cost:
		return false, fmt.Errorf("budget: settle %s, settled %s: %w", cost, e.cost, ErrConflict)
	case e.unconfirmed != h.Unconfirmed:
		return false, fmt.Errorf("budget: settle %s with %s unconfirmed, settled with %s: %w", cost, h.Unconfirmed, e.unconfirmed, ErrConflict)
	}
	return true, nil
}

// settling returns the operation that a Settle of the hold is.
func (h *Hold) settling() operation {
	if h.Unconfirmed > 0 {
		return estimating
	}
	return settling
}

// bookable returns an error unless a hold can be settled with a cost.
func (h *Hold) bookable(cost money.USD) error {
	if cost.Validate() != nil {
		return fmt.Errorf("budget: settle %s: %w", cost, ErrInvalid)
	}
	if h.Unconfirmed < 0 || h.Unconfirmed > cost {
		return fmt.Errorf("budget: settle %s with %s unconfirmed: %w", cost, h.Unconfirmed, ErrInvalid)
	}
	return nil
}
