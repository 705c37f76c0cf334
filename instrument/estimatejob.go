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
// way, and the usual times of the declared stages to come. own is the last report of the job
// itself, outside of any stage, or nil. It counts if the stages give no estimate, or none is
// declared.
func (p *Pipeline) estimateJob(now time.Time, s *JobState, own *progressReport) *Estimate {
	sum := jobEstimate{e: Estimate{Scaled: true}}
	seen := sum.addUnderWay(s.Stages)
	sum.addDeclared(p, s.Video, seen)
	took := now.Sub(s.Start)
	var byOwn *Estimate
	if own != nil {
		byOwn = estimate(now, took, own.track, eta.Times{})
	}
	switch byStages := sum.known && !sum.unsure; {
	case byStages && (sum.parts > 0 || byOwn == nil):
		sum.e.Fraction = eta.Share(took, sum.e.Left)
		sum.e.Scaled = sum.e.Scaled && sum.e.Runs > 0
		return &sum.e
	case byOwn != nil:
		return byOwn
	case sum.parts > 0 && len(s.Stages) > 0:
		e := unknownEstimate
		e.Fraction = min(sum.share/float64(sum.parts), 0.99)
		return &e
	}
	return nil
}

// A jobEstimate adds up the estimate for a job.
type jobEstimate struct {
	e      Estimate
	known  bool    // some part has an estimate
	unsure bool    // some part that is under way or to come has none
	parts  int     // declared stages
	share  float64 // how many of them are done, with fractions
}

// seenStage sums up the stages of one name that are not inside of others.
type seenStage struct {
	begun    bool
	underWay bool
	well     bool    // the last one ended without an error
	share    float64 // the least fraction of those under way
	inner    bool    // some of this name are inside of others
}

// addUnderWay adds the longest rest of the stages under way, and returns what all stages have come
// to, by name.
func (sum *jobEstimate) addUnderWay(stages []StageState) map[string]*seenStage {
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
			sum.unsure = true
		} else {
			sum.known = true
			sum.e.Left, sum.e.Least, sum.e.Most = max(sum.e.Left, at.Left), max(sum.e.Least, at.Least), max(sum.e.Most, at.Most)
			sum.e.restsOn(at.Runs, at.Scaled)
		}
		if at == nil {
			seen.share = 0
		} else {
			seen.share = min(seen.share, max(at.Fraction, 0))
		}
	}
	return all
}

// addDeclared adds the declared stages to come: those after the last one that has begun, and those
// that failed. Stages before it that have not begun count as skipped. A stage that runs inside of
// others is a part of them.
func (sum *jobEstimate) addDeclared(p *Pipeline, video time.Duration, all map[string]*seenStage) {
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
		sum.parts++
		switch {
		case seen.underWay:
			sum.share += seen.share
		case passed || seen.well:
			sum.share++
		default:
			sum.addToCome(h.usual.Of(video, 0), p.completed.Load())
		}
		passed = passed || seen.begun
	}
}

// addToCome adds the usual time of a stage. Once a job has completed, a stage without earlier runs
// is taken for one that jobs skip.
func (sum *jobEstimate) addToCome(t eta.Times, completed bool) {
	if t.N == 0 {
		sum.unsure = sum.unsure || !completed
		return
	}
	sum.known = true
	rest := t.Rest(0)
	sum.e.Left, sum.e.Least, sum.e.Most = plus(sum.e.Left, rest.Left), plus(sum.e.Least, rest.Least), plus(sum.e.Most, rest.Most)
	sum.e.restsOn(t.N, t.Scaled)
}

// restsOn notes the earlier runs that a part of the estimate rests on.
func (e *Estimate) restsOn(runs int, scaled bool) {
	switch {
	case runs == 0:
		return
	case e.Runs == 0:
		e.Runs = runs
	}
	e.Runs, e.Scaled = min(e.Runs, runs), e.Scaled && scaled
}
