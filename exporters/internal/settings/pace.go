package settings

import "time"

// A Pace is how fast metrics are pushed outside of their interval.
type Pace struct {
	First time.Duration // until the first push: by then the instruments exist, and arrive with their zeros
	Min   time.Duration // until the first push after a failed one
	Max   time.Duration // until later ones
}

// DefaultPace is the Pace of programs. Tests have a quicker one.
var DefaultPace = Pace{First: time.Second, Min: time.Second, Max: 5 * time.Second}
