package money

import (
	"math"
	"math/bits"
)

// Sum returns the exact sum of amounts, which may be negative. It is 0 without amounts, does not
// allocate, and does not depend on their order.
//
// A sum beyond the range saturates: above it is [Unlimited], below it is the amount that
// Dollars(math.Inf(-1)) gives. An amount that [Dollars] gave for NaN makes the sum that amount;
// else one for an infinity does; else Unlimited does. [USD.Validate] refuses all of these.
func Sum(amounts ...USD) USD {
	if len(amounts) == 2 { // the most frequent case, on the hot path of ledgers
		u, v := amounts[0], amounts[1]
		if s := u + v; u|v|s >= 0 && s != Unlimited {
			return s
		}
	}
	return sum(amounts)
}

func sum(amounts []USD) USD {
	var (
		special USD // the worst of the amounts that are none, or 0
		hi      int64
		lo      uint64 // hi:lo is the sum
		carry   uint64
	)
	for _, u := range amounts {
		if u.special() {
			special = worse(special, u)
			continue
		}
		lo, carry = bits.Add64(lo, uint64(u), 0)
		hi += int64(u)>>63 + int64(carry)
	}
	switch {
	case special != 0:
		return special
	case hi != int64(lo)>>63: // more than 64 bits
		return end(hi < 0)
	case USD(lo).special():
		return end(int64(lo) < 0)
	}
	return USD(lo)
}

// Mul returns u·n, where both may be negative. It does not allocate.
//
// A product beyond the range saturates as [Sum] does. If u is no amount, the product is u, for any
// n.
func Mul(u USD, n int64) USD {
	if u.special() {
		return u
	}
	negative := (u < 0) != (n < 0)
	hi, lo := bits.Mul64(magnitude(int64(u)), magnitude(n))
	switch {
	case hi != 0 || lo >= math.MaxInt64:
		return end(negative)
	case negative:
		return -USD(lo)
	}
	return USD(lo)
}

// special reports whether u is one of the three values that are no amounts.
func (u USD) special() bool { return u == Unlimited || u <= infinite }

// worse returns which of two values that are no amounts, or 0, decides a result.
func worse(u, v USD) USD {
	if u == 0 || u == Unlimited {
		return v
	}
	return min(u, v)
}

// end returns the end of the range at which a result saturates.
func end(negative bool) USD {
	if negative {
		return infinite
	}
	return Unlimited
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}
