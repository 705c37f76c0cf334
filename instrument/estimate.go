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
		e.Runs, e.Scaled = times.N, times.Scaled
		if e.Fraction < 0 {
			e.Fraction = eta.Share(took, left.Left)
		}
	}
	if !known && e.Fraction < 0 {
		return nil
	}
	return &e
}

// estimateJob returns the estimate for a job whose stages are in s: the longest rest of those under
// way, and what the declared stages usually take that have not begun. own is what the job itself has
// reported, or nil.
func estimateJob(now time.Time, s *JobState, declared []*stageHandle, own *progressReport) *Estimate {
	e, known := Estimate{Scaled: true}, false
	begun := make(map[string]bool, len(s.Stages))
	share := 0.0 // of the declared stages
	unsure := false
	for i := range s.Stages {
		stage := &s.Stages[i]
		begun[stage.Name] = true
		switch at := stage.Estimate; {
		case stage.Depth > 0 || !stage.End.IsZero():
		case at == nil || at.Left < 0:
			unsure = true
			if at != nil {
				share += at.Fraction
			}
		default:
			known = true
			share += at.Fraction
			e.Left, e.Least, e.Most = max(e.Left, at.Left), max(e.Least, at.Least), max(e.Most, at.Most)
			e.rest(at.Runs, at.Scaled)
		}
	}
	for _, h := range declared {
		if begun[h.name] {
			continue
		}
		if t := h.usual.Of(s.Video, 0); t.N > 0 {
			known = true
			rest := t.Rest(0)
			e.Left, e.Least, e.Most = plus(e.Left, rest.Left), plus(e.Least, rest.Least), plus(e.Most, rest.Most)
			e.rest(t.N, t.Scaled)
		}
	}
	took := now.Sub(s.Start)
	switch {
	case known && !unsure:
		e.Fraction = eta.Share(took, e.Left)
	case len(begun) == 0:
		if own == nil {
			return nil
		}
		return estimate(now, took, own.track, eta.Times{})
	case len(declared) > 0:
		e = unknownEstimate
		for _, h := range declared {
			if begun[h.name] && !underWay(s.Stages, h.name) {
				share++
			}
		}
		e.Fraction = min(share/float64(len(declared)), 0.99)
	default:
		return nil
	}
	return &e
}

// rest takes note of the runs that a part of the estimate rests on.
func (e *Estimate) rest(runs int, scaled bool) {
	switch {
	case runs == 0:
		return
	case e.Runs == 0:
		e.Runs = runs
	}
	e.Runs, e.Scaled = min(e.Runs, runs), e.Scaled && scaled
}

func underWay(stages []StageState, name string) bool {
	for i := range stages {
		if stages[i].Name == name && stages[i].End.IsZero() {
			return true
		}
	}
	return false
}

// plus returns the sum of two lengths, or the longest one if that is more.
func plus(a, b time.Duration) time.Duration {
	if sum := a + b; sum >= a {
		return sum
	}
	return math.MaxInt64
}
