package exporters

import (
	"context"
	"errors"
	"reflect"
	"sync"

	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
)

// metrics is the signal of metrics: one provider, and the places they go.
type metrics struct {
	provider *sdkmetric.MeterProvider
	sources  []*source // all
	shared   *source   // of those that want metrics as a scrape does; nil: none does
	failures *failures // nil: not pushed
	scraper  *scraper  // nil: no Prometheus
	pushers  []*pusher // OTLP, console
}

// newMetrics starts the signal. It is usable whatever the error says.
func newMetrics(ctx context.Context, s settings, res *resource.Resource) (*metrics, error) {
	m := &metrics{}
	var errs []error

	if s.prometheus {
		sc, err := newScraper(s.logger)
		if err != nil {
			errs = append(errs, err)
		} else {
			m.scraper, m.shared = sc, sc.source
			m.sources = append(m.sources, sc.source)
		}
	}
	if s.metricsConsole {
		e, err := stdoutmetric.New()
		if err != nil {
			errs = append(errs, err)
		} else {
			m.pushers = append(m.pushers, newPusher(s, res, m.source(e), e, nil))
		}
	}
	if s.metricsOTLP != nil {
		e, err := s.metricsOTLP.metricExporter(ctx)
		if err != nil {
			errs = append(errs, err)
		} else {
			m.failures = newFailures(s.metricsOTLP, s.logger)
			m.pushers = append(m.pushers, newPusher(s, res, m.source(e), e, m.failures))
		}
	}

	opts := append(s.meterOptions(), sdkmetric.WithResource(res))
	for _, src := range m.sources {
		opts = append(opts, sdkmetric.WithReader(src.reader))
	}
	m.provider = sdkmetric.NewMeterProvider(opts...)
	for _, p := range m.pushers {
		go p.run() // ended by its shutdown
	}
	return m, errors.Join(errs...)
}

// source returns what e's metrics come from: the shared source, unless e wants
// them otherwise.
func (m *metrics) source(e sdkmetric.Exporter) *source {
	if asScraped(e) && m.shared != nil {
		return m.shared
	}
	src := newSource(sdkmetric.NewManualReader(
		sdkmetric.WithTemporalitySelector(e.Temporality), sdkmetric.WithAggregationSelector(e.Aggregation)), isDelta(e))
	m.sources = append(m.sources, src)
	if asScraped(e) {
		m.shared = src
	}
	return src
}

// asScraped tells whether an exporter wants all instruments as a scrape has
// them: cumulative, and aggregated in the default way.
func asScraped(e sdkmetric.Exporter) bool {
	for _, k := range []sdkmetric.InstrumentKind{
		sdkmetric.InstrumentKindCounter, sdkmetric.InstrumentKindObservableCounter,
		sdkmetric.InstrumentKindUpDownCounter, sdkmetric.InstrumentKindObservableUpDownCounter,
		sdkmetric.InstrumentKindGauge, sdkmetric.InstrumentKindObservableGauge,
		sdkmetric.InstrumentKindHistogram,
	} {
		if e.Temporality(k) != metricdata.CumulativeTemporality || !reflect.DeepEqual(e.Aggregation(k), sdkmetric.DefaultAggregationSelector(k)) {
			return false
		}
	}
	return true
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
