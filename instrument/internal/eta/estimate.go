package eta

import "time"

// An Estimate is how long work under way still takes.
type Estimate struct {
	Left        time.Duration // most likely
	Least, Most time.Duration // about eight of ten runs end between them
	ByUsual     bool          // earlier runs are a part of it
}

// lead is the fraction of the work below which earlier runs are a part of the estimate.
const lead = 0.3

// Of returns the estimate for work that has run for some time, from its progress and from how long
// earlier runs took. It returns false while neither is known, and while the work is stalled.
func Of(now time.Time, elapsed time.Duration, t Track, usual Times) (Estimate, bool) {
	if t.Stalled(now) {
		return Estimate{}, false
	}
	average, recent, progresses := t.left(now)
	known := usual.N > 0
	switch {
	case !progresses && !known:
		return Estimate{}, false
	case !progresses:
		return usual.Rest(elapsed), true
	}
	e := Estimate{Left: span((average + recent) / 2), Least: span(0.8 * min(average, recent)), Most: span(1.25 * max(average, recent))}
	if f := t.Fraction(); known && f < lead {
		w := max(f, 0) / lead
		h := usual.Rest(elapsed)
		e = Estimate{Left: mix(e.Left, h.Left, w), Least: mix(e.Least, h.Least, w), Most: mix(e.Most, h.Most, w), ByUsual: true}
	}
	return e, true
}

// Rest returns how long a run that has taken elapsed still takes if it is like the earlier ones.
// For a run that has exceeded their median it stays at a twentieth of it.
func (t Times) Rest(elapsed time.Duration) Estimate {
	left := max(t.P50-elapsed, t.P50/20)
	return Estimate{Left: left, Least: min(left, max(t.P50-t.P50/4-elapsed, 0)), Most: max(t.P90-elapsed, left+left/4), ByUsual: true}
}

func mix(own, usual time.Duration, w float64) time.Duration {
	return time.Duration(w*float64(own) + (1-w)*float64(usual))
}

func span(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// Share returns the fraction that is done, from 0 to 0.99, of work that has taken this long and
// still takes left.
func Share(taken, left time.Duration) float64 {
	if taken <= 0 {
		return 0
	}
	return min(float64(taken)/(float64(taken)+float64(max(left, 0))), 0.99)
}
