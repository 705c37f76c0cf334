package push

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// A countedExporter reports the errors of its exporter to failures. The SDK, which would log each
// of them, gets none.
type countedExporter struct {
	sdktrace.SpanExporter
	failures *Failures
	resource *resource.Resource // nil: that of the spans
}

// Counted returns an exporter that exports to e, counts its failures in f and makes spans valid
// UTF-8 if e refuses them. If res is not nil, it replaces the resource of the spans.
func Counted(e sdktrace.SpanExporter, f *Failures, res *resource.Resource) sdktrace.SpanExporter {
	return countedExporter{e, f, res}
}

func (e countedExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
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
	if err != nil {
		e.failures.failed(context.WithoutCancel(ctx), err, dropped) // the spans are lost, also if the export was canceled
	} else {
		e.failures.worked()
	}
	return nil
}

// An ofResource is a span with another resource than its provider's.
type ofResource struct {
	sdktrace.ReadOnlySpan
	resource *resource.Resource
}

func (s ofResource) Resource() *resource.Resource { return s.resource }
