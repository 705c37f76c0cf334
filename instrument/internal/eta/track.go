// Package eta estimates how long work that is under way still takes: from its own progress, and
// from how long the same work took before.
package eta

import (
	"math"
	"time"
)

// tau is the time constant of the recent rate. Half of an estimate follows that rate, half the
// average since the first report: the average alone notices a change of pace too late, the recent
// rate alone jumps.
const tau = 15 * time.Second

// patience is how long after the first report nothing is estimated from progress alone.
const patience = 2 * time.Second

// late is how long after a growth a report of less counts as an earlier report that arrives late:
// several workers that count together report in any order.
const late = time.Second

// A Track sums up the progress reports of one piece of work. Its zero value has none.
// It is a value, which [Track.Next] replaces, so that it can be shared without a lock.
type Track struct {
	first, last, grown time.Time
	from, done, total  float64
	rate, weight       float64 // of Done per second, not yet divided by its weight
	gap                float64 // seconds that usually pass between two growths
}

// Next returns the track after a report at a time. A report of less within a second of the last
// growth is late, and changes nothing. After that, work that goes backwards begins anew.
func (t Track) Next(at time.Time, done, total float64) Track {
	switch {
	case t.last.IsZero(), done < t.done && at.Sub(t.grown) >= late:
		return Track{first: at, last: at, grown: at, from: done, done: done, total: total}
	case done < t.done:
		return t
	}
	dt := at.Sub(t.last)
	if dt <= 0 { // two reports at one time: the limit of the formula below for dt → 0
		t.rate += (done - t.done) / tau.Seconds()
		t.done, t.total = done, total
		return t
	}
	t.decay(dt, (done-t.done)/dt.Seconds())
	if done > t.done {
		since := at.Sub(t.grown).Seconds()
		if t.gap == 0 {
			t.gap = since
		}
		t.gap += (since - t.gap) / 8
		t.grown = at
	}
	t.last, t.done, t.total = at, done, total
	return t
}

func (t *Track) decay(dt time.Duration, rate float64) {
	a := 1 - math.Exp(-dt.Seconds()/tau.Seconds())
	t.rate += a * (rate - t.rate)
	t.weight += a * (1 - t.weight)
}

// Fraction returns the fraction that is done, from 0 to 0.99 since only the end of the work makes
// it 1, or -1 while it is unknown.
func (t Track) Fraction() float64 {
	if !(t.total > 0) {
		return -1
	}
	return min(max(t.done/t.total, 0), 0.99)
}

// Grown returns when the work last grew, or when it was first reported.
func (t Track) Grown() time.Time { return t.grown }

// Stalled reports whether the work has not grown for five times as long as usual, and at least 10 s.
// Work that has reported nothing is not.
func (t Track) Stalled(now time.Time) bool {
	return !t.last.IsZero() && now.Sub(t.grown).Seconds() > max(10, 5*t.gap)
}

// left returns the seconds to go at the average rate and at the recent one. It returns false
// while progress alone gives no estimate.
func (t Track) left(now time.Time) (average, recent float64, ok bool) {
	elapsed := now.Sub(t.first)
	if !(t.total > 0) || t.weight == 0 || elapsed < patience || t.done <= t.from {
		return 0, 0, false
	}
	rest := max(t.total-t.done, 0)
	since := now.Sub(t.last)
	gone := 0.0 // between reports the time goes on
	if since.Seconds() < max(1, 3*t.gap) {
		elapsed, gone = elapsed-since, since.Seconds()
	} else { // the next report is overdue
		t.decay(since, 0)
	}
	average = max(rest/((t.done-t.from)/elapsed.Seconds())-gone, 0)
	recent = max(rest/(t.rate/t.weight)-gone, 0)
	return average, recent, finite(average) && finite(recent)
}

func finite(seconds float64) bool {
	return seconds >= 0 && seconds < longest/float64(time.Second)
}
