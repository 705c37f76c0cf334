package budget

import (
	"time"

	"github.com/stagemeter/stagemeter/instrument/internal/once"
)

// An Option configures [NewMemoryLedger] and [Sliced].
type Option interface{ apply(*clock) }

type option func(*clock)

func (o option) apply(c *clock) { o(c) }

// WithClock sets the clock that leases, days, months and the time after a Close are measured with,
// for tests. The default is time.Now. The ledger calls now from many goroutines, and from within its
// operations, so now must not use the ledger. A nil now changes nothing.
func WithClock(now func() time.Time) Option {
	return option(func(c *clock) {
		if now != nil {
			c.now, c.start = now, now()
		}
	})
}

type clock struct {
	now   func() time.Time // nil for time.Now
	start time.Time        // of now
}

func newClock(options []Option) clock {
	var c clock
	for _, o := range options {
		o.apply(&c)
	}
	return c
}

// time returns the time, for windows.
func (c *clock) time() time.Time {
	if c.now == nil {
		return time.Now()
	}
	return c.now()
}

// since returns the time since a fixed moment, for leases. A step of the wall clock does not change
// it.
func (c *clock) since() time.Duration {
	if c.now == nil {
		return once.Now()
	}
	return c.now().Sub(c.start)
}

// at returns since for a caller that has read [once.Now] a moment ago.
func (c *clock) at(now time.Duration) time.Duration {
	if c.now == nil {
		return now
	}
	return c.since()
}
