package push

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// An export sends the points of one collection.
type export struct {
	p      *Pusher
	turn   turn
	points *points
	result *result

	tried    int       // points
	clean    bool      // no request failed, except those that are too large or have to wait
	some     bool      // something was delivered
	large    bool      // something was too large
	waits    bool      // the request that was sent last has to wait
	before   error     // result.err without the error of that request
	progress time.Time // when something arrived last
}

// run sends the points, beginning with the one that no push has reached for the longest time.
//
// An outage ends a push of cumulative metrics: the next one has all their data, and begins behind
// the request that failed, so that one that fails each time does not keep the others back. With
// delta temporality, and at the last push, the other points would be lost: they are tried until the
// time is over. Time counts from the last request that arrived, so that a slow receiver gets
// everything. If it asks to wait, a push with delta temporality waits too, and then continues.
func (x *export) run(ctx context.Context) {
	p, n := x.p, x.points.len()
	x.clean, x.progress = true, time.Now()
	d := newDelivery(p.sender, x.batch(), p.next%n, func(o outcome) bool { return x.report(ctx, o) })
	d.later = !p.source.Delta() && !x.turn.last
	all := d.run(ctx)
	for !all && x.waits && p.source.Delta() && !x.turn.last && p.sender.hold() {
		if ctx.Err() != nil {
			ctx, x.turn.limit = p.ctx, p.config.Timeout
		}
		x.result.err, x.result.asked = x.before, false
		x.waits, x.progress = false, time.Now()
		all = d.run(ctx)
	}
	p.next = d.next()
	if x.waits && p.source.Delta() && !x.turn.last { // Shutdown has ended the wait
		x.turn.consequence = lost
		x.undelivered(ctx, outcome{verdict: outage, err: errLeft})
	}
	if left := n - x.tried; left > 0 && x.clean && !x.waits {
		x.undelivered(ctx, outcome{verdict: outage, err: fmt.Errorf("%d of %d points were not sent: %w", left, n, ctx.Err())})
	}
	switch {
	case !x.clean, x.waits, p.failures == nil:
	case x.some:
		p.failures.worked()
	case x.large:
		p.failures.nothing(x.turn.consequence)
	}
}

// report takes the outcome of a request and reports whether to go on.
func (x *export) report(ctx context.Context, o outcome) bool {
	x.waits, x.before = o.verdict == asked, x.result.err
	if !x.waits {
		x.tried += o.items
	}
	if o.verdict == delivered {
		x.some, x.progress = true, time.Now()
		if o.err != nil && x.p.failures != nil {
			x.p.failures.warned(o.err)
		}
		return ctx.Err() == nil
	}
	x.undelivered(ctx, o)
	switch {
	case ctx.Err() != nil, x.waits:
		return false
	case o.verdict == refused, o.verdict == tooLarge:
		return true
	case x.turn.last, x.p.source.Delta():
		return x.turn.limit == 0 || time.Since(x.progress) < x.turn.limit
	default:
		return false
	}
}

// undelivered counts what was not delivered.
func (x *export) undelivered(ctx context.Context, o outcome) {
	consequence := x.turn.consequence
	switch o.verdict {
	case tooLarge:
		x.large = true
	case asked:
		x.result.asked = true
		if !x.turn.last {
			consequence = kept
		}
	case refused:
		x.clean = false
	default:
		x.clean, x.result.soon = false, true
	}
	x.result.err = errors.Join(x.result.err, x.p.undelivered(ctx, o, consequence))
}

// batch returns the points as a batch.
func (x *export) batch() *batch {
	return &batch{
		n:    x.points.len(),
		size: x.points.size,
		name: x.points.name,
		send: func(ctx context.Context, from, to int) error {
			part := x.points.part(from, to)
			err := x.p.exporter.Export(ctx, part)
			if notUTF8(err) {
				validPoints(part)
				err = x.p.exporter.Export(ctx, part)
			}
			return err
		},
	}
}
