package money

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// USD is an amount of US dollars in nano-dollars: whole numbers, so that sums are exact and a
// budget that many goroutines spend can be strict. The range is about ±9.2 billion dollars.
//
// Write amounts as multiples (2*Dollar, 25*Cent), read them from a float with [Dollars] or from
// text with [ParseUSD], and derive them from a published price with [PerMillion], [PerMinute] and
// the other constructors of a [Rate].
//
// USD is an int64, like time.Duration. Plain + and * of amounts that are not constants wrap around
// at the end of the range, and make an ordinary amount of one that is none. Use [Sum], [Mul] and
// [Total], which do neither. Negative amounts are differences, such as what is left of an overspent
// budget; nothing books them.
type USD int64

// Units of money.
const (
	Nano   USD = 1
	Cent   USD = 10_000_000
	Dollar USD = 1_000_000_000
)

// Unlimited is the limit of a budget that refuses nothing. It is not the same as a limit of 0,
// which refuses every call.
const Unlimited USD = math.MaxInt64

// Dollars returns one of these for a float that is no amount. Both are negative, so nothing books
// them, and Validate can still say which it was. They are below every amount and Unlimited is above,
// so that a sum that has saturated at infinite or Unlimited still compares right.
const (
	notANumber USD = math.MinInt64
	infinite   USD = math.MinInt64 + 1
)

// Dollars converts a float of dollars to the nearest nano-dollar. NaN, infinities and amounts
// beyond the range of USD become an amount that [USD.Validate] refuses.
func Dollars(f float64) USD {
	switch nano := math.Round(f * float64(Dollar)); {
	case math.IsNaN(f):
		return notANumber
	case nano >= math.MaxInt64 || nano <= -math.MaxInt64:
		return infinite
	default:
		return USD(nano)
	}
}

// Float64 returns the amount in dollars, the unit in which it is exported.
func (u USD) Float64() float64 {
	switch u {
	case notANumber:
		return math.NaN()
	case infinite:
		return math.Inf(1)
	}
	return float64(u) / float64(Dollar)
}

// String returns the amount in dollars with at least two decimals and no more than it needs: $2.00,
// $0.006, -$1.50.
func (u USD) String() string {
	switch u {
	case notANumber:
		return "$NaN"
	case infinite:
		return "$Inf"
	case Unlimited:
		return "unlimited"
	}
	return string(u.append(nil, "$"))
}

func (u USD) append(b []byte, currency string) []byte {
	n := uint64(u)
	if u < 0 {
		b, n = append(b, '-'), -n
	}
	b = append(b, currency...)
	b = strconv.AppendUint(b, n/uint64(Dollar), 10)
	frac := fmt.Sprintf("%09d", n%uint64(Dollar))
	frac = frac[:2] + strings.TrimRight(frac[2:], "0")
	return append(append(b, '.'), frac...)
}

// ParseUSD reads a decimal amount of dollars such as "2", "0.25", "$1.50" or "unlimited". It is
// exact: more than nine decimals, an exponent, a negative amount and one beyond the range are
// errors.
func ParseUSD(s string) (USD, error) {
	if s == "unlimited" {
		return Unlimited, nil
	}
	whole, frac, point := strings.Cut(strings.TrimPrefix(s, "$"), ".")
	if !digits(whole) || point && (!digits(frac) || len(frac) > 9) {
		return 0, fmt.Errorf("money: %q is not an amount of dollars such as 2, 0.25 or $1.50, with up to nine decimals", s)
	}
	dollars, err := strconv.ParseInt(whole, 10, 64)
	nano, _ := strconv.ParseInt((frac + "000000000")[:9], 10, 64)
	if err != nil || dollars > int64(Unlimited/Dollar) || USD(nano) >= Unlimited-USD(dollars)*Dollar {
		return 0, fmt.Errorf("money: %q is more than an amount of dollars can hold (%s)", s, Unlimited-1)
	}
	return USD(dollars)*Dollar + USD(nano), nil
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// MarshalText writes the amount as [ParseUSD] reads it, without a currency sign. With
// [USD.UnmarshalText] a USD serves as a flag (flag.TextVar) and as a field in JSON or YAML. A
// negative amount is written with its sign, which ParseUSD does not read.
func (u USD) MarshalText() ([]byte, error) {
	if u == Unlimited {
		return []byte("unlimited"), nil
	}
	if u == notANumber || u == infinite {
		return nil, errors.New("money: not an amount of dollars: " + u.String())
	}
	return u.append(nil, ""), nil
}

// UnmarshalText reads the amount as [ParseUSD] does.
func (u *USD) UnmarshalText(text []byte) error {
	v, err := ParseUSD(string(text))
	if err != nil {
		return err
	}
	*u = v
	return nil
}

// What [USD.Validate] returns.
var (
	ErrNaN      = errors.New("not a number")
	ErrInfinite = errors.New("beyond the range of an amount")
	ErrNegative = errors.New("negative")
)

// Validate returns nil for an amount that can be booked: 0 or more, and less than [Unlimited]. Else
// it returns [ErrNaN], [ErrInfinite] or [ErrNegative] itself. It does not allocate.
func (u USD) Validate() error {
	switch {
	case u == notANumber:
		return ErrNaN
	case u == infinite || u == Unlimited:
		return ErrInfinite
	case u < 0:
		return ErrNegative
	}
	return nil
}
