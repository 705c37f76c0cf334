package exporters

import (
	"context"
	"errors"
	"unicode/utf8"

	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/stagemeter/stagemeter/exporters/internal/push"
	"github.com/stagemeter/stagemeter/exporters/internal/settings"
)

// traces is the signal of traces.
type traces struct {
	provider   *sdktrace.TracerProvider // nil: spans go nowhere, so none are made
	processors []sdktrace.SpanProcessor // of provider
	failures   *push.Failures           // nil: not pushed
	queue      *push.Queue              // of the spans to push; nil: none
	exporter   sdktrace.SpanExporter    // the exporter that pushes; nil: none
}

// newTraces starts the signal. The result is usable whatever the error says.
func newTraces(ctx context.Context, s settings.Settings, res *resource.Resource) (*traces, error) {
	t := &traces{}
	var errs []error

	// The console comes first: at Shutdown it takes almost no time, while OTLP may take all of it.
	if s.TracesConsole {
		e, err := stdouttrace.New()
		if err != nil {
			errs = append(errs, err)
		} else {
			t.processors = append(t.processors, sdktrace.NewBatchSpanProcessor(e, s.Spans.Options()...))
		}
	}
	if s.TracesOTLP != nil {
		e, err := push.SpanExporter(ctx, s.TracesOTLP)
		if err != nil {
			errs = append(errs, err)
		} else {
			t.failures, t.exporter = push.NewFailures(s.TracesOTLP, s.Logger), e
			t.queue = push.NewQueue(e, t.failures, replacing(res), s.Spans)
			t.processors = append(t.processors, t.queue)
		}
	}

	if len(t.processors) > 0 {
		opts := []sdktrace.TracerProviderOption{sdktrace.WithResource(res), sdktrace.WithSampler(s.Sampler)}
		for _, p := range t.processors {
			opts = append(opts, sdktrace.WithSpanProcessor(p))
		}
		t.provider = sdktrace.NewTracerProvider(opts...)
	}
	return t, errors.Join(errs...)
}

// replacing returns res if the SDK would spoil it, otherwise nil. The SDK merges the resource of
// the environment into every resource, and so brings back the keys that [validResource] has
// replaced.
func replacing(res *resource.Resource) *resource.Resource {
	for _, a := range resource.Environment().Attributes() {
		if !utf8.ValidString(string(a.Key)) {
			return res
		}
	}
	return nil
}

// flush exports the spans that have ended. Its error has the failures meanwhile, which the SDK does
// not see.
func (t *traces) flush(ctx context.Context) error {
	if t.provider == nil {
		return nil
	}
	mark := t.failures.Mark()
	err := t.provider.ForceFlush(ctx)
	return errors.Join(t.failures.After(mark), err)
}

// shutdown exports the spans that have ended and ends the signal.
func (t *traces) shutdown(ctx context.Context) error {
	if t.provider == nil {
		return nil
	}
	mark := t.failures.Mark()
	err := t.provider.Shutdown(ctx)
	for _, p := range t.processors {
		// The provider skips processors when its time is up. A second call does no harm.
		err = errors.Join(err, p.Shutdown(ctx))
	}
	if t.exporter != nil {
		// If ctx ended first, the processor continues to drain its queue, with a timeout for each
		// batch: this cancels the export that is under way and refuses later ones.
		err = errors.Join(err, t.exporter.Shutdown(ctx))
	}
	return errors.Join(t.failures.After(mark), err)
}
