package eta

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Kept is how many runs a [Usual] remembers.
const Kept = 64

// A Run is how long one successful run took, and how long its video was; 0 if unknown.
type Run struct{ Took, Video time.Duration }

// A Usual remembers how long the newest runs of one stage took. Its zero value remembers none. It is
// safe for concurrent use.
type Usual struct {
	mu   sync.Mutex
	runs []Run // a ring
	next int

	// The runs in order, made at the first need after an Add.
	sorted        bool
	times, ratios []float64 // nanoseconds; of the runs with a video, nanoseconds for each of its
}

// Add remembers a run. It allocates while there are fewer than [Kept].
func (u *Usual) Add(r Run) {
	if r.Took < 0 || r.Video < 0 {
		return
	}
	u.mu.Lock()
	u.sorted = false
	if len(u.runs) < Kept {
		u.runs = append(u.runs, r)
	} else {
		u.runs[u.next] = r
		u.next = (u.next + 1) % Kept
	}
	u.mu.Unlock()
}

// Runs returns what is remembered, the oldest first.
func (u *Usual) Runs() []Run {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Concat(u.runs[u.next:], u.runs[:u.next])
}

// Times are how long earlier runs took. N is 0 if there were none.
type Times struct {
	N             int  // of the runs that they are taken from
	Shorter       int  // of them, those that took less time than the run under way has taken
	Scaled        bool // in proportion to the length of the video
	P50, P90, P95 time.Duration
}

// Of returns how long a run with a video of this length usually takes. Shorter compares with taken,
// the time that the run has taken so far. If the lengths of this video and of earlier ones are
// known, the times are in proportion to them.
func (u *Usual) Of(video, taken time.Duration) Times {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.sort()
	list, unit := u.times, 1.0
	scaled := video > 0 && len(u.ratios) > 0
	if scaled {
		list, unit = u.ratios, float64(video)
	}
	if len(list) == 0 {
		return Times{}
	}
	shorter, _ := slices.BinarySearchFunc(list, float64(taken), func(run, taken float64) int { return cmp.Compare(run*unit, taken) })
	at := func(q float64) time.Duration { return quantile(list, q, unit) }
	return Times{N: len(list), Shorter: shorter, Scaled: scaled, P50: at(0.5), P90: at(0.9), P95: at(0.95)}
}

// sort puts the runs in order. A snapshot asks for each stage, and runs are added rarely.
func (u *Usual) sort() {
	if u.sorted {
		return
	}
	u.sorted, u.times, u.ratios = true, u.times[:0], u.ratios[:0]
	for _, r := range u.runs {
		u.times = append(u.times, float64(r.Took))
		if r.Video > 0 {
			u.ratios = append(u.ratios, float64(r.Took)/float64(r.Video))
		}
	}
	slices.Sort(u.times)
	slices.Sort(u.ratios)
}

// longest is the longest time that is returned, about 73 years. Three of them still fit a Duration.
const longest = 1 << 61

// quantile returns a quantile of sorted values, times unit. It interpolates between the nearest
// ranks.
func quantile(sorted []float64, q, unit float64) time.Duration {
	at := q * float64(len(sorted)-1)
	i := int(at)
	v := sorted[i]
	if i+1 < len(sorted) {
		v += (at - float64(i)) * (sorted[i+1] - v)
	}
	if v *= unit; !(v < longest) {
		return longest
	}
	return time.Duration(v)
}

// enough is the number of earlier runs without which none is overdue.
const enough = 8

// Overdue returns the time after which a run is overdue, or 0 if too few earlier runs are known:
// 1.5 times the median, or the 95th percentile if that is more, and at least 10 s.
func (t Times) Overdue() time.Duration {
	if t.N < enough {
		return 0
	}
	return max(t.P95, t.P50+t.P50/2, 10*time.Second)
}
