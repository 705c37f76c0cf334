package exporters

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
)

// ScopeName is the instrumentation scope of the metrics that this package
// records about itself.
const ScopeName = "github.com/stagemeter/stagemeter/exporters"

// Telemetry is what [Start] started. Its methods may be called from several
// goroutines. A nil *Telemetry is inert: it measures nothing and serves nothing.
type Telemetry struct {
	metrics *metrics // nil: OTEL_SDK_DISABLED
	traces  *traces  // nil: OTEL_SDK_DISABLED
	server  *server  // nil: nothing is served

	timeout  time.Duration
	closed   atomic.Bool
	shutdown sync.Once
	result   error // of shutdown
}

// Start builds the providers, starts to push and to serve, and returns. It
// connects lazily: a receiver that is down is no error, it gets its data when
// it is up.
//
// The Telemetry is usable whatever the error says: what could be started was,
// and runs until [Telemetry.Shutdown]. The error joins all that was wrong, each
// with the option or variable, its value, what is allowed and what is done
// instead; a port that is taken is among them and matches syscall.EADDRINUSE.
// A program logs it and goes on.
//
// ctx bounds the start alone; its end doesn't end the telemetry.
func Start(ctx context.Context, opts ...Option) (*Telemetry, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	s, err := resolve(newConfig(opts), os.Getenv)
	t := &Telemetry{timeout: s.shutdownTimeout}
	errs := []error{err}
	if s.config.globals {
		// What the SDK says of the variables, as a header with its value, the errors say better.
		otel.SetLogger(logr.Discard())
		otel.SetErrorHandler(&report{logger: s.logger, msg: "OpenTelemetry"})
	}
	if !s.disabled {
		errs = append(errs, t.start(ctx, s))
	}
	if s.config.globals {
		t.setGlobals(s.logger)
	}
	return t, errors.Join(errs...)
}

// start starts what s says. It starts what it can and returns what it can't.
func (t *Telemetry) start(ctx context.Context, s settings) error {
	var errs []error
	res, err := newResource(ctx, s.config)
	if err != nil {
		s.logger.Warn("the resource lacks some attributes", "error", err)
	}
	if res, err = validUTF8(res); err != nil {
		errs = append(errs, err)
	}
	if t.traces, err = newTraces(ctx, s, res); err != nil {
		errs = append(errs, err)
	}
	if t.metrics, err = newMetrics(ctx, s, res); err != nil {
		errs = append(errs, err)
	}
	meter := t.metrics.provider.Meter(ScopeName)
	for _, f := range []*failures{t.metrics.failures, t.traces.failures} {
		if f == nil {
			continue
		}
		if err := f.bind(meter); err != nil {
			errs = append(errs, err)
		}
	}
	if t.metrics.scraper != nil && s.addr != "" {
		if t.server, err = newServer(s, t.metrics.scraper, serviceName(res)); err != nil {
			errs = append(errs, err)
		}
	}
	s.logger.Debug("telemetry started", "addr", t.server.addr(),
		"otlp_metrics", s.metricsOTLP.String(), "otlp_traces", s.tracesOTLP.String())
	return errors.Join(errs...)
}

// setGlobals makes t what package otel uses.
func (t *Telemetry) setGlobals(logger *slog.Logger) {
	otel.SetLogger(logr.FromSlogHandler(logger.Handler()))
	otel.SetMeterProvider(t.MeterProvider())
	otel.SetTracerProvider(t.TracerProvider())
	otel.SetTextMapPropagator(t.Propagator())
}

// MeterProvider returns the provider of everything that measures. After
// Shutdown it takes measurements and drops them.
func (t *Telemetry) MeterProvider() metric.MeterProvider {
	if t == nil || t.metrics == nil {
		return metricnoop.NewMeterProvider()
	}
	return t.metrics.provider
}

// TracerProvider returns the provider of everything that traces. Where spans
// go nowhere, none are made: the trace context of a caller is passed on as it
// came.
func (t *Telemetry) TracerProvider() trace.TracerProvider {
	if t == nil || t.traces == nil || t.traces.provider == nil {
		return tracenoop.NewTracerProvider()
	}
	return t.traces.provider
}

// Propagator carries the trace context and the baggage of W3C.
func (*Telemetry) Propagator() propagation.TextMapPropagator {
	return propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
}

// Addr returns the address that metrics are served on, nil if they are not.
func (t *Telemetry) Addr() net.Addr {
	if t == nil {
		return nil
	}
	return t.server.addr()
}

// Handler returns the handler of /metrics, for a program that serves it
// itself; see [WithPrometheusAddr]. The program's server then has to see to
// timeouts, TLS and passwords. Without Prometheus it answers 404.
func (t *Telemetry) Handler() http.Handler {
	if t == nil || t.metrics == nil || t.metrics.scraper == nil {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "metrics are not exported to Prometheus", http.StatusNotFound)
		})
	}
	return t.metrics.scraper
}

// ForceFlush pushes what was measured and the spans that have ended, and
// returns when it is delivered or ctx is done. Where ctx has no deadline, or is
// over already, it has the one of [WithShutdownTimeout]. After Shutdown it does
// nothing.
func (t *Telemetry) ForceFlush(ctx context.Context) error {
	if t == nil || t.metrics == nil || t.closed.Load() {
		return nil
	}
	ctx, cancel := bounded(ctx, t.timeout)
	defer cancel()
	var traceErr error
	var wg sync.WaitGroup
	wg.Go(func() { traceErr = t.traces.flush(ctx) })
	metricErr := t.metrics.flush(ctx)
	wg.Wait()
	return errors.Join(metricErr, traceErr)
}

// Shutdown pushes what was measured and the spans that have ended, stops the
// server and ends every goroutine of t. It returns when that is done, or what
// was not delivered when ctx is. Where ctx has no deadline, or is over already
// as after a SIGTERM, it has the one of [WithShutdownTimeout].
//
// Later calls wait for the first and return its result.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	if t == nil {
		return nil
	}
	t.shutdown.Do(func() {
		t.closed.Store(true)
		if t.metrics != nil {
			ctx, cancel := bounded(ctx, t.timeout)
			defer cancel()
			t.result = t.stop(ctx)
		}
	})
	return t.result
}

// stop stops both signals and the server at the same time: what takes all of
// the time for one must not leave the others none. The provider ends last:
// after it there is nothing to serve.
func (t *Telemetry) stop(ctx context.Context) error {
	var traceErr, serverErr error
	var wg sync.WaitGroup
	wg.Go(func() { traceErr = t.traces.shutdown(ctx) })
	wg.Go(func() { serverErr = t.server.shutdown(ctx) })
	metricErr := t.metrics.shutdown(ctx)
	wg.Wait()
	return errors.Join(serverErr, metricErr, traceErr, t.metrics.provider.Shutdown(ctx))
}

// bounded gives ctx a deadline, and a fresh start if it is over already.
func bounded(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if ctx == nil {
		ctx = context.Background()
	}
	if ctx.Err() != nil {
		return context.WithTimeout(context.WithoutCancel(ctx), d)
	}
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d)
}

// serviceName returns the service.name of res.
func serviceName(res *resource.Resource) string {
	v, _ := res.Set().Value("service.name")
	return v.AsString()
}
