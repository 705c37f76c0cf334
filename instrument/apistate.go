package instrument

import "sync/atomic"

// An APIState counts the calls of one API since the pipeline was made, in jobs and outside of them.
// Fields may be added.
type APIState struct {
	API        string
	InProgress int64
	Calls      int64 // that have ended
	Errors     int64 // of Calls
	Refused    int64 // by a budget; not counted in Calls
	Unpriced   int64 // whose cost is unknown
	Cost       USD   // the sum of the known costs
	Priced     bool  // whether any cost is known; if none is, Cost is unknown too
}

// apiCount has the counters of an [APIState].
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
