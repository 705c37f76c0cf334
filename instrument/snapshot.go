package instrument

import (
	"cmp"
	"slices"
	"time"
)

// Snapshot returns the live jobs of the pipeline and, with [WithHistory], those that ended last. A
// job that ends meanwhile is in one of the two lists, and not in both. Snapshot may be called at any
// time: it holds no lock for longer than it takes to list the jobs, or to copy one of them. A call
// takes time in proportion to the jobs that live or are kept, and memory to those that it returns.
func (p *Pipeline) Snapshot(q Query) Snapshot {
	s := Snapshot{Time: time.Now()}
	if p.inert() {
		return s
	}
	if q.Limit <= 0 {
		q.Limit = defaultSnapshot
	}
	q.shown = p.ids.shown(q.Job)
	s.Stages, s.APIs, s.Pools = p.stageNames(), p.apiStates(), p.pools.states()
	jobs, n := p.live.runsOf(q)
	s.LiveJobs = n
	s.Live = make([]JobState, 0, len(jobs))
	for _, j := range jobs {
		state, news := j.state()
		state.Estimate = j.estimate(&state)
		s.Live = append(s.Live, state)
		tellNews(state.JobRef, news)
	}
	s.Ended, s.EndedJobs = p.history.last(q)
	s.Forgotten = p.history.forgot()
	for i := range s.Ended { // a job is kept before it leaves the live ones
		at, both := slices.BinarySearchFunc(s.Live, s.Ended[i].Run, func(j JobState, run uint64) int { return cmp.Compare(j.Run, run) })
		if both {
			s.Live = slices.Delete(s.Live, at, at+1)
			s.LiveJobs--
		}
	}
	return s
}

// apiStates returns the states of the APIs that were used, the most expensive first.
func (p *Pipeline) apiStates() []APIState {
	var all []APIState
	for name, h := range p.apis.all() {
		s := APIState{
			API: name, InProgress: h.inProgress.Load(), Calls: h.seen.calls.Load(), Errors: h.seen.errors.Load(),
			Refused: h.seen.refused.Load(), Unpriced: h.seen.unpriced.Load(), Cost: USD(h.seen.cost.Load()), Priced: h.seen.priced.Load(),
		}
		if s != (APIState{API: name}) {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b APIState) int {
		return cmp.Or(cmp.Compare(b.Cost, a.Cost), cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.API, b.API))
	})
	return all
}
