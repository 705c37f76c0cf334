package livepage

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

const (
	sentJobs   = 100 // of live ones, and of finished ones
	sentFaults = 20
	sentOthers = 100 // processes, pools, APIs, notices
)

// A builder makes the JSON of snapshots of a pipeline. It is copied for each snapshot.
type builder struct {
	redact func(string) string  // of ids; nil: as they are
	report func(problem string) // of a problem with redact
	match  string               // only matching jobs are listed; "": all
	most   int                  // at most this many live jobs are listed, and finished ones; 0: sentJobs
	ids    map[string]string    // what redact has returned for this snapshot
}

// hidden is shown for an id that redact returns nothing for.
const hidden = "hidden"

// id returns an id as it is shown.
func (b *builder) id(id string) string {
	if b.redact == nil {
		return id
	}
	shown, ok := b.ids[id]
	if ok {
		return shown
	}
	if !contained(func() { shown = b.redact(id) }) {
		b.report("the function of WithRedact panicked or called runtime.Goexit: ids are hidden")
	}
	shown = cmp.Or(shown, hidden)
	if b.ids == nil {
		b.ids = make(map[string]string)
	}
	b.ids[id] = shown
	return shown
}

// build makes the part of a snapshot that comes from the pipeline.
func (b *builder) build(s instrument.Snapshot) snapshot {
	out := snapshot{
		V: version, Now: ms(s.Time), Stages: append([]string{}, s.Stages...), Running: s.LiveJobs, Kept: s.EndedJobs, Forgotten: ms(s.Forgotten),
		Jobs: []job{}, Finished: []job{}, Processes: []process{}, Attention: b.attention(s),
		APIs: apis(s.APIs), Pools: pools(s.Pools), Errors: faults(s),
		Hour: hourOf(s), Spent: spentOn(s.APIs), Budget: budgetOf(s), Highlight: highlights(s.Ended),
	}
	most := cmp.Or(b.most, sentJobs)
	for _, j := range neediest(b.matching(s.Live), most) {
		out.Jobs = append(out.Jobs, b.job(j, s.Time))
	}
	for _, j := range atMost(b.matching(s.Ended), most) {
		out.Finished = append(out.Finished, b.job(j, s.Time))
	}
	for _, j := range s.Live {
		for _, p := range atMost(j.Processes, sentOthers-len(out.Processes)) {
			out.Processes = append(out.Processes, b.process(j, p))
		}
	}
	if len(out.Errors) > 0 {
		out.Hour.TopError = &out.Errors[0]
	}
	return out
}

// matching returns the jobs whose id, as it is shown, or the name of one of whose stages contains
// b.match, in any case.
func (b *builder) matching(jobs []instrument.JobState) []instrument.JobState {
	if b.match == "" {
		return jobs
	}
	match := strings.ToLower(b.match)
	has := func(text string) bool { return strings.Contains(strings.ToLower(text), match) }
	var found []instrument.JobState
	for _, j := range jobs {
		if has(b.id(j.ID)) || slices.ContainsFunc(j.Stages, func(s instrument.StageState) bool { return has(s.Name) }) {
			found = append(found, j)
		}
	}
	return found
}

// neediest returns n jobs in the order of their starts: those that need a look before the others,
// and of the others the oldest.
func neediest(jobs []instrument.JobState, n int) []instrument.JobState {
	jobs = slices.Clone(jobs)
	slices.SortStableFunc(jobs, func(x, y instrument.JobState) int { return cmp.Compare(need(y), need(x)) })
	jobs = atMost(jobs, n)
	slices.SortStableFunc(jobs, func(x, y instrument.JobState) int { return x.Start.Compare(y.Start) })
	return jobs
}

func atMost[E any](list []E, n int) []E { return list[:min(len(list), n)] }

// need returns how urgently a job needs a look: 0 is not at all.
func need(j instrument.JobState) int {
	n := 0
	for i := range j.Stages {
		if !j.Stages[i].Stalled.IsZero() {
			return 4
		}
		if j.Stages[i].Overdue {
			n = 3
		}
	}
	switch {
	case n > 0:
	case over(j.Budget):
		n = 2
	case limited(j.Budget) && j.Budget.Spent.Float64() > 0.8*j.Budget.Limit.Float64(): // as the page's filter has it
		n = 1
	}
	return n
}

func over(b *instrument.BudgetState) bool { return limited(b) && b.Spent > b.Limit }

func limited(b *instrument.BudgetState) bool { return b != nil && b.Limit != instrument.Unlimited }

