package money

import (
	"math/big"
	"math/bits"
)

// A Term is a part of a price that has several, before it is rounded: the price of a number of
// units at a [Rate]. [Rate.Times] makes it. The zero Term has no price.
type Term struct {
	price  USD
	n, per int64
}

// Total returns the price that the terms add up to, computed exactly and rounded once, half a
// nano-dollar up:
//
//	money.Total(in.Times(79), out.Times(28), perSecond.Times(audio))
//
// The total does not depend on the order of the terms, and is 0 without terms. It does not allocate
// as long as the least common multiple of what the rates are per fits in 64 bits. All rates per
// million, character, second, minute and hour do together.
//
// A total beyond the range is [Unlimited]. A term with a negative price or number, or of 0 or less
// units, makes the total an amount that [USD.Validate] refuses as [ErrNaN]. A price that is no
// amount makes the total that price, as in [Sum].
func Total(terms ...Term) USD {
	var (
		special USD
		common  uint64 = 1 // the least common multiple; 0: more than 64 bits
		last    int64  = 1
	)
	for _, t := range terms {
		if s := t.special(); s != 0 {
			special = worse(special, s)
		} else if t.per != last {
			common, last = commonMultiple(common, uint64(t.per)), t.per
		}
	}
	if special != 0 {
		return special
	}
	if common == 0 {
		return totalBig(terms)
	}
	var whole, carry uint64   // nano-dollars
	var fracHi, fracLo uint64 // common parts of a nano-dollar; less than len(terms)·common
	for _, t := range terms {
		per := uint64(t.per)
		hi, lo := bits.Mul64(uint64(t.price), uint64(t.n))
		if hi >= per {
			return Unlimited
		}
		quo, rem := bits.Div64(hi, lo, per)
		if whole, carry = bits.Add64(whole, quo, 0); carry != 0 {
			return Unlimited
		}
		fracLo, carry = bits.Add64(fracLo, rem*(common/per), 0)
		fracHi += carry
	}
	// Each of fewer than 2⁶⁴ terms added less than common, so fracHi < common.
	quo, rem := bits.Div64(fracHi, fracLo, common)
	if rem >= common-rem {
		quo++
	}
	if whole, carry = bits.Add64(whole, quo, 0); carry != 0 || whole >= uint64(Unlimited) {
		return Unlimited
	}
	return USD(whole)
}

// special returns what a term that has no price makes of a total, or 0.
func (t Term) special() USD {
	switch {
	case t.price.special() && t.price != notANumber && t.n >= 0 && t.per > 0:
		return t.price
	case t.price < 0 || t.n < 0 || t.per <= 0:
		return notANumber
	}
	return 0
}

// commonMultiple returns the least common multiple of a and b, or 0 if it has more than 64 bits or
// a is 0.
func commonMultiple(a, b uint64) uint64 {
	if a == 0 {
		return 0
	}
	gcd, rem := b, a%b
	for rem != 0 {
		gcd, rem = rem, gcd%rem
	}
	hi, lo := bits.Mul64(a, b/gcd)
	if hi != 0 {
		return 0
	}
	return lo
}

// totalBig is Total of terms that have a price each, in numbers of any size.
func totalBig(terms []Term) USD {
	sum, term := new(big.Rat), new(big.Rat)
	n := new(big.Int)
	for _, t := range terms {
		n.Mul(n.SetInt64(int64(t.price)), big.NewInt(t.n))
		sum.Add(sum, term.SetFrac(n, big.NewInt(t.per)))
	}
	n.Lsh(sum.Num(), 1).Add(n, sum.Denom())
	n.Quo(n, new(big.Int).Lsh(sum.Denom(), 1)) // floor((2·num + denom) / 2·denom) rounds half up
	if n.Cmp(big.NewInt(int64(Unlimited))) >= 0 {
		return Unlimited
	}
	return USD(n.Int64())
}
