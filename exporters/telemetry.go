package exporters

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/exporters/internal/push"
	"github.com/stagemeter/stagemeter/exporters/internal/report"
	"github.com/stagemeter/stagemeter/exporters/internal/scrape"
	"github.com/stagemeter/stagemeter/exporters/internal/settings"
	"github.com/stagemeter/stagemeter/exporters/internal/web"
)

// ScopeName is the instrumentation scope of the metrics that this package records about itself.
const ScopeName = "github.com/stagemeter/stagemeter/exporters"

// Telemetry is what [Start] started. Its methods are safe for concurrent use. A nil *Telemetry is
// inert: it measures nothing and serves nothing.
type Telemetry struct {
	metrics *metrics    // nil: OTEL_SDK_DISABLED
	traces  *traces     // nil: OTEL_SDK_DISABLED
	server  *web.Server // nil: no server

	resource *resource.Resource // nil: OTEL_SDK_DISABLED
	timeout  time.Duration
	closed   atomic.Bool
	shutdown sync.Once
	result   error // of shutdown
}

// Start builds the providers, starts to push and to serve, and returns. It sets the providers and
// the propagator as globals of package otel, each only where nobody has set one; see [WithGlobals]
// and [WithoutGlobals]. It connects at the first push: a receiver that is down is no error and gets
// its data when it is up.
//
// The Telemetry is usable whatever the error says: it runs everything that could be started, until
// [Telemetry.Shutdown]. The error joins an error for each mistake, with the option or variable, its
// value, what is allowed and what happens instead. An error for a port that is taken matches
// syscall.EADDRINUSE. A program should log the error and continue.
//
// ctx bounds only Start itself. The telemetry continues after ctx ends.
func Start(ctx context.Context, opts ...Option) (*Telemetry, error) {
	if ctx == nil {
		ctx = context.Background()
	}
	s, err := settings.Resolve(newConfig(opts), os.Getenv)
	t := &Telemetry{timeout: s.ShutdownTimeout}
	errs := []error{err}
	defer silenceGlobals(s)()
	if !s.Disabled {
		errs = append(errs, t.start(ctx, s))
	}
	t.setGlobals(s)
	return t, errors.Join(errs...)
}

// start starts what s selects. It starts everything that it can, and returns an error for the rest.
func (t *Telemetry) start(ctx context.Context, s settings.Settings) error {
	var errs []error
	res, err := newResource(ctx, s.Config)
	if err != nil {
		s.Logger.Warn("the resource lacks some attributes", "error", report.Brief(err))
	}
	if res, err = validResource(res, s.Config); err != nil {
		errs = append(errs, err)
	}
	t.resource = res
	if t.traces, err = newTraces(ctx, s, res); err != nil {
		errs = append(errs, err)
	}
	if t.metrics, err = newMetrics(ctx, s, res); err != nil {
		errs = append(errs, err)
	}
	meter := t.metrics.provider.Meter(ScopeName)
	for _, f := range []*push.Failures{t.metrics.failures, t.traces.failures} {
		if err := f.Bind(meter); err != nil {
			errs = append(errs, err)
		}
	}
	if t.metrics.scrapes != nil && s.Addr != "" {
		t.server, err = web.Listen(web.Config{
			Addr: s.Addr, AddrFrom: s.AddrFrom, WebConfigFile: s.Config.WebConfigFile,
			Metrics: t.metrics.scrapes, Relieve: t.metrics.scrapes.Relieve, Timeout: scrape.Timeout,
			Service: serviceName(res), Logger: s.Logger,
		})
		if err != nil {
			errs = append(errs, err)
		}
	}
	s.Logger.Debug("telemetry started", "addr", t.server.Addr(),
		"otlp_metrics", s.MetricsOTLP.String(), "otlp_traces", s.TracesOTLP.String())
	return errors.Join(errs...)
}

// MeterProvider returns the provider for instruments. After Shutdown it accepts measurements and
// drops them.
func (t *Telemetry) MeterProvider() metric.MeterProvider {
	if t == nil || t.metrics == nil {
		return metricnoop.NewMeterProvider()
	}
	return t.metrics.meters
}

// TracerProvider returns the provider for tracers. If spans are neither pushed nor printed, it
// makes none, and passes a caller's trace context on unchanged.
func (t *Telemetry) TracerProvider() trace.TracerProvider {
	if t == nil || t.traces == nil || t.traces.provider == nil {
		return tracenoop.NewTracerProvider()
	}
	return t.traces.provider
}

// Propagator returns the propagator of W3C trace context and W3C baggage.
func (*Telemetry) Propagator() propagation.TextMapPropagator {
	return propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
}

// Resource returns the resource of everything that is pushed: service.name and the other attributes
// of this process. It is empty if OTEL_SDK_DISABLED is set, and on a nil Telemetry.
func (t *Telemetry) Resource() *resource.Resource {
	if t == nil || t.resource == nil {
		return resource.Empty()
	}
	return t.resource
}

// Addr returns the address on which metrics are served, or nil if no port is open.
func (t *Telemetry) Addr() net.Addr {
	if t == nil {
		return nil
	}
	return t.server.Addr()
}

// Handler returns the handler of /metrics, for a program that serves it on its own server; see
// [WithoutServer]. That server is then responsible for timeouts, TLS and passwords. After
// [WithoutPrometheus] the handler answers 404. After [Telemetry.Shutdown] it answers 503, so that a
// scraper sees a target that is down and not one without metrics.
func (t *Telemetry) Handler() http.Handler {
	if t == nil || t.metrics == nil || t.metrics.scrapes == nil {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "metrics are not exported to Prometheus", http.StatusNotFound)
		})
	}
	return t.metrics.scrapes
}

// ForceFlush pushes all metrics and the spans that have ended. It returns when they are delivered
// or ctx is done, with an error for data that was not delivered. If ctx has no deadline or is over
// already, [WithShutdownTimeout] bounds it. After Shutdown it does nothing.
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
	return report.Join(metricErr, traceErr)
}

// Shutdown pushes all metrics and the spans that have ended, stops the server and ends every
// goroutine of t. It returns when that is done or ctx is done, with an error for data that was not
// delivered. If ctx has no deadline or is over already, as after a SIGTERM, [WithShutdownTimeout]
// bounds it.
//
// The globals of package otel keep t's providers. The next [Start] replaces them.
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

// stop stops both signals and the server at the same time, so that one that takes all the time
// leaves the others theirs. The provider ends last: without it there is nothing to serve.
func (t *Telemetry) stop(ctx context.Context) error {
	var traceErr, serverErr error
	var wg sync.WaitGroup
	wg.Go(func() { traceErr = t.traces.shutdown(ctx) })
	wg.Go(func() { serverErr = t.server.Shutdown(ctx) })
	metricErr := t.metrics.shutdown(ctx)
	wg.Wait()
	if t.metrics.scrapes != nil {
		t.metrics.scrapes.End()
	}
	return report.Join(serverErr, metricErr, traceErr, t.metrics.provider.Shutdown(ctx))
}

// bounded returns ctx with the deadline d if it has none. If ctx is over already, the result
// ignores that.
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
