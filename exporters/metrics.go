package exporters

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/otlptranslator"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
)

// Bounds of a scrape and of a push.
const (
	maxScrapes    = 16 // at once; more are answered by 503
	scrapeTimeout = 30 * time.Second

	// maxBatch is how many data points one request holds: 100,000 in one would
	// be over the 4 MiB that a gRPC receiver takes by default.
	maxBatch = 8192
)

// metrics is the signal of metrics: one provider, a reader per place they go.
type metrics struct {
	provider *sdkmetric.MeterProvider
	failures *failures    // nil: not pushed
	handler  http.Handler // nil: no Prometheus

	stopPush context.CancelFunc
	pushing  sync.WaitGroup
}

// newMetrics starts the signal. It is usable whatever the error says.
func newMetrics(ctx context.Context, s settings, res *resource.Resource) (*metrics, error) {
	m := &metrics{stopPush: func() {}}
	opts := append(s.meterOptions(), sdkmetric.WithResource(res))
	var errs []error

	if s.prometheus {
		r, h, err := newPrometheus(s.logger)
		if err != nil {
			errs = append(errs, err)
		} else {
			m.handler = h
			opts = append(opts, sdkmetric.WithReader(r))
		}
	}
	if s.metricsConsole {
		e, err := stdoutmetric.New()
		if err != nil {
			errs = append(errs, err)
		} else {
			opts = append(opts, sdkmetric.WithReader(s.periodic(e)))
		}
	}
	var pushed *sdkmetric.PeriodicReader
	if s.metricsOTLP != nil {
		e, err := s.metricsOTLP.metricExporter(ctx)
		if err != nil {
			errs = append(errs, err)
		} else {
			m.failures = newFailures(s.metricsOTLP, s.logger)
			pushed = s.periodic(metricExporter{e, m.failures})
			opts = append(opts, sdkmetric.WithReader(pushed))
		}
	}

	m.provider = sdkmetric.NewMeterProvider(opts...)
	if pushed != nil {
		pushCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		m.stopPush = cancel
		p := &pusher{flush: pushed.ForceFlush, failures: m.failures, pace: s.pace}
		m.pushing.Go(func() { p.run(pushCtx) })
	}
	return m, errors.Join(errs...)
}

// periodic returns a reader that exports with e at the interval.
func (s settings) periodic(e sdkmetric.Exporter) *sdkmetric.PeriodicReader {
	return sdkmetric.NewPeriodicReader(e,
		sdkmetric.WithInterval(s.interval),
		sdkmetric.WithTimeout(s.exportTimeout),
		sdkmetric.WithMaxExportBatchSize(maxBatch),
	)
}

// newPrometheus returns a reader and the handler that serves what it reads.
//
// Its registry holds nothing else: no Go runtime, no process metrics.
func newPrometheus(logger *slog.Logger) (sdkmetric.Reader, http.Handler, error) {
	registry := prometheus.NewRegistry()
	reader, err := otelprom.New(
		otelprom.WithRegisterer(registry),
		// A scope's version on every series would rename them all at an upgrade.
		otelprom.WithoutScopeInfo(),
		otelprom.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes),
	)
	if err != nil {
		return nil, nil, err
	}
	return reader, promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:            &report{logger: logger, msg: "a scrape has errors, what is left of it was served"},
		ErrorHandling:       promhttp.ContinueOnError,
		Registry:            registry,
		EnableOpenMetrics:   true, // the one text format with exemplars
		MaxRequestsInFlight: maxScrapes,
		CoalesceGather:      true,
		// It also buffers the answer, so that a slow client doesn't hold a
		// collection that others would get, stale, with theirs.
		Timeout: scrapeTimeout,
	}), nil
}

// shutdown makes the last push and ends the signal.
func (m *metrics) shutdown(ctx context.Context) error {
	m.stopPush()
	m.pushing.Wait()
	return m.provider.Shutdown(ctx)
}
