package livepage

import (
	"errors"
	"time"
)

// A Fleet knows what no single process knows: how many jobs wait, and how many were lost.
type Fleet interface {
	// State returns the state of the fleet, which may be the last known one. It is called about
	// once a second while a client is connected, possibly concurrently, and must return at once.
	State() FleetState
}

// A FleetState is the state of all workers. A number below 0 is unknown. Fields may be added.
type FleetState struct {
	Time    time.Time // of the figures; zero: there are none, and nothing is shown
	Queued  int64     // jobs that wait
	Workers int       // that have been heard of lately
	Lost    int       // attempts whose worker is no longer heard of
}

// WithFleet shows the state of a fleet beside that of this process. If f.State panics or calls
// runtime.Goexit, no fleet is shown.
func WithFleet(f Fleet) Option {
	return option(func(p *Page) error {
		if f == nil {
			return errors.New("livepage: WithFleet(nil) is ignored: no fleet is shown")
		}
		p.fleet = f
		return nil
	})
}

// fleetNow returns the state of the fleet, or nil if there is none.
func (page *Page) fleetNow() *fleet {
	if page.fleet == nil {
		return nil
	}
	var s FleetState
	if !contained(func() { s = page.fleet.State() }) {
		page.reportOnce("Fleet.State panicked or called runtime.Goexit: no fleet is shown")
		return nil
	}
	if s.Time.IsZero() {
		return nil
	}
	return &fleet{At: ms(s.Time), Queued: known(s.Queued), Workers: known(s.Workers), Lost: known(s.Lost)}
}

// known returns n, or nil if it is below 0.
func known[N int | int64](n N) *N {
	if n < 0 {
		return nil
	}
	return &n
}
