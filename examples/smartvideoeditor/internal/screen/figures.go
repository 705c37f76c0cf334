package screen

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

// The figures are written as the live page writes them. The tests read the page's own table of
// figures: exporters/livepage/testdata/figures.json.

// usd writes an amount, with more decimals the smaller it is.
func usd(amount instrument.USD) string {
	sign, nano := "", uint64(amount)
	if amount < 0 {
		sign, nano = "−", -nano
	}
	switch {
	case nano == 0:
		return "$0"
	case nano < 100_000:
		return sign + "<$0.0001"
	case nano >= 1e9:
		return sign + "$" + decimal(nano, 2)
	case nano >= 1e8:
		return sign + "$" + decimal(nano, 3)
	}
	return sign + "$" + decimal(nano, 4)
}

// decimal writes dollars with two decimals, and up to most if they are not 0.
func decimal(nano uint64, most int) string {
	unit := uint64(1)
	for range 9 - most {
		unit *= 10
	}
	nano = (nano + unit/2) / unit * unit
	text := fmt.Sprintf("%09d", nano%1e9)[:most]
	return count(nano/1e9) + "." + text[:2] + strings.TrimRight(text[2:], "0")
}

// length writes a length: 840 ms, 9.4 s, 42 s, 3 m 07 s, 2 h 05 m, 3 d 4 h. It is cut, not rounded.
func length(d time.Duration) string {
	d = max(d, 0)
	s, m, h := int64(d/time.Second), int64(d/time.Minute), int64(d/time.Hour)
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%d.%d s", s, d/(100*time.Millisecond)%10)
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case m < 60:
		return fmt.Sprintf("%d m %02d s", m, s%60)
	case h < 48:
		return fmt.Sprintf("%d h %02d m", h, m%60)
	}
	return fmt.Sprintf("%d d %d h", h/24, h%24)
}

// about writes an estimated length, rounded to what it is worth: 5 s below 90 s, 15 s below ten
// minutes, then a minute.
func about(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return "< 10 s"
	case d < 90*time.Second:
		return fmt.Sprintf("%d s", int64(d.Round(5*time.Second)/time.Second))
	case d < 10*time.Minute:
		d = d.Round(15 * time.Second)
	default:
		d = d.Round(time.Minute)
	}
	text := length(d)
	return strings.TrimSuffix(strings.TrimSuffix(text, " 00 s"), " 00 m")
}

// roughly is about, marked as an estimate.
func roughly(d time.Duration) string {
	text := about(d)
	if strings.HasPrefix(text, "<") {
		return text
	}
	return "≈ " + text
}

// percent writes a share in percent. Before the end it is at most 99 %. 0.57 is 57 %, not 56.99….
func percent(share float64) string {
	return fmt.Sprintf("%d %%", int(max(0, min(99, math.Floor(share*100+1e-9)))))
}

// many writes a number that is 0 or more and what it counts.
func many(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return count(uint64(n)) + " " + noun
}

// count writes a number in groups of three digits.
func count(n uint64) string {
	if n < 1000 {
		return strconv.FormatUint(n, 10)
	}
	return count(n/1000) + fmt.Sprintf(",%03d", n%1000)
}
