package instrument

import (
	"cmp"
	"slices"
	"sync/atomic"
)

// An APIState is what the calls of one API came to since the pipeline was made, also outside of jobs.
// Fields may be added.
type APIState struct {
	API        string
	InProgress int64
	Calls      int64 // that have ended
	Errors     int64 // of Calls
	Refused    int64 // by a budget, and not of Calls
	Unpriced   int64 // costs that are not known
	Cost       USD   // of those that are
	Priced     bool  // some are: else nothing is known of Cost
}

// apiCount counts what an APIState shows.
type apiCount struct {
	calls, errors, refused, unpriced atomic.Int64
	cost                             atomic.Int64
	priced                           atomic.Bool
}

func (c *apiCount) spend(amount USD) {
	if amount != 0 {
		add(&c.cost, amount)
	}
	if !c.priced.Load() {
		c.priced.Store(true)
	}
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
