package exporters

import (
	"context"
	"errors"
	"unicode/utf8"

	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// traces is the signal of traces.
type traces struct {
	provider   *sdktrace.TracerProvider // nil: spans go nowhere, so none are made
	processors []sdktrace.SpanProcessor // of provider
	failures   *failures                // nil: not pushed
	exporter   sdktrace.SpanExporter    // the one that pushes; nil: none
}

// newTraces starts the signal. It is usable whatever the error says.
func newTraces(ctx context.Context, s settings, res *resource.Resource) (*traces, error) {
	t := &traces{}
	var errs []error

	// The console goes first: at Shutdown it takes next to no time, while OTLP
	// may take all there is.
	if s.tracesConsole {
		e, err := stdouttrace.New()
		if err != nil {
			errs = append(errs, err)
		} else {
			t.processors = append(t.processors, sdktrace.NewBatchSpanProcessor(e, s.spans.options()...))
		}
	}
	if s.tracesOTLP != nil {
		e, err := s.tracesOTLP.spanExporter(ctx)
		if err != nil {
			errs = append(errs, err)
		} else {
			t.failures, t.exporter = newFailures(s.tracesOTLP, s.logger), e
			t.processors = append(t.processors, sdktrace.NewBatchSpanProcessor(spanExporter{e, t.failures, replacing(res)}, s.spans.options()...))
		}
	}

	if len(t.processors) > 0 {
		opts := []sdktrace.TracerProviderOption{sdktrace.WithResource(res), sdktrace.WithSampler(s.sampler)}
		for _, p := range t.processors {
			opts = append(opts, sdktrace.WithSpanProcessor(p))
		}
		t.provider = sdktrace.NewTracerProvider(opts...)
	}
	return t, errors.Join(errs...)
}

// replacing is res where the SDK would spoil it, else nil: it puts the resource
// of the environment under every resource, with the keys that [validUTF8] has
// mended.
func replacing(res *resource.Resource) *resource.Resource {
	for _, a := range resource.Environment().Attributes() {
		if !utf8.ValidString(string(a.Key)) {
			return res
		}
	}
	return nil
}

// flush exports the spans that have ended. The failures meanwhile, which the
// SDK doesn't see, are part of the error.
func (t *traces) flush(ctx context.Context) error {
	if t.provider == nil {
		return nil
	}
	mark := t.failures.mark()
	err := t.provider.ForceFlush(ctx)
	return errors.Join(t.failures.after(mark), err)
}

// shutdown exports the spans that have ended and ends the signal.
func (t *traces) shutdown(ctx context.Context) error {
	if t.provider == nil {
		return nil
	}
	mark := t.failures.mark()
	err := t.provider.Shutdown(ctx)
	for _, p := range t.processors {
		// The provider leaves out those that it has no time for. The others
		// shrug off a second call.
		err = errors.Join(err, p.Shutdown(ctx))
	}
	if t.exporter != nil {
		// Where ctx ended first, the processor goes on draining its queue, a
		// timeout per batch: this cancels the export that is under way and
		// refuses the next ones.
		err = errors.Join(err, t.exporter.Shutdown(ctx))
	}
	return errors.Join(t.failures.after(mark), err)
}
