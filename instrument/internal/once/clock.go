package once

import "time"

// Now returns the time since this package was initialised, on the monotonic clock: half of what
// time.Now reads. Package instrument and the ledger in memory share it, so that a call reads it
// once for its duration and its lease.
func Now() time.Duration { return time.Since(initialised) }

// At returns a time of time.Now on the clock of Now.
func At(t time.Time) time.Duration { return t.Sub(initialised) }

var initialised = time.Now()
