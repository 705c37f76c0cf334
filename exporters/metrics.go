package exporters

import (
	"context"
	"errors"
	"reflect"
	"sync"

	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/stagemeter/stagemeter/exporters/internal/collect"
	"github.com/stagemeter/stagemeter/exporters/internal/push"
	"github.com/stagemeter/stagemeter/exporters/internal/scrape"
	"github.com/stagemeter/stagemeter/exporters/internal/settings"
)

// metrics is the signal of metrics: one provider and the exporters of its metrics.
type metrics struct {
	provider *sdkmetric.MeterProvider
	meters   metric.MeterProvider // provider, for the program
	sources  []*collect.Source    // all of the provider
	shared   *collect.Source      // the one with a scrape's temporality and aggregation; nil: none
	limit    int                  // of the series of an instrument
	failures *push.Failures       // nil: not pushed
	scrapes  *scrape.Handler      // nil: no Prometheus
	pushers  []*push.Pusher       // OTLP, console
}

// newMetrics starts the signal. The result is usable whatever the error says.
func newMetrics(ctx context.Context, s settings.Settings, res *resource.Resource) (*metrics, error) {
	m := &metrics{limit: s.SeriesLimit()}
	var errs []error

	if s.Prometheus {
		h, err := scrape.New(s.Logger)
		if err != nil {
			errs = append(errs, err)
		} else {
			m.scrapes, m.shared = h, h.Source()
			m.sources = append(m.sources, m.shared)
		}
	}
	c := push.Config{Resource: res, Logger: s.Logger, Interval: s.Interval, Timeout: s.ExportTimeout, Pace: s.Pace}
	if s.MetricsConsole {
		e, err := stdoutmetric.New()
		if err != nil {
			errs = append(errs, err)
		} else {
			m.pushers = append(m.pushers, push.NewPusher(c, m.source(e), e, nil))
		}
	}
	if s.MetricsOTLP != nil {
		e, err := push.MetricExporter(ctx, s.MetricsOTLP)
		if err != nil {
			errs = append(errs, err)
		} else {
			m.failures = push.NewFailures(s.MetricsOTLP, s.Logger)
			m.pushers = append(m.pushers, push.NewPusher(c, m.source(e), e, m.failures))
		}
	}

	opts := append(meterOptions(s), sdkmetric.WithResource(res))
	for _, source := range m.sources {
		opts = append(opts, sdkmetric.WithReader(source.Reader()))
	}
	m.provider = sdkmetric.NewMeterProvider(opts...)
	m.meters = collect.Meters(m.provider)
	for _, p := range m.pushers {
		go p.Run() // ends at Shutdown
	}
	return m, errors.Join(errs...)
}

// meterOptions returns the provider's options that do not depend on where the metrics go.
func meterOptions(s settings.Settings) []sdkmetric.Option {
	opts := []sdkmetric.Option{
		sdkmetric.WithExemplarFilter(s.Exemplars),
		sdkmetric.WithView(collect.Views(s.Config.Views)...),
	}
	return append(opts, sdkmetric.WithCardinalityLimit(s.SeriesLimit()))
}

// source returns the source for e: the shared one, unless e selects another temporality or
// aggregation.
func (m *metrics) source(e sdkmetric.Exporter) *collect.Source {
	if asScraped(e) && m.shared != nil {
		return m.shared
	}
	source := collect.NewSourceFor(e)
	m.sources = append(m.sources, source)
	if asScraped(e) {
		m.shared = source
	}
	return source
}

// asScraped reports whether e selects the temporality and aggregation of a scrape for every
// instrument: cumulative, and the SDK's default.
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

// flush pushes to all exporters, and returns an error for metrics that were not delivered.
func (m *metrics) flush(ctx context.Context) error {
	return m.each(func(p *push.Pusher) error { return p.Flush(ctx) })
}

// shutdown makes the last pushes. The provider continues, for a scrape that is under way.
func (m *metrics) shutdown(ctx context.Context) error {
	return m.each(func(p *push.Pusher) error { return p.Shutdown(ctx) })
}

// each calls do with all pushers at the same time, so that one that hangs leaves the others their
// time.
func (m *metrics) each(do func(*push.Pusher) error) error {
	errs := make([]error, len(m.pushers))
	var wg sync.WaitGroup
	for i, p := range m.pushers {
		wg.Go(func() { errs[i] = do(p) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
