package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/internal/registry"
)

// refusingMeters is a provider whose meter refuses one instrument, as the SDK does for one that a View makes
// impossible.
type refusingMeters struct {
	metric.MeterProvider
	name string
}

type refusingMeter struct {
	metric.Meter
	name string
}

var errRefused = errors.New("refused")

func (p refusingMeters) Meter(name string, opts ...metric.MeterOption) metric.Meter {
	return refusingMeter{p.MeterProvider.Meter(name, opts...), p.name}
}

func refuse[I any](m refusingMeter, name string, create func() (I, error)) (I, error) {
	if name == m.name {
		var none I
		return none, fmt.Errorf("%s: %w", name, errRefused)
	}
	return create()
}

func (m refusingMeter) Int64Counter(name string, opts ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return refuse(m, name, func() (metric.Int64Counter, error) { return m.Meter.Int64Counter(name, opts...) })
}

func (m refusingMeter) Int64UpDownCounter(name string, opts ...metric.Int64UpDownCounterOption) (metric.Int64UpDownCounter, error) {
	return refuse(m, name, func() (metric.Int64UpDownCounter, error) { return m.Meter.Int64UpDownCounter(name, opts...) })
}

func (m refusingMeter) Int64Gauge(name string, opts ...metric.Int64GaugeOption) (metric.Int64Gauge, error) {
	return refuse(m, name, func() (metric.Int64Gauge, error) { return m.Meter.Int64Gauge(name, opts...) })
}

func (m refusingMeter) Int64Histogram(name string, opts ...metric.Int64HistogramOption) (metric.Int64Histogram, error) {
	return refuse(m, name, func() (metric.Int64Histogram, error) { return m.Meter.Int64Histogram(name, opts...) })
}

func (m refusingMeter) Int64ObservableCounter(name string, opts ...metric.Int64ObservableCounterOption) (metric.Int64ObservableCounter, error) {
	return refuse(m, name, func() (metric.Int64ObservableCounter, error) { return m.Meter.Int64ObservableCounter(name, opts...) })
}

func (m refusingMeter) Int64ObservableUpDownCounter(name string, opts ...metric.Int64ObservableUpDownCounterOption) (metric.Int64ObservableUpDownCounter, error) {
	return refuse(m, name, func() (metric.Int64ObservableUpDownCounter, error) {
		return m.Meter.Int64ObservableUpDownCounter(name, opts...)
	})
}

func (m refusingMeter) Int64ObservableGauge(name string, opts ...metric.Int64ObservableGaugeOption) (metric.Int64ObservableGauge, error) {
	return refuse(m, name, func() (metric.Int64ObservableGauge, error) { return m.Meter.Int64ObservableGauge(name, opts...) })
}

func (m refusingMeter) Float64Counter(name string, opts ...metric.Float64CounterOption) (metric.Float64Counter, error) {
	return refuse(m, name, func() (metric.Float64Counter, error) { return m.Meter.Float64Counter(name, opts...) })
}

func (m refusingMeter) Float64UpDownCounter(name string, opts ...metric.Float64UpDownCounterOption) (metric.Float64UpDownCounter, error) {
	return refuse(m, name, func() (metric.Float64UpDownCounter, error) { return m.Meter.Float64UpDownCounter(name, opts...) })
}

func (m refusingMeter) Float64Gauge(name string, opts ...metric.Float64GaugeOption) (metric.Float64Gauge, error) {
	return refuse(m, name, func() (metric.Float64Gauge, error) { return m.Meter.Float64Gauge(name, opts...) })
}

func (m refusingMeter) Float64Histogram(name string, opts ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return refuse(m, name, func() (metric.Float64Histogram, error) { return m.Meter.Float64Histogram(name, opts...) })
}

func (m refusingMeter) Float64ObservableCounter(name string, opts ...metric.Float64ObservableCounterOption) (metric.Float64ObservableCounter, error) {
	return refuse(m, name, func() (metric.Float64ObservableCounter, error) {
		return m.Meter.Float64ObservableCounter(name, opts...)
	})
}

func (m refusingMeter) Float64ObservableUpDownCounter(name string, opts ...metric.Float64ObservableUpDownCounterOption) (metric.Float64ObservableUpDownCounter, error) {
	return refuse(m, name, func() (metric.Float64ObservableUpDownCounter, error) {
		return m.Meter.Float64ObservableUpDownCounter(name, opts...)
	})
}

func (m refusingMeter) Float64ObservableGauge(name string, opts ...metric.Float64ObservableGaugeOption) (metric.Float64ObservableGauge, error) {
	return refuse(m, name, func() (metric.Float64ObservableGauge, error) { return m.Meter.Float64ObservableGauge(name, opts...) })
}

// nilMeters is a provider whose meter gives nothing, and says nothing, for what is recorded synchronously.
type nilMeters struct{ metric.MeterProvider }

type nilMeter struct{ metric.Meter }

func (p nilMeters) Meter(name string, opts ...metric.MeterOption) metric.Meter {
	return nilMeter{p.MeterProvider.Meter(name, opts...)}
}

func (nilMeter) Int64Counter(string, ...metric.Int64CounterOption) (metric.Int64Counter, error) {
	return nil, nil
}

