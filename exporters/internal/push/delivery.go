package push

import (
	"context"
	"fmt"
)

// A delivery is one attempt to send a batch.
type delivery struct {
	*sender
	batch  *batch
	todo   []stretch          // still to be sent, the next one last
	report func(outcome) bool // of each request that is not cut; false ends the delivery
	later  bool               // a request that times out or is canceled is sent later, in smaller ones

	alive   bool // the receiver has answered: a connection that it closes now had too much data
	refused int  // bytes of the smallest request that was too large; 0: none
	bytes   int  // of a request, at most; 0: as the sender says
}

// A stretch is the items [from, to) of a batch.
type stretch struct{ from, to int }

// newDelivery returns a delivery of b that begins with item start. Items are sent in order, the
// ones before start last.
func newDelivery(s *sender, b *batch, start int, report func(outcome) bool) *delivery {
	d := &delivery{sender: s, batch: b, report: report}
	d.push(0, start)
	d.push(start, b.n)
	return d
}

func (d *delivery) push(from, to int) {
	last := len(d.todo) - 1
	switch {
	case from == to:
	case last >= 0 && d.todo[last].from == to:
		d.todo[last].from = from
	default:
		d.todo = append(d.todo, stretch{from, to})
	}
}

// run sends everything in todo, and reports whether it has tried all. After report has ended it, it
// may be called again for the rest: a request that has to wait is part of that, others that failed
// are not, so that one that fails each time does not keep the others back.
func (d *delivery) run(ctx context.Context) bool {
	for len(d.todo) > 0 {
		last := len(d.todo) - 1
		next := d.todo[last]
		d.todo = d.todo[:last]
		end := d.fill(next.from, next.to)
		d.push(end, next.to)
		if !d.send(ctx, next.from, end) {
			return false
		}
	}
	return true
}

// fill returns the end of the request that begins with item from: at least one item, and as many
// as are allowed.
func (d *delivery) fill(from, to int) int {
	items, bytes := d.limits()
	if d.bytes > 0 {
		bytes = min(bytes, d.bytes)
	}
	lo, hi := from+1, min(to, from+items) // the end is between them
	for lo < hi {
		if mid := (lo + hi + 1) / 2; d.batch.size(from, mid) <= bytes {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return lo
}

// halve makes later requests at most half as large as one of several items and of size bytes, which
// was too large.
func (d *delivery) halve(size int) {
	d.bytes = max(1, size/2)
	d.learn(size)
}

// next returns the item that run would begin with; 0 if there is none.
func (d *delivery) next() int {
	if len(d.todo) == 0 {
		return 0
	}
	return d.todo[len(d.todo)-1].from
}

// send sends items [from, to) and reports whether to go on. If they are too large together, they
// are to be sent again, in smaller requests.
func (d *delivery) send(ctx context.Context, from, to int) bool {
	n, size := to-from, d.batch.size(from, to)
	o := outcome{verdict: tooLarge, err: fmt.Errorf("%d bytes are more than it takes", size), items: n, lost: n}
	if d.refused == 0 || size < d.refused {
		o = d.request(ctx, d.batch, from, to)
	}
	if o.verdict == closed && ctx.Err() == nil {
		switch {
		case d.alive && (n > 1 || size >= minLarge):
			o.verdict = tooLarge
		case n > 1:
			return d.probe(ctx, o, from, to)
		}
	}
	switch {
	case o.verdict == asked, d.later && (o.timeout && n > 1 || ctx.Err() != nil):
		d.push(from, to)
	case o.verdict == tooLarge:
		d.alive = true
		if d.refused == 0 || size < d.refused {
			d.refused = size
		}
		if n > 1 {
			d.halve(size)
			d.push(from, to)
			return true
		}
		o.name = d.batch.name(from)
		o.err = fmt.Errorf("%q is too large for the receiver: %w", o.name, o.err)
	case o.verdict == delivered, o.verdict == refused:
		d.alive = true
	}
	return d.report(o)
}

// probe finds out why the connection was closed during the request for items [from, to), which
// ended in o: it sends only the smallest item. If that arrives, the whole request was too large.
func (d *delivery) probe(ctx context.Context, o outcome, from, to int) bool {
	least := from
	for i := from; i < to; i++ {
		if d.batch.size(i, i+1) < d.batch.size(least, least+1) {
			least = i
		}
	}
	alone := d.request(ctx, d.batch, least, least+1)
	if alone.verdict != delivered {
		return d.report(o)
	}
	d.alive = true
	d.halve(d.batch.size(from, to))
	d.push(least+1, to)
	d.push(from, least)
	return d.report(alone)
}
