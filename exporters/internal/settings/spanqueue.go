package settings

import (
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// maxSpans bounds the queue of spans. The SDK allocates the whole queue at the start: 16 MB.
const maxSpans = 1_000_000

// A SpanQueue is the settings of the SDK's batch span processor. The SDK would read the same
// variables, and panic for some of their values.
type SpanQueue struct {
	size, batch    int
	delay, timeout time.Duration
}

func (r *reader) spanQueue() SpanQueue {
	q := SpanQueue{
		size:    r.count(sdktrace.DefaultMaxQueueSize, maxSpans, envQueueSize),
		batch:   r.count(sdktrace.DefaultMaxExportBatchSize, maxSpans, envBatchSize),
		delay:   r.milliseconds(sdktrace.DefaultScheduleDelay*time.Millisecond, envSpanDelay),
		timeout: r.milliseconds(sdktrace.DefaultExportTimeout*time.Millisecond, envSpanTimeout),
	}
	q.batch = min(q.batch, q.size)
	return q
}

// Size returns how many spans may wait.
func (q SpanQueue) Size() int { return q.size }

// Timeout returns how long sending a batch may take.
func (q SpanQueue) Timeout() time.Duration { return q.timeout }

// Options returns q as options of the SDK.
func (q SpanQueue) Options() []sdktrace.BatchSpanProcessorOption {
	return []sdktrace.BatchSpanProcessorOption{
		sdktrace.WithMaxQueueSize(q.size), sdktrace.WithMaxExportBatchSize(q.batch),
		sdktrace.WithBatchTimeout(q.delay), sdktrace.WithExportTimeout(q.timeout),
	}
}
