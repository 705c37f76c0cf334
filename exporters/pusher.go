package exporters

import (
	"context"
	"time"
)

// A pace is how fast a pusher pushes.
type pace struct {
	first time.Duration // after the start: by then the instruments exist and show their zeros
	min   time.Duration // before the first push after a failure
	max   time.Duration // before later ones
}

var defaultPace = pace{first: time.Second, min: time.Second, max: 5 * time.Second}

// A pusher makes the pushes that an export interval alone would leave out: one
// right after the start, so that counters are seen at 0 before they grow, and
// while pushes fail one every few seconds, so that data flows soon after the
// receiver is back.
type pusher struct {
	flush    func(context.Context) error // collects and exports, returns when done
	failures *failures
	pace     pace
}

// run pushes until ctx is done.
func (p *pusher) run(ctx context.Context) {
	wait := p.pace.first
	for sleep(ctx, wait) {
		if !p.push(ctx) {
			wait = min(max(2*wait, p.pace.min), p.pace.max)
			continue
		}
		select {
		case <-ctx.Done():
		case <-p.failures.began:
			wait = p.pace.min
		}
	}
}

// push tells whether a whole collection was delivered.
func (p *pusher) push(ctx context.Context) bool {
	mark := p.failures.mark()
	if err := p.flush(ctx); err != nil || p.failures.after(mark) != nil {
		return false
	}
	p.failures.worked()
	return true
}

// sleep waits for d; it is false if ctx was done first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil
	}
}
