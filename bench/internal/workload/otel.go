package workload

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	_ "github.com/prometheus/client_golang/prometheus/promhttp/zstd" // offers zstd
	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/otel/attribute"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/stagemeter/stagemeter/exporters"
)

// Instruments are those of a workload in a meter of OpenTelemetry, ours or the upstream one.
type Instruments struct {
	ctx      context.Context
	workload Workload
	counts   []metric.Int64Counter
	floats   []metric.Float64Counter
	hists    []metric.Float64Histogram
}

// NewInstruments makes the instruments of c. All is recorded under ctx.
func NewInstruments(ctx context.Context, meters metric.MeterProvider, c Workload) (*Instruments, error) {
	n := len(c.Instruments)
	o := &Instruments{ctx: ctx, workload: c, counts: make([]metric.Int64Counter, n), floats: make([]metric.Float64Counter, n),
		hists: make([]metric.Float64Histogram, n)}
	meter := meters.Meter("github.com/stagemeter/stagemeter/bench")
	var err error
	for n, i := range c.Instruments {
		name, unit := i.OTel()
		switch i.Kind {
		case Count:
			o.counts[n], err = meter.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(i.Help))
		case Seconds:
			o.floats[n], err = meter.Float64Counter(name, metric.WithUnit(unit), metric.WithDescription(i.Help))
		default:
			o.hists[n], err = meter.Float64Histogram(name, metric.WithUnit(unit), metric.WithDescription(i.Help),
				metric.WithExplicitBucketBoundaries(Bounds...))
		}
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}

// FillMeters adds a workload to what a provider has.
func FillMeters(meters metric.MeterProvider, c Workload) error {
	o, err := NewInstruments(context.Background(), meters, c)
	if err == nil {
		c.Fill(o)
	}
	return err
}

// Record records in a series of an instrument.
func (o *Instruments) Record(instrument, series int, value float64) {
	i := &o.workload.Instruments[instrument]
	attrs := make([]attribute.KeyValue, len(i.Labels))
	for l, label := range i.Labels {
		attrs[l] = attribute.String(label, i.Values[series][l])
	}
	set := metric.WithAttributeSet(attribute.NewSet(attrs...))
	switch i.Kind {
	case Count:
		o.counts[instrument].Add(o.ctx, int64(value), set)
	case Seconds:
		o.floats[instrument].Add(o.ctx, value, set)
	default:
		o.hists[instrument].Record(o.ctx, value, set)
	}
}

// ours is package exporters, scraped by its handler.
type ours struct {
	*Instruments
	tel *exporters.Telemetry
}

func newOurs(ctx context.Context, c Workload) (Store, error) {
	tel, err := exporters.Start(ctx, exporters.WithoutServer(), exporters.WithoutGlobals())
	if err != nil {
		return nil, err
	}
	o, err := NewInstruments(ctx, tel.MeterProvider(), c)
	return &ours{o, tel}, err
}

func (o *ours) Handler() http.Handler { return o.tel.Handler() }
func (o *ours) Close() error          { return o.tel.Shutdown(context.Background()) }

// upstream is the exporter of OpenTelemetry for Prometheus, behind the handler of client_golang.
type upstream struct {
	*Instruments
	meters  *sdkmetric.MeterProvider
	handler http.Handler
}

func newUpstream(ctx context.Context, c Workload) (Store, error) {
	meters, handler, err := NewUpstream()
	if err != nil {
		return nil, err
	}
	o, err := NewInstruments(ctx, meters, c)
	return &upstream{o, meters, handler}, err
}

// NewUpstream makes a provider whose one reader is the upstream exporter, with the names that ours shows, and the
// handler that serves it.
func NewUpstream() (*sdkmetric.MeterProvider, http.Handler, error) {
	registry := prometheus.NewRegistry()
	reader, err := otelprom.New(otelprom.WithRegisterer(registry), otelprom.WithoutScopeInfo(),
		otelprom.WithTranslationStrategy(otlptranslator.UnderscoreEscapingWithSuffixes))
	if err != nil {
		return nil, nil, err
	}
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	return meters, promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}), nil
}

func (u *upstream) Handler() http.Handler { return u.handler }
func (u *upstream) Close() error          { return u.meters.Shutdown(context.Background()) }
