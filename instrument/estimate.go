package instrument

import (
	"math"
	"time"

	"github.com/stagemeter/stagemeter/instrument/internal/eta"
)

// An Estimate says how far work under way is, and how long it still takes.
type Estimate struct {
	Fraction float64 // that is done: 0 to 0.99, since all is done only at the end; -1: unknown
	// Left is how long it still takes, most likely; in about eight of ten cases it takes at least
	// Least and at most Most. All are -1 while nothing tells.
	Left, Least, Most time.Duration
	Runs              int  // earlier runs that it rests on; 0: its own progress alone
	Scaled            bool // in proportion to the length of the video
}

// A Usual is how long earlier runs of a stage took that went well; see [WithStageTimes].
type Usual struct {
	Runs          int  // that it is taken from: 1 to 64
	Shorter       int  // of them, those that took less time than this one has taken
	Scaled        bool // in proportion to the length of the video
	P50, P90, P95 time.Duration
}

var unknownEstimate = Estimate{Fraction: -1, Left: -1, Least: -1, Most: -1}

// state returns the stage as a snapshot shows it, and adds what is new
// of it to all. The lock of the details is held.
func (e *keptStage) state(now time.Time, video time.Duration, all []news) (StageState, []news) {
	s := e.StageState
	if e.hasVideo {
		video = e.video
	}
	end := now
	if !s.End.IsZero() {
		end = s.End
	}
	took := end.Sub(s.Start)
	times := e.handle.usual.Of(video, took)
	if times.N > 0 {
		s.Usual = &Usual{Runs: times.N, Shorter: times.Shorter, Scaled: times.Scaled, P50: times.P50, P90: times.P90, P95: times.P95}
	}
	if e.from == nil {
		s.Progress = copied(s.Progress)
		return s, all
	}
	late := times.Overdue()
	s.Overdue = late > 0 && took > late
	var track eta.Track
	if r := e.from.scope.rare.reported(); r != nil {
		track, s.Progress = r.track, r.copied()
		if track.Stalled(now) {
			s.Stalled = track.Grown()
		}
	}
	s.Estimate = estimate(now, took, track, times)
	if !s.Stalled.Equal(e.toldStalled) {
		if e.toldStalled = s.Stalled; !s.Stalled.IsZero() {
			all = append(all, news{of: e.from, state: s})
		}
	}
	if s.Overdue && !e.toldOverdue {
		e.toldOverdue = true
		all = append(all, news{of: e.from, state: s, overdue: true})
	}
	return s, all
}

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

// estimate returns the estimate for a job whose stages are in s: the longest rest of those under
// way, and what the declared stages usually take that have not begun.
func (j *Job) estimate(now time.Time, s *JobState) *Estimate {
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
	declared := j.scope.p.declared
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
		r := j.scope.rare.reported()
		if r == nil {
			return nil
		}
		return estimate(now, took, r.track, eta.Times{})
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

// neverFalls keeps the largest fraction that a job was shown with.
func (d *details) neverFalls(e *Estimate) {
	if d == nil || e == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if e.Fraction >= 0 {
		d.fraction = max(d.fraction, e.Fraction)
		e.Fraction = d.fraction
	}
}

// plus returns the sum of two lengths, or the longest one if that is more.
func plus(a, b time.Duration) time.Duration {
	if sum := a + b; sum >= a {
		return sum
	}
	return math.MaxInt64
}
