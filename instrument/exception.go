package instrument

import (
	"context"
	"reflect"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument/internal/errs"
	"github.com/stagemeter/stagemeter/internal/secrets"
	"github.com/stagemeter/stagemeter/semconv"
)

// maxTextLen bounds an error's text on a span, in bytes; a stack may have four times as many.
const maxTextLen = 4096

// recordException puts an error on the span of ctx, which goes on. So error.type is an attribute of
// the event, not of the span.
func recordException(ctx context.Context, err error, errorType string) {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		addException(span, err, nil, semconv.AttrErrorType.String(clean(errorType, maxNameLen)))
	}
}

// text returns an error's text as spans show it: without passwords and keys of URLs.
func text(err error) string {
	t := errs.Text(err)
	return clean(secrets.Hide(t[:min(len(t), 4*maxTextLen)]), maxTextLen)
}

// addException adds the event "exception" of OpenTelemetry's semantic conventions.
func addException(span trace.Span, err error, stack []byte, attrs ...attribute.KeyValue) {
	attrs = append(attrs,
		attribute.String("exception.type", reflect.TypeOf(err).String()),
		attribute.String("exception.message", text(err)))
	if stack != nil {
		if len(stack) > 4*maxTextLen {
			stack = stack[:4*maxTextLen]
		}
		attrs = append(attrs, attribute.String("exception.stacktrace", strings.ToValidUTF8(string(stack), "")))
	}
	span.AddEvent("exception", trace.WithAttributes(attrs...))
}
