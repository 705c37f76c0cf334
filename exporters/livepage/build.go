package livepage

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
)

const (
	sentJobs   = 100 // of live ones, and of finished ones
	sentFaults = 20
	sentOthers = 100 // processes, pools, APIs, notices
	buckets    = 30  // of the last hour
)

// A builder makes what is sent of what a pipeline says.
type builder struct {
	redact func(string) string // of ids; nil: as they are
}

func (b *builder) id(id string) string {
	if b.redact == nil {
		return id
	}
	return b.redact(id)
}

// build makes a snapshot, but for what does not come from the pipeline.
func (b *builder) build(s instrument.Snapshot) snapshot {
	out := snapshot{
		V: version, Now: ms(s.Time), Stages: s.Stages, Running: s.LiveJobs, Kept: s.EndedJobs,
		Jobs: []job{}, Finished: []job{}, Processes: []process{}, Attention: []notice{},
		APIs: b.apis(s.APIs), Pools: pools(s.Pools), Errors: []fault{},
	}
	live := slices.Clone(s.Live)
	slices.SortStableFunc(live, func(x, y instrument.JobState) int { return cmp.Compare(need(y), need(x)) })
	live = live[:min(len(live), sentJobs)]
	slices.SortStableFunc(live, func(x, y instrument.JobState) int { return x.Start.Compare(y.Start) })
	for _, j := range live {
		out.Jobs = append(out.Jobs, b.job(j, s.Time))
	}
	for _, j := range s.Live {
		out.Attention = append(out.Attention, b.notices(j, s.Time)...)
		out.Processes = append(out.Processes, b.processes(j)...)
		addBudget(&out.Budget, j.Budget)
	}
	out.Attention = out.Attention[:min(len(out.Attention), sentOthers)]
	out.Processes = out.Processes[:min(len(out.Processes), sentOthers)]
	if out.Budget != nil {
		for _, a := range s.APIs {
			out.Budget.Refused += a.Refused
		}
	}
	for _, j := range s.Ended[:min(len(s.Ended), sentJobs)] {
		out.Finished = append(out.Finished, b.job(j, s.Time))
	}
	out.Hour = hourOf(s)
	out.Errors = faults(s)
	out.Hour.TopError = top(s)
	out.Highlight = highlights(s.Ended)
	return out
}

// need says how urgently a job needs a look.
func need(j instrument.JobState) int {
	n := 0
	for i := range j.Stages {
		if !j.Stages[i].Stalled.IsZero() {
			n = max(n, 3)
		}
		if j.Stages[i].Overdue {
			n = max(n, 2)
		}
	}
	if over(j.Budget) {
		n = max(n, 1)
	}
	return n
}

func over(b *instrument.BudgetState) bool {
	return b != nil && b.Limit != instrument.Unlimited && b.Spent > b.Limit
}

