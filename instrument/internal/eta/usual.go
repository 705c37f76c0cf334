package eta

import (
	"slices"
	"sync"
	"time"
)

// Kept is how many runs a [Usual] remembers.
const Kept = 64

// A Run is how long one run took that went well, and how long its video was; 0 if unknown.
type Run struct{ Took, Video time.Duration }

// A Usual remembers how long the newest runs of one stage took. Its zero value remembers none. It is
// safe for concurrent use.
type Usual struct {
	mu   sync.Mutex
	runs []Run // a ring
	next int
}

// Add remembers a run. It allocates while there are fewer than [Kept].
func (u *Usual) Add(r Run) {
	if r.Took < 0 || r.Video < 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.runs) < Kept {
		u.runs = append(u.runs, r)
		return
	}
	u.runs[u.next] = r
	u.next = (u.next + 1) % Kept
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

// Of returns how long a run with a video of a length usually takes, which has taken so much already.
// If that length and those of earlier videos are known, it is in proportion to them.
func (u *Usual) Of(video, taken time.Duration) Times {
	u.mu.Lock()
	times := make([]float64, 0, Kept)
	scaled := false
	if video > 0 {
		for _, r := range u.runs {
			if r.Video > 0 {
				times = append(times, float64(r.Took)/float64(r.Video)*float64(video))
			}
		}
		scaled = len(times) > 0
	}
	if !scaled {
		for _, r := range u.runs {
			times = append(times, float64(r.Took))
		}
	}
	u.mu.Unlock()
	if len(times) == 0 {
		return Times{}
	}
	slices.Sort(times)
	shorter, _ := slices.BinarySearch(times, float64(taken))
	return Times{N: len(times), Shorter: shorter, Scaled: scaled, P50: quantile(times, 0.5), P90: quantile(times, 0.9), P95: quantile(times, 0.95)}
}

// quantile returns a quantile of sorted values, between the two nearest ranks.
func quantile(sorted []float64, q float64) time.Duration {
	at := q * float64(len(sorted)-1)
	i := int(at)
	v := sorted[i]
	if i+1 < len(sorted) {
		v += (at - float64(i)) * (sorted[i+1] - v)
	}
	if !(v < float64(1<<62)) {
		return 1 << 62
	}
	return time.Duration(v)
}

// enough is how many earlier runs tell that one takes too long.
const enough = 8

// Overdue returns after how long a run takes longer than usual, or 0 if too few runs are known to
// tell: 1.5 times the median, or the 95th percentile if that is more, and at least 10 s.
func (t Times) Overdue() time.Duration {
	if t.N < enough {
		return 0
	}
	return max(t.P95, t.P50+t.P50/2, 10*time.Second)
}