func (b *builder) job(j instrument.JobState, now time.Time) job {
	out := job{
		Run: run(j.Run), ID: b.id(j.ID), Type: j.Type, Attempt: j.Attempt, MaxAttempts: j.MaxAttempts, Trace: j.TraceID,
		Start: ms(j.Start), End: ms(j.End), Video: j.Video.Milliseconds(),
		Spent: spent(j.Cost, j.Unpriced), Unpriced: j.Unpriced,
		Stages: []stage{}, MoreStages: j.MoreStages, Calls: []call{}, MoreCalls: j.MoreCalls,
		MoreErrors: j.MoreErrors, Quality: qualityOf(j.Quality),
	}
	if !j.End.IsZero() {
		out.Status, out.Error = cmp.Or(string(j.Outcome.Status), string(j.Outcome.Attempt)), j.Outcome.ErrorType
	}
	out.Progress, out.ETA = estimate(j.Estimate)
	if u := j.Budget; limited(u) {
		out.Budget = &budget{Limit: amount(u.Limit), Spent: amount(u.Spent), Held: amount(u.Held), Unconfirmed: amount(u.Unconfirmed)}
	}
	for i := range j.Stages {
		s := &j.Stages[i]
		out.Stages = append(out.Stages, stageOf(s))
		if !s.Stalled.IsZero() && (out.Stalled == 0 || ms(s.Stalled) < out.Stalled) {
			out.Stalled = ms(s.Stalled)
		}
		if s.Overdue {
			out.Overdue = max(out.Overdue, timesUsual(s, now))
		}
	}
	for _, c := range j.Calls {
		out.Calls = append(out.Calls, callOf(c))
	}
	for _, e := range j.Errors {
		out.Errors = append(out.Errors, fault{Type: e.ErrorType, Stage: e.Stage, Count: e.Count, Last: ms(e.Last)})
	}
	return out
}

// timesUsual returns how long a stage under way has taken, in multiples of its usual length. A
// usual length below a millisecond counts as one.
func timesUsual(s *instrument.StageState, now time.Time) float64 {
	usual := max(s.Usual.P50, time.Millisecond)
	return math.Round(100*float64(now.Sub(s.Start))/float64(usual)) / 100
}

func stageOf(s *instrument.StageState) stage {
	out := stage{Name: s.Name, Depth: s.Depth, Start: ms(s.Start), End: ms(s.End), Error: s.ErrorType, Stalled: ms(s.Stalled), Overdue: s.Overdue}
	out.Progress, out.ETA = estimate(s.Estimate)
	if s.Progress != nil {
		out.Speed = s.Progress.Speed
	}
	if u := s.Usual; u != nil {
		out.Usual = &usual{P50: u.P50.Milliseconds(), P90: u.P90.Milliseconds(), Runs: u.Runs, Shorter: u.Shorter, Scaled: u.Scaled}
	}
	return out
}

func callOf(c instrument.CallState) call {
	out := call{API: c.API, Stage: c.Stage, Start: ms(c.Start), End: ms(c.End), Unpriced: c.Unpriced, Error: c.ErrorType}
	if c.MaxCost > 0 {
		most := amount(c.MaxCost)
		out.Most = &most
	}
	if !c.End.IsZero() && c.Unpriced == "" {
		cost := amount(c.Cost)
		out.Cost = &cost
	}
	return out
}

func estimate(e *instrument.Estimate) (progress *float64, left *eta) {
	if e == nil {
		return nil, nil
	}
	if e.Fraction >= 0 {
		f := math.Round(e.Fraction*1e4) / 1e4
		progress = &f
	}
	if e.Left >= 0 {
		left = &eta{Left: e.Left.Milliseconds(), Least: e.Least.Milliseconds(), Most: e.Most.Milliseconds(), Runs: e.Runs, Scaled: e.Scaled}
	}
	return progress, left
}

// qualityOf returns the quality values of a job, or nil if there are none. Of several loudness
// spreads it has the last.
func qualityOf(q instrument.QualityState) *quality {
	var out quality
	known := false
	last := func(list []instrument.LU) *float64 {
		if len(list) == 0 {
			return nil
		}
		known = true
		v := float64(list[len(list)-1])
		return &v
	}
	out.Before, out.After = last(q.LoudnessBefore), last(q.LoudnessAfter)
	if q.Segments >= 0 {
		known, out.Segments = true, &q.Segments
	}
	if len(q.Highlights) > 0 {
		best := slices.Max(q.Highlights)
		known, out.Best, out.Highlights = true, &best, q.Highlights[:min(len(q.Highlights), sentOthers)]
	}
	if !known {
		return nil
	}
	return &out
}

func pools(all []instrument.PoolState) []pool {
	out := []pool{}
	for _, p := range atMost(all, sentOthers) {
		out = append(out, pool{Kind: p.Kind.String(), Name: p.Name, Used: p.Used, Idle: p.Idle, Max: p.Max})
	}
	return out
}

func run(n uint64) string { return strconv.FormatUint(n, 10) }

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
