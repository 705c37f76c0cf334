package instrument

import (
	"slices"
	"time"

	"github.com/stagemeter/stagemeter/instrument/internal/eta"
)

// estimate returns the estimate for a live run in this state. Its fraction never falls.
func (j *Job) estimate(s *JobState) *Estimate {
	e := j.scope.p.estimateJob(time.Now(), s, j.scope.rare.reported())
	j.details.neverFalls(e)
	return e
}

// estimateJob returns the estimate for a job whose stages are in s: the longest rest of those under
// way, and what the declared stages usually take that are to come. own is what the job itself has
// reported, outside of any stage, or nil; it tells where the stages do not, or none are declared.
func (p *Pipeline) estimateJob(now time.Time, s *JobState, own *progressReport) *Estimate {
	w := jobEstimate{e: Estimate{Scaled: true}}
	seen := w.addUnderWay(s.Stages)
	w.addDeclared(p, s.Video, seen)
	took := now.Sub(s.Start)
	var mine *Estimate
	if own != nil {
		mine = estimate(now, took, own.track, eta.Times{})
	}
	switch told := w.known && !w.unsure; {
	case told && (w.parts > 0 || mine == nil):
		w.e.Fraction = eta.Share(took, w.e.Left)
		w.e.Scaled = w.e.Scaled && w.e.Runs > 0
		return &w.e
	case mine != nil:
		return mine
	case w.parts > 0 && len(s.Stages) > 0:
		e := unknownEstimate
		e.Fraction = min(w.share/float64(w.parts), 0.99)
		return &e
	}
	return nil
}

// A jobEstimate adds up the estimate for a job.
type jobEstimate struct {
	e      Estimate
	known  bool    // about any part
	unsure bool    // about any part that is under way or to come
	parts  int     // declared stages
	share  float64 // of them that is done
}

// seenStage is what the stages of one name have come to that are not inside of others.
type seenStage struct {
	begun    bool
	underWay bool
	well     bool    // the last one has ended without an error
	share    float64 // of those under way, the least
	inner    bool    // there are some inside of others
}

// addUnderWay adds the longest rest of the stages under way, and returns what was seen of all, by
// name.
func (w *jobEstimate) addUnderWay(stages []StageState) map[string]*seenStage {
	all := make(map[string]*seenStage, len(stages))
	for i := range stages {
		stage := &stages[i]
		seen := all[stage.Name]
		if seen == nil {
			seen = &seenStage{share: 1}
			all[stage.Name] = seen
		}
		if stage.Depth > 0 {
			seen.inner = true
			continue
		}
		seen.begun = true
		if !stage.End.IsZero() {
			seen.well = stage.ErrorType == ""
			continue
		}
		seen.underWay = true
		at := stage.Estimate
		if at == nil || at.Left < 0 {
			w.unsure = true
		} else {
			w.known = true
			w.e.Left, w.e.Least, w.e.Most = max(w.e.Left, at.Left), max(w.e.Least, at.Least), max(w.e.Most, at.Most)
			w.e.rest(at.Runs, at.Scaled)
		}
		if at == nil {
			seen.share = 0
		} else {
			seen.share = min(seen.share, max(at.Fraction, 0))
		}
	}
	return all
}

// addDeclared adds the declared stages that are to come: those that have not ended well, after the
// last one that has begun. A job does without those before it that it has not begun. A stage that
// runs inside of others is a part of them.
func (w *jobEstimate) addDeclared(p *Pipeline, video time.Duration, all map[string]*seenStage) {
	passed := false
	for _, h := range slices.Backward(p.declared) {
		seen := all[h.name]
		if seen == nil {
			seen = &seenStage{}
		}
		if seen.begun || seen.inner {
			h.inner.Store(!seen.begun)
		}
		if h.inner.Load() {
			continue
		}
		w.parts++
		switch {
		case seen.underWay:
			w.share += seen.share
		case passed || seen.well:
			w.share++
		default:
			w.addToCome(h.usual.Of(video, 0), p.completed.Load())
		}
		passed = passed || seen.begun
	}
}

// addToCome adds what a stage usually takes. Once a job has completed, a stage without earlier runs
// is one that jobs do without.
func (w *jobEstimate) addToCome(t eta.Times, completed bool) {
	if t.N == 0 {
		w.unsure = w.unsure || !completed
		return
	}
	w.known = true
	rest := t.Rest(0)
	w.e.Left, w.e.Least, w.e.Most = plus(w.e.Left, rest.Left), plus(w.e.Least, rest.Least), plus(w.e.Most, rest.Most)
	w.e.rest(t.N, t.Scaled)
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
