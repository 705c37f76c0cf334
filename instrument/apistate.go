package instrument

import "sync/atomic"

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