func (b *builder) job(j instrument.JobState, now time.Time) job {
	out := job{
		Run: run(j.Run), ID: b.id(j.ID), Type: j.Type, Attempt: j.Attempt, MaxAttempts: j.MaxAttempts, Trace: j.TraceID,
		Start: ms(j.Start), End: ms(j.End), Video: j.Video.Milliseconds(),
		Spent: amount(j.Cost), Unpriced: j.Unpriced,
		Stages: []stage{}, MoreStages: j.MoreStages, Calls: []call{}, MoreCalls: j.MoreCalls,
		Quality: qualityOf(j.Quality),
	}
	if !j.End.IsZero() {
		out.Status, out.Error = string(cmp.Or(string(j.Outcome.Status), string(j.Outcome.Attempt))), j.Outcome.ErrorType
	}
	out.Progress, out.ETA = estimate(j.Estimate)
	if j.Budget != nil && j.Budget.Limit != instrument.Unlimited {
		out.Budget = &budget{Limit: amount(j.Budget.Limit), Spent: amount(j.Budget.Spent), Held: amount(j.Budget.Held), Unconfirmed: amount(j.Budget.Unconfirmed)}
	}
	for i := range j.Stages {
		s := &j.Stages[i]
		out.Stages = append(out.Stages, stageOf(s))
		if !s.Stalled.IsZero() && (out.Stalled == 0 || ms(s.Stalled) < out.Stalled) {
			out.Stalled = ms(s.Stalled)
		}
		if s.Overdue {
			out.Overdue = max(out.Overdue, float64(now.Sub(s.Start))/float64(s.Usual.P50))
		}
	}
	for _, c := range j.Calls {
		out.Calls = append(out.Calls, callOf(c))
	}
	for _, e := range j.Errors {
		out.Errors = append(out.Errors, fault{Type: e.ErrorType, Stage: e.Stage, Count: e.Count})
	}
	return out
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
// spreads it is the last.
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

func (b *builder) notices(j instrument.JobState, now time.Time) (all []notice) {
	say := func(kind, text string) {
		all = append(all, notice{Kind: kind, Run: run(j.Run), Job: b.id(j.ID), Text: text})
	}
	for i := range j.Stages {
		s := &j.Stages[i]
		if !s.Stalled.IsZero() {
			say("stalled", fmt.Sprintf("%s has made no progress for %s%s", s.Name, span(now.Sub(s.Stalled)), processText(j, s.Name)))
		}
		if s.Overdue {
			say("overdue", fmt.Sprintf("%s takes %.1f× its usual; %d of %d earlier runs were done by now",
				s.Name, float64(now.Sub(s.Start))/float64(s.Usual.P50), s.Usual.Shorter, s.Usual.Runs))
		}
	}
	if over(j.Budget) {
		say("over_budget", fmt.Sprintf("has spent %s of %s", j.Budget.Spent, j.Budget.Limit))
	}
	return all
}

// processText tells of the processes of a stalled stage whether they work.
func processText(j instrument.JobState, stage string) (text string) {
	for _, p := range j.Processes {
		if p.Stage != stage {
			continue
		}
		text += fmt.Sprintf("; %s pid %d is alive", p.Name, p.PID)
		switch {
		case p.CPUSince.IsZero():
		case p.CPU < 10*time.Millisecond:
			text += " and used no CPU"
		default:
			text += fmt.Sprintf(" and used %s of CPU", span(p.CPU))
		}
	}
	return text
}

func (b *builder) processes(j instrument.JobState) (all []process) {
	for _, p := range j.Processes {
		out := process{PID: p.PID, Name: p.Name, Run: run(j.Run), Job: b.id(j.ID), Stage: p.Stage, Start: ms(p.Start)}
		for i := range j.Stages {
			if s := &j.Stages[i]; s.Name == p.Stage && s.End.IsZero() && s.Progress != nil {
				out.Speed = s.Progress.Speed
			}
		}
		if !p.CPUSince.IsZero() {
			cpu := p.CPU.Milliseconds()
			out.CPU = &cpu
		}
		all = append(all, out)
	}
	return all
}

func addBudget(sum **budget, b *instrument.BudgetState) {
	if b == nil || b.Limit == instrument.Unlimited {
		return
	}
	if *sum == nil {
		*sum = new(budget)
	}
	s := *sum
	s.Limit, s.Spent = plus(s.Limit, b.Limit), plus(s.Spent, b.Spent)
	s.Held, s.Unconfirmed = plus(s.Held, b.Held), plus(s.Unconfirmed, b.Unconfirmed)
}

func plus(a amount, b instrument.USD) amount { return amount(money.Sum(instrument.USD(a), b)) }

func (b *builder) apis(all []instrument.APIState) []api {
	out := []api{}
	for _, a := range all[:min(len(all), sentOthers)] {
		one := api{API: a.API, Calls: a.Calls, Errors: a.Errors, Refused: a.Refused, Unpriced: a.Unpriced}
		if a.Priced {
			cost := amount(a.Cost)
			one.Cost = &cost
		}
		out = append(out, one)
	}
	return out
}

func pools(all []instrument.PoolState) []pool {
	out := []pool{}
	for _, p := range all[:min(len(all), sentOthers)] {
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

// span writes a length as people say it.
func span(d time.Duration) string {
	switch s := int(d.Seconds()); {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d m %02d s", s/60, s%60)
	default:
		return fmt.Sprintf("%d h %02d m", s/3600, s/60%60)
	}
}
