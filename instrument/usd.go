package instrument

import (
	"sync/atomic"

	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/semconv"
)

// USD is an amount of US dollars in nano-dollars; see [money.USD].
type USD = money.USD

// Units of money: 25*instrument.Cent, 2*instrument.Dollar.
const (
	Cent   = money.Cent
	Dollar = money.Dollar
)

// Unlimited is the limit of a budget that refuses nothing. It is not the same as a limit of 0,
// which refuses every call.
const Unlimited = money.Unlimited

// Dollars converts a float of dollars to the nearest nano-dollar. NaN, infinities and amounts
// beyond the range become an amount that every recording refuses and counts in
// video_processing_invalid_values_total.
func Dollars(f float64) USD { return money.Dollars(f) }

// invalidReason returns why an amount cannot be booked, or "".
func invalidReason(u USD) semconv.InvalidReason {
	switch u.Validate() {
	case nil:
		return ""
	case money.ErrNaN:
		return semconv.InvalidReasonNaN
	case money.ErrInfinite:
		return semconv.InvalidReasonInf
	default:
		return semconv.InvalidReasonNegative
	}
}

// add adds to a sum and stops at the end of the range.
func add(sum *atomic.Int64, amount USD) {
	for {
		old := sum.Load()
		if sum.CompareAndSwap(old, int64(money.Sum(USD(old), amount))) {
			return
		}
	}
}
