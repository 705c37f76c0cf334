package instrumenttest

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/semconv"
)

// A Recorder holds what one pipeline records. Each call of a method collects anew. The measured
// program may run meanwhile, in any number of goroutines. Call the methods only on the goroutine of
// the test: they may end it.
type Recorder struct {
	t       testing.TB
	reader  *sdkmetric.ManualReader
	meters  *sdkmetric.MeterProvider
	spans   *tracetest.SpanRecorder
	tracers *sdktrace.TracerProvider
}

// New returns a pipeline and a recorder of what it measures. All spans are sampled. The options are
// applied after the recorder's own, so spans go to the provider of a WithTracerProvider.
// WithMeterProvider, which would leave the recorder without metrics, and an option with an error
// end the test. The pipeline and its providers are shut down when the test ends.
func New(t testing.TB, opts ...instrument.Option) (*instrument.Pipeline, *Recorder) {
	t.Helper()
	r := newRecorder(t)
	own := []instrument.Option{instrument.WithMeterProvider(r.meters), instrument.WithTracerProvider(r.tracers)}
	p, err := instrument.New(append(own, opts...)...)
	t.Cleanup(func() {
		// Not for long: the test may have made its ledger fail.
		soon, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		if err := p.Close(soon); err != nil && !errors.Is(err, budget.ErrUnavailable) {
			t.Errorf("instrumenttest: close the pipeline: %v", err)
		}
	})
	if err != nil {
		t.Fatalf("instrumenttest: New: %v", err)
	}
	if _, zeros := r.Snapshot().families[semconv.JobsName]; !zeros {
		t.Fatal("instrumenttest: New: the pipeline does not record here; was it given another meter provider?")
	}
	return p, r
}

func newRecorder(t testing.TB) *Recorder {
	t.Helper()
	r := &Recorder{t: t, reader: sdkmetric.NewManualReader(), spans: tracetest.NewSpanRecorder()}
	r.meters = sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader),
		sdkmetric.WithResource(resource.Empty()), sdkmetric.WithExemplarFilter(exemplar.TraceBasedFilter))
	r.tracers = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(r.spans),
		sdktrace.WithResource(resource.Empty()), sdktrace.WithSampler(sdktrace.AlwaysSample()))
	t.Cleanup(func() {
		ctx := context.Background()
		if err := r.meters.Shutdown(ctx); err != nil {
			t.Errorf("instrumenttest: shut the meter provider down: %v", err)
		}
		if err := r.tracers.Shutdown(ctx); err != nil {
			t.Errorf("instrumenttest: shut the tracer provider down: %v", err)
		}
	})
	return r
}

// MeterProvider returns the provider of the pipeline, for instruments of the program's own. They
// are read by their OpenTelemetry names.
func (r *Recorder) MeterProvider() metric.MeterProvider { return r.meters }

// TracerProvider returns the provider of the pipeline, for the program's own spans around or in a
// job.
func (r *Recorder) TracerProvider() trace.TracerProvider { return r.tracers }

// Snapshot returns the present state of all metrics.
func (r *Recorder) Snapshot() *Snapshot {
	r.t.Helper()
	return newSnapshot(r.t, r.collect())
}

func (r *Recorder) collect() *metricdata.ResourceMetrics {
	r.t.Helper()
	var rm metricdata.ResourceMetrics
	if err := r.reader.Collect(context.Background(), &rm); err != nil {
		r.t.Fatalf("instrumenttest: collect: %v", err)
	}
	return &rm
}

// Counter is [Snapshot.Counter] of a new snapshot.
func (r *Recorder) Counter(name string, attrs ...attribute.KeyValue) float64 {
	r.t.Helper()
	return r.Snapshot().Counter(name, attrs...)
}

// Gauge is [Snapshot.Gauge] of a new snapshot.
func (r *Recorder) Gauge(name string, attrs ...attribute.KeyValue) (value float64, ok bool) {
	r.t.Helper()
	return r.Snapshot().Gauge(name, attrs...)
}

// Histogram is [Snapshot.Histogram] of a new snapshot.
func (r *Recorder) Histogram(name string, attrs ...attribute.KeyValue) Histogram {
	r.t.Helper()
	return r.Snapshot().Histogram(name, attrs...)
}

// Exemplars is [Snapshot.Exemplars] of a new snapshot.
func (r *Recorder) Exemplars(name string, attrs ...attribute.KeyValue) []Exemplar {
	r.t.Helper()
	return r.Snapshot().Exemplars(name, attrs...)
}