func (nilMeter) Float64Counter(string, ...metric.Float64CounterOption) (metric.Float64Counter, error) {
	return nil, nil
}

func (nilMeter) Int64Histogram(string, ...metric.Int64HistogramOption) (metric.Int64Histogram, error) {
	return nil, nil
}

func (nilMeter) Float64Histogram(string, ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return nil, nil
}

// nilTracers is a provider whose tracer gives neither a context nor a span.
type nilTracers struct{ trace.TracerProvider }

type nilTracer struct{ trace.Tracer }

func (nilTracers) Tracer(string, ...trace.TracerOption) trace.Tracer { return nilTracer{} }

func (nilTracer) Start(context.Context, string, ...trace.SpanStartOption) (context.Context, trace.Span) {
	return nil, nil
}

// nilPropagator extracts no context at all.
type nilPropagator struct{ propagation.TextMapPropagator }

func (nilPropagator) Extract(context.Context, propagation.TextMapCarrier) context.Context { return nil }

func TestProvidersThatGiveNil(t *testing.T) {
	p, err := instrument.New(
		instrument.WithMeterProvider(nilMeters{sdkmetric.NewMeterProvider()}),
		instrument.WithTracerProvider(nilTracers{}),
		instrument.WithPropagators(nilPropagator{}))
	if err != nil {
		t.Error(err)
	}
	ran := false
	err = p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
		_, err := instrument.RunStageValue(ctx, "analysis", func(ctx context.Context) (int, error) {
			ran = true
			return instrument.RunCallValue(ctx, "gpt", nil, func(context.Context) (int, error) { return 1, nil })
		})
		return err
	}, instrument.WithCarrier(propagation.MapCarrier{}), instrument.WithRemoteParent())
	if err != nil || !ran {
		t.Errorf("the job ran: %v, %v", ran, err)
	}
}

// A refused instrument costs its own metric: not the others, and not the program.
func TestMeterThatRefusesAnInstrument(t *testing.T) {
	everything := func(p *instrument.Pipeline) {
		recordEverything(instrument.ContextWithPipeline(context.Background(), p))
		ctx, job := p.StartJob(context.Background(), "job-1", instrument.WithBudget(instrument.Dollar))
		instrument.Spend(ctx, "gpu", instrument.Cent)
		_, second := p.StartJob(context.Background(), "job-2", instrument.WithVideoDuration(time.Minute))
		second.End(nil)
		_ = job // lives on
	}
	all, rec := instrumenttest.New(t)
	everything(all)
	families := familiesOf(rec)
	for _, m := range registry.Metrics() {
		if !m.OfPipeline {
			continue
		}
		t.Run(m.Name, func(t *testing.T) {
			unused, rec := instrumenttest.New(t) // for its providers
			if err := unused.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			p, err := instrument.New(instrument.WithMeterProvider(refusingMeters{rec.MeterProvider(), m.Name}))
			if p == nil || !errors.Is(err, errRefused) || !strings.Contains(err.Error(), m.Name) {
				t.Fatalf("New = %v, %v, want a pipeline and an error that names the metric", p, err)
			}
			if strings.Contains(err.Error(), "invalid observable") {
				t.Errorf("%v: the callback was refused as well", err)
			}
			defer p.Close(t.Context())
			everything(p)
			got := familiesOf(rec)
			for name := range families {
				if name != m.Prometheus && !got[name] {
					t.Errorf("%s is gone as well", name)
				}
			}
		})
	}
}

func familiesOf(rec *instrumenttest.Recorder) map[string]bool {
	families := make(map[string]bool)
	for line := range strings.Lines(rec.Exposition()) {
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			families[strings.Fields(name)[0]] = true
		}
	}
	return families
}

// Providers that break their promise.
func TestProvidersThatGiveNothing(t *testing.T) {
	p, err := instrument.New(instrument.WithMeterProvider(meters{}), instrument.WithTracerProvider(tracers{}))
	if p == nil || err == nil || !strings.Contains(err.Error(), "meters gave no meter") || !strings.Contains(err.Error(), "tracers gave no tracer") {
		t.Fatalf("New = %v, %v", p, err)
	}
	recordEverything(instrument.ContextWithPipeline(t.Context(), p))
	if err := p.RunJob(t.Context(), "job-1", func(context.Context) error { return errDecoder }); err != errDecoder {
		t.Errorf("RunJob = %v", err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

type (
	meters  struct{ metric.MeterProvider }
	tracers struct{ trace.TracerProvider }
)

func (meters) Meter(string, ...metric.MeterOption) metric.Meter   { return nil }
func (tracers) Tracer(string, ...trace.TracerOption) trace.Tracer { return nil }

// A provider that was shut down before the program's last words.
func TestAfterShutdown(t *testing.T) {
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	before, err := instrument.New(instrument.WithMeterProvider(provider))
	if err != nil {
		t.Fatal(err)
	}
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := instrument.New(instrument.WithMeterProvider(provider))
	if err != nil {
		t.Errorf("New = %v", err)
	}
	for _, p := range []*instrument.Pipeline{before, after} {
		recordEverything(instrument.ContextWithPipeline(t.Context(), p))
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
