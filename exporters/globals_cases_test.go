package exporters

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"

	"github.com/go-logr/logr/funcr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// globalsTests are the tests of TestGlobals, by name. Each runs in a process of its own and returns an
// error if it fails.
var globalsTests = map[string]func() error{
	"nobody has set one": func() error {
		tel, book := startIn(WithOTLPEndpoint("http://127.0.0.1:0"))
		defer shutdown(tel)
		return errors.Join(tel.expect(globalNames...), leftUnchanged(book))
	},
	"instruments from before record after": func() error {
		jobs, err := otel.Meter("before").Int64Counter("jobs")
		if err != nil {
			return err
		}
		tracer, propagator := otel.Tracer("before"), otel.GetTextMapPropagator()
		tel, _ := startIn(WithOTLPEndpoint("http://127.0.0.1:0"))
		defer shutdown(tel)
		ctx, span := tracer.Start(context.Background(), "render")
		defer span.End()
		jobs.Add(ctx, 3)
		carrier := propagation.MapCarrier{}
		propagator.Inject(ctx, carrier)
		if body := answer(tel); !strings.Contains(body, "\njobs_total 3\n") || !span.IsRecording() || carrier["traceparent"] == "" {
			return fmt.Errorf("recording: %v; %v; the scrape:\n%s", span.IsRecording(), carrier, body)
		}
		return nil
	},
	"an init function has set one": func() error {
		tel, book := startIn()
		defer shutdown(tel)
		if otel.GetMeterProvider() != metric.MeterProvider(earlyProvider) {
			return errors.New("the meter provider is replaced")
		}
		return errors.Join(tel.expect("tracer provider", "propagator"), leftUnchanged(book, "meter provider"))
	},
	"somebody has set a tracer provider": func() error {
		own := sdktrace.NewTracerProvider()
		otel.SetTracerProvider(own)
		tel, book := startIn()
		defer shutdown(tel)
		if otel.GetTracerProvider() != trace.TracerProvider(own) {
			return errors.New("the tracer provider is replaced")
		}
		return errors.Join(tel.expect("meter provider", "propagator"), leftUnchanged(book, "tracer provider"))
	},
	"somebody has set a propagator": func() error {
		otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.Baggage{}))
		tel, book := startIn()
		defer shutdown(tel)
		return errors.Join(tel.expect("meter provider", "tracer provider"), leftUnchanged(book, "propagator"))
	},
	"somebody has set what cannot be compared": func() error {
		otel.SetMeterProvider(slicedMeters{})
		otel.SetTracerProvider(slicedTracers{})
		otel.SetTextMapPropagator(funcPropagator(func() {}))
		first, book := startIn()
		if err := leftUnchanged(book, globalNames...); err != nil {
			return err
		}
		shutdown(first)
		second, book := startIn()
		defer shutdown(second)
		return errors.Join(second.expect(), leftUnchanged(book, globalNames...))
	},
	"two Starts at the same time": func() error {
		first, book := startIn(WithOTLPEndpoint("http://127.0.0.1:0"))
		defer shutdown(first)
		if err := leftUnchanged(book); err != nil {
			return err
		}
		second, book := startIn(WithOTLPEndpoint("http://127.0.0.1:0"))
		defer shutdown(second)
		return errors.Join(first.expect(globalNames...), leftUnchanged(book, globalNames...))
	},
	"one Start after the other": func() error {
		for range 3 {
			tel, book := startIn()
			if err := errors.Join(tel.expect(globalNames...), leftUnchanged(book)); err != nil {
				return err
			}
			exportertest.Count(otel.GetMeterProvider(), "jobs", 5)
			if body := answer(tel); !strings.Contains(body, "\njobs_total 5\n") {
				return fmt.Errorf("the scrape:\n%s", body)
			}
			shutdown(tel)
		}
		return nil
	},
	"somebody has set one since the Shutdown": func() error {
		first, _ := startIn()
		shutdown(first)
		own := sdkmetric.NewMeterProvider()
		otel.SetMeterProvider(own)
		second, book := startIn()
		defer shutdown(second)
		if otel.GetMeterProvider() != metric.MeterProvider(own) {
			return errors.New("the meter provider is replaced")
		}
		return errors.Join(second.expect("tracer provider", "propagator"), leftUnchanged(book, "meter provider"))
	},
	"a second one is shut down before the first": func() error {
		first, _ := startIn()
		defer shutdown(first)
		second, _ := startIn()
		shutdown(second)
		third, book := startIn()
		defer shutdown(third)
		return errors.Join(first.expect(globalNames...), leftUnchanged(book, globalNames...))
	},
	"the error handler and the logger stay": func() error {
		var handled, logged int
		otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) { handled++ }))
		otel.SetLogger(funcr.New(func(string, string) { logged++ }, funcr.Options{Verbosity: 8}))
		tel, book := startIn()
		defer shutdown(tel)
		before := logged
		otel.Handle(errors.New("from a library"))
		sdkmetric.NewMeterProvider() // the SDK logs that
		if handled != 1 || logged == before || book.Lines("from a library") != 0 {
			return fmt.Errorf("%d errors, %d lines; want the program's own handler and logger; ours got:\n%s", handled, logged-before, book)
		}
		return nil
	},
	"WithGlobals replaces everything": func() error {
		var handled, logged int
		otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) { handled++ }))
		otel.SetLogger(funcr.New(func(string, string) { logged++ }, funcr.Options{Verbosity: 8}))
		otel.SetMeterProvider(slicedMeters{})
		otel.SetTracerProvider(sdktrace.NewTracerProvider())
		otel.SetTextMapPropagator(funcPropagator(func() {}))
		first, _ := startIn()
		defer shutdown(first)
		before := logged
		tel, book := startIn(WithGlobals())
		otel.Handle(errors.New("from a library"))
		sdkmetric.NewMeterProvider()
		err := errors.Join(tel.expect(globalNames...), leftUnchanged(book))
		if handled != 0 || logged != before || book.Lines("from a library") != 1 {
			err = errors.Join(err, fmt.Errorf("%d errors, %d lines; want none for the program's own; ours got:\n%s", handled, logged-before, book))
		}
		shutdown(tel)
		next, book := startIn()
		defer shutdown(next)
		return errors.Join(err, next.expect(globalNames...), leftUnchanged(book))
	},
	"WithoutGlobals leaves everything": func() error {
		meters, tracers, propagator := otel.GetMeterProvider(), otel.GetTracerProvider(), otel.GetTextMapPropagator()
		tel, book := startIn(WithGlobals(), WithoutGlobals())
		defer shutdown(tel)
		if otel.GetMeterProvider() != meters || otel.GetTracerProvider() != tracers || otel.GetTextMapPropagator() != propagator {
			return errors.New("a global is set")
		}
		return leftUnchanged(book)
	},
	"OTEL_SDK_DISABLED": func() error {
		if err := os.Setenv("OTEL_SDK_DISABLED", "true"); err != nil {
			return err
		}
		first, book := startIn()
		if err := errors.Join(first.expect(globalNames...), leftUnchanged(book)); err != nil {
			return err
		}
		if _, ok := otel.GetMeterProvider().(metricnoop.MeterProvider); !ok {
			return fmt.Errorf("the meter provider is a %T", otel.GetMeterProvider())
		}
		if _, ok := otel.GetTracerProvider().(tracenoop.TracerProvider); !ok {
			return fmt.Errorf("the tracer provider is a %T", otel.GetTracerProvider())
		}
		shutdown(first)
		if err := os.Unsetenv("OTEL_SDK_DISABLED"); err != nil {
			return err
		}
		second, book := startIn()
		defer shutdown(second)
		return errors.Join(second.expect(globalNames...), leftUnchanged(book))
	},
	"OTEL_SDK_DISABLED, and somebody has set one": func() error {
		if err := os.Setenv("OTEL_SDK_DISABLED", "true"); err != nil {
			return err
		}
		own := sdkmetric.NewMeterProvider()
		otel.SetMeterProvider(own)
		tel, book := startIn()
		defer shutdown(tel)
		if otel.GetMeterProvider() != metric.MeterProvider(own) {
			return errors.New("the meter provider is replaced")
		}
		return errors.Join(tel.expect("tracer provider", "propagator"), leftUnchanged(book, "meter provider"))
	},
}

