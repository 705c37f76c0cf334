// Package readable writes figures as the live page does: see exporters/livepage/page/format.js. The
// tests of both read the table exporters/livepage/testdata/figures.json.
package readable

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// None is written for a figure that does not exist.
const None = "–"

// Unpriced is written for an unknown cost, which is not $0.
const Unpriced = "unpriced"

// USD returns nano-dollars in dollars, with more decimals the smaller they are, or Unpriced for
// nil.
func USD[N ~int64](nano *N) string {
	if nano == nil {
		return Unpriced
	}
	sign, n := "", uint64(*nano)
	if *nano < 0 {
		sign, n = "−", -n
	}
	most := 4
	switch {
	case n == 0:
		return "$0"
	case n < 100_000:
		return sign + "<$0.0001"
	case n >= 1e9:
		most = 2
	case n >= 1e8:
		most = 3
	}
	unit := uint64(math.Pow10(9 - most))
	n = (n + unit/2) / unit
	perDollar := uint64(math.Pow10(most))
	cents := strconv.FormatUint(perDollar+n%perDollar, 10)[1:]
	for len(cents) > 2 && cents[len(cents)-1] == '0' {
		cents = cents[:len(cents)-1]
	}
	return sign + "$" + thousands(strconv.FormatUint(n/perDollar, 10)) + "." + cents
}

// Part returns a / b, at least 0, and 0 if b is not positive.
func Part[N ~int64](a, b N) float64 {
	if b <= 0 {
		return 0
	}
	return max(0, float64(a)/float64(b))
}

// Minus returns a − b, or the nearest amount that N can hold.
func Minus[N ~int64](a, b N) N {
	return saturated[N](new(big.Int).Sub(big.NewInt(int64(a)), big.NewInt(int64(b))))
}

// Plus returns a + b, or the nearest amount that N can hold.
func Plus[N ~int64](a, b N) N {
	return saturated[N](new(big.Int).Add(big.NewInt(int64(a)), big.NewInt(int64(b))))
}

func saturated[N ~int64](n *big.Int) N {
	switch {
	case n.IsInt64():
		return N(n.Int64())
	case n.Sign() < 0:
		return math.MinInt64
	default:
		return math.MaxInt64
	}
}

// Length returns milliseconds as 840 ms, 9.4 s, 42 s, 3 m 07 s, 2 h 05 m or 3 d 4 h. It is cut, not
// rounded: a second that is not over does not count.
func Length(ms int64) string {
	ms = max(ms, 0)
	s := ms / 1000
	switch {
	case ms < 1000:
		return whole(ms) + " ms"
	case ms < 10_000:
		return whole(s) + "." + whole(ms/100%10) + " s"
	case s < 60:
		return whole(s) + " s"
	case s < 3600:
		return whole(s/60) + " m " + two(s%60) + " s"
	case s < 48*3600:
		return whole(s/3600) + " h " + two(s/60%60) + " m"
	default:
		return whole(s/86400) + " d " + whole(s/3600%24) + " h"
	}
}

// About returns an estimated length, rounded to what it is worth: 5 s below 90 s, 15 s below ten
// minutes, then 1 m.
func About(ms int64) string {
	switch {
	case ms < 10_000:
		return "< 10 s"
	case ms < 90_000:
		return whole((ms+2500)/5000*5) + " s"
	}
	step := int64(60_000)
	if ms < 600_000 {
		step = 15_000
	}
	if ms > math.MaxInt64-step {
		ms = math.MaxInt64 - step
	}
	text := Length((ms + step/2) / step * step)
	for _, none := range []string{" 00 s", " 00 m"} {
		text = strings.TrimSuffix(text, none)
	}
	return text
}

// Roughly returns an estimate, marked as one.
func Roughly(ms int64) string {
	text := About(ms)
	if strings.HasPrefix(text, "<") {
		return text
	}
	return "≈ " + text
}

// Range returns the range of an estimate.
func Range(least, most int64) string {
	if About(least) == About(most) {
		return About(most)
	}
	return About(least) + " to " + About(most)
}

// Percent returns a share in percent. Before the end it is at most 99 %. 0.57 is 57 %, not 56.99….
func Percent(share float64) string {
	if math.IsNaN(share) {
		return None
	}
	return strconv.Itoa(int(max(0, min(99, math.Floor(share*100+1e-9))))) + " %"
}

// Times returns a speed, or a multiple of the usual: 13.2×.
func Times(n float64) string {
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return None
	}
	if n < 100 {
		return strings.Replace(strconv.FormatFloat(n, 'f', 1, 64), "-", "−", 1) + "×"
	}
	return thousands(strconv.FormatFloat(math.Floor(n+0.5), 'f', 0, 64)) + "×"
}

// Count returns a number with its thousands apart.
func Count(n int) string {
	if n < 0 {
		return "−" + thousands(strconv.FormatUint(-uint64(n), 10))
	}
	return thousands(strconv.Itoa(n))
}

// Many returns a number and what it counts: 1 call, 2 calls.
func Many(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Count(n) + " " + noun + "s"
}

func thousands(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func whole(n int64) string { return strconv.FormatInt(n, 10) }

func two(n int64) string { return strconv.FormatInt(100+n, 10)[1:] }
