package exporters

import (
	"context"
	"errors"
	"sync"

	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
)

// metrics is the signal of metrics: one provider, a reader per place they go.
type metrics struct {
	provider *sdkmetric.MeterProvider
	failures *failures // nil: not pushed
	scraper  *scraper  // nil: no Prometheus
	pushers  []*pusher // OTLP, console
}

// newMetrics starts the signal. It is usable whatever the error says.
func newMetrics(ctx context.Context, s settings, res *resource.Resource) (*metrics, error) {
	m := &metrics{}
	opts := append(s.meterOptions(), sdkmetric.WithResource(res))
	var errs []error

	if s.prometheus {
		sc, err := newScraper(s.logger)
		if err != nil {
			errs = append(errs, err)
		} else {
			m.scraper = sc
			opts = append(opts, sdkmetric.WithReader(sc.reader))
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