// startIn starts telemetry with a server only in memory, and returns it with its log.
func startIn(opts ...Option) (*Telemetry, *exportertest.LogBook) {
	book := &exportertest.LogBook{}
	tel, err := Start(context.Background(), append([]Option{WithoutServer(), WithLogger(book.Logger())}, opts...)...)
	if err != nil {
		panic(err)
	}
	return tel, book
}

// The names of the three globals in log lines.
var globalNames = []string{"meter provider", "tracer provider", "propagator"}

// expect returns an error unless package otel uses exactly the globals of tel called names.
func (t *Telemetry) expect(names ...string) error {
	used := map[string]bool{
		"meter provider":  same(otel.GetMeterProvider(), t.MeterProvider()),
		"tracer provider": same(otel.GetTracerProvider(), t.TracerProvider()),
		"propagator":      slices.Contains(otel.GetTextMapPropagator().Fields(), "traceparent"),
	}
	var errs []error
	for _, name := range globalNames {
		if used[name] != slices.Contains(names, name) {
			errs = append(errs, fmt.Errorf("uses the %s: %v", name, used[name]))
		}
	}
	return errors.Join(errs...)
}

// leftUnchanged returns an error unless the log has one line for each of names, and no others.
func leftUnchanged(book *exportertest.LogBook, names ...string) error {
	var errs []error
	for _, name := range globalNames {
		want := 0
		if slices.Contains(names, name) {
			want = 1
		}
		if got := book.Lines("level=INFO", "the global "+name+" ", "left unchanged"); got != want {
			errs = append(errs, fmt.Errorf("%d lines about the %s, want %d:\n%s", got, name, want, book))
		}
	}
	return errors.Join(errs...)
}

// Providers that == cannot compare: it panics.
type (
	slicedMeters struct {
		metricnoop.MeterProvider
		_ []int
	}
	slicedTracers struct {
		tracenoop.TracerProvider
		_ []int
	}
	funcPropagator func()
)

func (funcPropagator) Inject(context.Context, propagation.TextMapCarrier) {}
func (funcPropagator) Extract(ctx context.Context, _ propagation.TextMapCarrier) context.Context {
	return ctx
}
func (funcPropagator) Fields() []string { return []string{"mine"} }

// answer returns the answer of tel's handler to a scrape.
func answer(tel *Telemetry) string {
	rec := httptest.NewRecorder()
	tel.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return rec.Body.String()
}
