package livepage

import (
	"errors"
	"time"
)

// A Fleet tells what no single process knows: what waits, and what was lost. Fields may be added to
// FleetState.
type Fleet interface {
	// State returns what the store of the fleet knows, for example as it last said. It must return
	// at once: the page asks every second while somebody looks.
	State() FleetState
}

// A FleetState is the state of all workers.
type FleetState struct {
	Time    time.Time // when the store said so; zero: never, so nothing is shown
	Queued  int64     // jobs that wait; -1: unknown
	Workers int       // that have been heard of lately
	Lost    int       // attempts whose worker has not been heard of
}

// WithFleet shows the state of a fleet beside that of this process.
func WithFleet(f Fleet) Option {
	return func(p *Page) error {
		if f == nil {
			return errors.New("WithFleet(nil): no fleet is shown")
		}
		p.fleet = f
		return nil
	}
}

func fleetOf(f Fleet) *fleet {
	if f == nil {
		return nil
	}
	s := f.State()
	if s.Time.IsZero() {
		return nil
	}
	out := &fleet{At: ms(s.Time), Workers: s.Workers, Lost: s.Lost}
	if s.Queued >= 0 {
		out.Queued = &s.Queued
	}
	return out
}

