package instrument

import (
	"math"
	"time"

	"github.com/stagemeter/stagemeter/instrument/internal/eta"
)

var unknownEstimate = Estimate{Fraction: -1, Left: -1, Least: -1, Most: -1}

// estimate returns the estimate for a part of the work, or nil if nothing is known.
func estimate(now time.Time, took time.Duration, track eta.Track, times eta.Times) *Estimate {
	e := unknownEstimate
	e.Fraction = track.Fraction()
	left, known := eta.Of(now, took, track, times)
	if known {
		e.Left, e.Least, e.Most = left.Left, left.Least, left.Most
		if left.ByUsual {
			e.Runs, e.Scaled = times.N, times.Scaled
		}
		if e.Fraction < 0 {
			e.Fraction = eta.Share(took, left.Left)
		}
	}
	if !known && e.Fraction < 0 {
		return nil
	}
	return &e
}

// notBelow makes the fraction at least the one that was shown before, and returns what is shown then.
// An unknown fraction stays unknown, and a nil Estimate has none.
func (e *Estimate) notBelow(before float64) float64 {
	if e == nil || e.Fraction < 0 {
		return before
	}
	e.Fraction = max(e.Fraction, before)
	return e.Fraction
}

// plus returns the sum of two lengths, or the longest one if that is more.
func plus(a, b time.Duration) time.Duration {
	if sum := a + b; sum >= a {
		return sum
	}
	return math.MaxInt64
}
