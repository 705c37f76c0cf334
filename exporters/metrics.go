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
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/otlptranslator"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
)

// Bounds of a scrape.
const (
	maxScrapes    = 16 // at once; more are answered by 503
	scrapeTimeout = 30 * time.Second
)

// metrics is the signal of metrics: one provider, a reader per place they go.
type metrics struct {
	provider *sdkmetric.MeterProvider
	failures *failures    // nil: not pushed
	handler  http.Handler // nil: no Prometheus
	plain    http.Handler // the upstream way for every format: the reference of handler
	pushers  []*pusher    // OTLP, console
}

// newMetrics starts the signal. It is usable whatever the error says.
func newMetrics(ctx context.Context, s settings, res *resource.Resource) (*metrics, error) {
	m := &metrics{}
	opts := append(s.meterOptions(), sdkmetric.WithResource(res))
	var errs []error

	if s.prometheus {
		r, h, err := newPrometheus(s.logger)
		if err != nil {
			errs = append(errs, err)
		} else {
			m.handler, m.plain = h, h
			opts = append(opts, sdkmetric.WithReader(r))
		}
	}
	if s.metricsConsole {
		e, err := stdoutmetric.New()
		if err != nil {
			errs = append(errs, err)
		} else {
			m.pushers = append(m.pushers, newPusher(s, res, e, nil))
		}
	}
	if s.metricsOTLP != nil {
		e, err := s.metricsOTLP.metricExporter(ctx)
		if err != nil {
			errs = append(errs, err)
		} else {
			m.failures = newFailures(s.metricsOTLP, s.logger)
			m.pushers = append(m.pushers, newPusher(s, res, e, m.failures))
		}
	}

	for _, p := range m.pushers {
		opts = append(opts, sdkmetric.WithReader(p.reader))
	}
	m.provider = sdkmetric.NewMeterProvider(opts...)
	for _, p := range m.pushers {
		go p.run() // ended by its shutdown
	}
	return m, errors.Join(errs...)
}

// newPrometheus returns a reader and the handler that serves what it reads.
//
// Its registry holds nothing else: no Go runtime, no process metrics.
func newPrometheus(logger *slog.Logger) (sdkmetric.Reader, http.Handler, error) {
	registry, own := prometheus.NewRegistry(), prometheus.NewRegistry()
	reader, err := otelprom.New(
		otelprom.WithRegisterer(registry),
		// A scope's version on every series would rename them all at an upgrade.
		otelprom.WithoutScopeInfo(),
		otelprom.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes),
	)
	if err != nil {
		return nil, nil, err
	}
	return reader, promhttp.HandlerFor(whole{registry, own}, promhttp.HandlerOpts{
		ErrorLog:            &report{logger: logger, msg: "a scrape has errors, what is left of it was served"},
		ErrorHandling:       promhttp.ContinueOnError,
		Registry:            own,
		EnableOpenMetrics:   true, // the one text format with exemplars
		MaxRequestsInFlight: maxScrapes,
		CoalesceGather:      true,
		// It also buffers the answer, so that a slow client doesn't hold a
		// collection that others would get, stale, with theirs.
		Timeout: scrapeTimeout,
	}), nil
}

// A whole gathers the program's metrics and, with them, those of the handler
// itself. If there is nothing of the program's for an error, as when a callback
// panics, there is nothing at all, and the scrape fails: a target that is up and
// shows nothing would be a silent gap.
type whole struct{ program, own prometheus.Gatherer }

func (w whole) Gather() ([]*dto.MetricFamily, error) {
	families, err := w.program.Gather()
	if err != nil && len(families) == 0 {
		return nil, err
	}
	own, ownErr := w.own.Gather()
	return append(families, own...), errors.Join(err, ownErr)
}

// flush pushes to all places at once, and returns what was not delivered.
func (m *metrics) flush(ctx context.Context) error {
	return m.each(func(p *pusher) error { return p.flush(ctx) })
}

// shutdown makes the last pushes. The provider lives on, for a scrape under way.
func (m *metrics) shutdown(ctx context.Context) error {
	return m.each(func(p *pusher) error { return p.shutdown(ctx) })
}

// each does something with every pusher, at the same time: one that hangs
// leaves the others their time.
func (m *metrics) each(do func(*pusher) error) error {
	errs := make([]error, len(m.pushers))
	var wg sync.WaitGroup
	for i, p := range m.pushers {
		wg.Go(func() { errs[i] = do(p) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
