package push

import (
	"context"
	"regexp"
	"slices"
	"strconv"

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
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if notUTF8(err) {
		spans = slices.Clone(spans)
		for i := range spans {
			spans[i] = validSpan{spans[i]}
		}
		err = e.SpanExporter.ExportSpans(ctx, spans)
	}
	lost = min(n, rejected(err, n))
	switch {
	case err == nil:
		e.failures.worked()
	case lost == 0:
		e.failures.warned(err)
		e.failures.worked()
	default:
		e.failures.failed(context.WithoutCancel(ctx), err, dropped) // the spans are lost, also if the export was canceled
	}
	return nil
}

// Shutdown ends the queue: the SDK calls it when it has drained its own.
func (e countedExporter) Shutdown(ctx context.Context) error {
	e.queue.close()
	return e.SpanExporter.Shutdown(ctx)
}

// partial matches the whole error of a request of which the receiver has rejected some items, or
// none with a warning. The exporters have no type for it that others can use.
var partial = regexp.MustCompile(`(?s)^(?:traces export|failed to upload metrics): OTLP partial success: .*\((\d+) [a-z ]+ rejected\)$`)

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
	return some
}

// An ofResource is a span with another resource than its provider's.
type ofResource struct {
	sdktrace.ReadOnlySpan
	resource *resource.Resource
}

func (s ofResource) Resource() *resource.Resource { return s.resource }
