package push

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/stagemeter/stagemeter/exporters/internal/settings"
)

// A Queue is the SDK's batch span processor, and counts what becomes of each sampled span: it
// waits, is being sent, has been sent, or was dropped. The SDK counts only what it drops, and shows
// that to nobody.
//
// So the Queue decides itself whether a span is dropped: the SDK gets no span more than its queue
// has room for.
type Queue struct {
	sdktrace.SpanProcessor
	flushes  chan struct{} // holds a value for each ForceFlush, which takes a place in the SDK's queue
	failures *Failures
	sender   *sender

	mu     sync.Mutex
	closed bool // the SDK takes nothing any more
	spans  Spans
}

// Spans are the figures of a Queue. Each sampled span that has ended is in one of Waiting, Sending,
// Sent and Dropped. The zero value is no queue.
type Spans struct {
	Room      int64 // spans that may wait
	Waiting   int64
	Sending   int64 // of the batch that is under way
	Sent      int64
	Dropped   int64
	QueueFull int64 // of Dropped; the others were refused, or had no receiver
}

// maxFlushes is how many calls of ForceFlush wait in the SDK's queue at the same time.
const maxFlushes = 16

// NewQueue returns a Queue that sends to e. It counts failures in f, and makes spans valid UTF-8 if
// e refuses them. If res is not nil, it replaces the resource of the spans.
func NewQueue(e sdktrace.SpanExporter, f *Failures, res *resource.Resource, s settings.SpanQueue) *Queue {
	timeout := s.Timeout()
	if f.to.Timeout > 0 {
		timeout = min(timeout, f.to.Timeout)
	}
	q := &Queue{
		flushes:  make(chan struct{}, maxFlushes),
		failures: f,
		sender:   newSender(timeout, s.Size()),
		spans:    Spans{Room: int64(s.Size())},
	}
	opts := append(s.Options(), sdktrace.WithMaxQueueSize(s.Size()+maxFlushes))
	q.SpanProcessor = sdktrace.NewBatchSpanProcessor(countedExporter{e, f, res, q, q.sender, s.Timeout()}, opts...)
	return q
}

// Spans returns a copy of the figures, the zero value for a nil q. It waits for nothing.
func (q *Queue) Spans() Spans {
	if q == nil {
		return Spans{}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.spans
}

// OnEnd queues s, or drops it if the queue is full.
func (q *Queue) OnEnd(s sdktrace.ReadOnlySpan) {
	if s.SpanContext().IsSampled() && q.admit() {
		q.SpanProcessor.OnEnd(s)
	}
}

// admit counts a span and reports whether there is room for it.
func (q *Queue) admit() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		q.spans.Dropped++
	case q.spans.Waiting >= q.spans.Room:
		q.spans.Dropped++
		q.spans.QueueFull++
	default:
		q.spans.Waiting++
		return true
	}
	return false
}

// sending counts that n spans have left the queue.
func (q *Queue) sending(n int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spans.Waiting -= n
	q.spans.Sending += n
}

// sent counts what became of n spans: the receiver has not taken the dropped ones.
func (q *Queue) sent(n, dropped int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spans.Sending -= n
	q.spans.Dropped += dropped
	q.spans.Sent += n - dropped
}

// close counts spans as dropped that the SDK has not taken because it was being shut down.
func (q *Queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.spans.Dropped += q.spans.Waiting
	q.spans.Waiting = 0
}

// Shutdown exports the spans that wait, within the deadline of ctx.
func (q *Queue) Shutdown(ctx context.Context) error {
	q.sender.end(ctx)
	return q.SpanProcessor.Shutdown(ctx)
}

// ForceFlush exports the spans that wait. It returns at once if the receiver asks to be left alone
// for longer than ctx lasts.
func (q *Queue) ForceFlush(ctx context.Context) error {
	if err := q.sender.tooEarly(ctx); err != nil {
		return q.failures.wrap(err)
	}
	select {
	case q.flushes <- struct{}{}:
		defer func() { <-q.flushes }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return q.SpanProcessor.ForceFlush(ctx)
}
