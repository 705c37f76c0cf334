package push

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// A countedExporter reports the errors of its exporter to failures, and what becomes of the spans
// to queue. The SDK, which would log each error, gets none.
type countedExporter struct {
	sdktrace.SpanExporter
	failures *Failures
	resource *resource.Resource // nil: that of the spans
	queue    *Queue
	sender   *sender
	timeout  time.Duration // of a batch
}

func (e countedExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	n := int64(len(spans))
	e.queue.sending(n)
	lost := n // holds if the exporter panics
	defer func() { e.queue.sent(n, lost) }()
	if e.resource != nil {
		spans = slices.Clone(spans)
		for i := range spans {
			spans[i] = ofResource{spans[i], e.resource}
		}
	}
	lost = e.export(ctx, spans)
	return nil
}

// maxAsked is how many times in a row, with nothing delivered in between, a receiver may ask to wait
// before a batch of spans is dropped.
const maxAsked = 3

// errLeft is the error for spans that are not sent because the receiver asks to wait for longer than
// Shutdown lasts.
var errLeft = errors.New("the receiver asks to wait for longer than Shutdown lasts")

// export sends spans and returns how many of them are lost. While the receiver asks to be left
// alone it waits, whatever the deadline of ctx: the queue holds the spans that end meanwhile.
func (e countedExporter) export(ctx context.Context, spans []sdktrace.ReadOnlySpan) (lost int64) {
	n := len(spans)
	some, large, failed, sent, waits := false, false, false, 0, 0
	always := context.WithoutCancel(ctx) // the spans are lost, also if the export was canceled
	d := newDelivery(e.sender, e.batch(spans), 0, func(o outcome) bool {
		switch o.verdict {
		case delivered:
			some, waits = true, 0
			if o.err != nil {
				e.failures.warned(o.err)
			}
		case tooLarge:
			large = true
			e.failures.tooLarge(always, o)
		case asked:
			waits++
			e.failures.failed(always, o, queued)
			return false
		default:
			failed = true
			e.failures.failed(always, o, dropped)
		}
		sent += o.items
		lost += int64(o.lost)
		return true
	})
	for first := true; sent < n; first = false {
		if !e.sender.hold() {
			e.failures.failed(always, outcome{verdict: outage, err: errLeft}, dropped)
			return lost + int64(n-sent)
		}
		if !e.attempt(ctx, d, first) && waits == maxAsked {
			return lost + int64(n-sent)
		}
	}
	switch {
	case failed:
	case some:
		e.failures.worked()
	case large && n > 1: // one span says little about the next
		e.failures.nothing(dropped)
	}
	return lost
}

// attempt runs d. The first attempt has the time of ctx, unless waiting has taken it.
func (e countedExporter) attempt(ctx context.Context, d *delivery, first bool) bool {
	if !first || errors.Is(ctx.Err(), context.DeadlineExceeded) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), e.timeout)
		defer cancel()
	}
	return d.run(ctx)
}

// batch returns spans as a batch.
func (e countedExporter) batch(spans []sdktrace.ReadOnlySpan) *batch {
	sizes := []int{0}                // sizes[i] are the bytes of the spans before i, and of their scopes and resources
	heads := make([]int, len(spans)) // bytes of a scope and a resource that begin with a span
	for i, s := range spans {
		if i > 0 && s.InstrumentationScope() != spans[i-1].InstrumentationScope() {
			heads[i] += scopeSize(s.InstrumentationScope())
		}
		if i > 0 && s.Resource() != spans[i-1].Resource() {
			heads[i] += resourceSize(s.Resource())
		}
		sizes = append(sizes, sizes[i]+heads[i]+spanSize(s))
	}
	return &batch{
		n: len(spans),
		size: func(from, to int) int {
			first := resourceSize(spans[from].Resource()) + scopeSize(spans[from].InstrumentationScope())
			return first + sizes[to] - sizes[from] - heads[from]
		},
		name: func(i int) string { return spans[i].Name() },
		send: func(ctx context.Context, from, to int) error {
			err := e.SpanExporter.ExportSpans(ctx, spans[from:to])
			if notUTF8(err) {
				valid := slices.Clone(spans[from:to])
				for i := range valid {
					valid[i] = validSpan{valid[i]}
				}
				err = e.SpanExporter.ExportSpans(ctx, valid)
			}
			return err
		},
	}
}

// Shutdown ends the queue: the SDK calls it when it has drained its own.
func (e countedExporter) Shutdown(ctx context.Context) error {
	e.queue.close()
	return e.SpanExporter.Shutdown(ctx)
}

// rejected returns how many of n items an export that ended in err has lost.
func rejected(err error, n int64) int64 {
	if err == nil {
		return 0
	}
	m := partial.FindStringSubmatch(err.Error())
	if m == nil {
		return n
	}
	some, parseErr := strconv.ParseInt(m[1], 10, 64)
	if parseErr != nil {
		return n
	}
	return max(0, some)
}

// An ofResource is a span with another resource than its provider's.
type ofResource struct {
	sdktrace.ReadOnlySpan
	resource *resource.Resource
}

func (s ofResource) Resource() *resource.Resource { return s.resource }
