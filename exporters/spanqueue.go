package exporters

import (
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// maxSpans bounds the queue of spans, whose room is taken at the start: 16 MB.
const maxSpans = 1_000_000

// A spanQueue is the settings of the SDK's batch span processor. The SDK reads
// the same variables, and panics for some of their values.
type spanQueue struct {
	size, batch    int
	delay, timeout time.Duration
}

func (r *reader) spanQueue() spanQueue {
	q := spanQueue{
		size:    r.count(sdktrace.DefaultMaxQueueSize, maxSpans, envQueueSize),
		batch:   r.count(sdktrace.DefaultMaxExportBatchSize, maxSpans, envBatchSize),
		delay:   r.milliseconds(sdktrace.DefaultScheduleDelay*time.Millisecond, envSpanDelay),
		timeout: r.milliseconds(sdktrace.DefaultExportTimeout*time.Millisecond, envSpanTimeout),
	}
	q.batch = min(q.batch, q.size)
	return q
}

// options are what the SDK takes them by.
func (q spanQueue) options() []sdktrace.BatchSpanProcessorOption {
	return []sdktrace.BatchSpanProcessorOption{
		sdktrace.WithMaxQueueSize(q.size), sdktrace.WithMaxExportBatchSize(q.batch),
		sdktrace.WithBatchTimeout(q.delay), sdktrace.WithExportTimeout(q.timeout),
	}
}
