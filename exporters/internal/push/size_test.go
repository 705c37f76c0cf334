package push

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/exporters/internal/settings"
	"github.com/stagemeter/stagemeter/semconv"
)

// scale returns a destination whose receiver notes the size of the last request.
func scale(t *testing.T, signal semconv.Signal) (*settings.Destination, *int) {
	t.Helper()
	bytes := new(int)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		*bytes = len(body)
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &settings.Destination{Signal: signal, Protocol: settings.ProtocolHTTP, URL: u, Timeout: time.Minute}, bytes
}

var long = strings.Repeat("long ", 5000)

// kinds are attributes of every kind.
var kinds = []attribute.KeyValue{
	attribute.Bool("bool", true), attribute.Int64("int", -1), attribute.Float64("float", 1.5), attribute.String("string", "märz"), attribute.String(long, long),
	attribute.BoolSlice("bools", []bool{true, false}), attribute.Int64Slice("ints", []int64{-1, 1 << 60}), attribute.Float64Slice("floats", []float64{1, 2}),
	attribute.StringSlice("strings", []string{"a", long, ""}), {Key: "bytes", Value: attribute.ByteSliceValue(make([]byte, 300))},
	{Key: "list", Value: attribute.SliceValue(attribute.StringValue("x"), attribute.Int64Value(-5))},
	{Key: "map", Value: attribute.MapValue(attribute.String("a", long), attribute.Bool("b", true))},
}

// between checks that a size is one from above, and no more than needed.
func between(t *testing.T, what string, actual, estimate int) {
	t.Helper()
	if estimate < actual || estimate > actual*3/2+500 {
		t.Errorf("%s: %d bytes, estimated as %d", what, actual, estimate)
	}
}

// The estimate is never below what the exporter sends, for every part of a collection.
func TestSizeOfPoints(t *testing.T) {
	d, bytes := scale(t, semconv.SignalMetrics)
	e, err := MetricExporter(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Shutdown(context.Background()) }()
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithExemplarFilter(exemplar.AlwaysOnFilter),
		sdkmetric.WithView(
			sdkmetric.NewView(sdkmetric.Instrument{Name: "expo"}, sdkmetric.Stream{Aggregation: sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 20}}),
			sdkmetric.NewView(sdkmetric.Instrument{Name: "less"}, sdkmetric.Stream{AttributeFilter: attribute.NewAllowKeysFilter("bool")}),
		))
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: [16]byte{1}, SpanID: [8]byte{1}, TraceFlags: trace.FlagsSampled}))
	for _, scope := range []string{"a", "b" + long[:200]} {
		m := provider.Meter(scope, metric.WithInstrumentationVersion("v1"), metric.WithInstrumentationAttributes(kinds[3], kinds[4]))
		c, err1 := m.Int64Counter("counter", metric.WithDescription(long[:300]), metric.WithUnit("{thing}"))
		l, err2 := m.Float64UpDownCounter("less")
		g, err3 := m.Float64Gauge("gauge")
		h, err4 := m.Float64Histogram("histogram")
		x, err5 := m.Int64Histogram("expo")
		for _, err := range []error{err1, err2, err3, err4, err5} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for i := range 10 {
			some := metric.WithAttributes(append([]attribute.KeyValue{attribute.Int("i", i)}, kinds[:i]...)...)
			c.Add(ctx, 1<<40, some)
			l.Add(ctx, -0.5, some)
			g.Record(ctx, 1, some)
			for k := range 100 {
				h.Record(ctx, float64(k*k), some)
				x.Record(ctx, int64(k*k*k*k), some)
			}
		}
	}
	var rm metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &rm); err != nil {
		t.Fatal(err)
	}
	rm.Resource = resource.NewWithAttributes("https://schema", kinds...)
	p := newPoints(&rm)
	if p.len() < 80 {
		t.Fatalf("%d points", p.len())
	}
	got := 0
	for step := 1; step <= p.len(); step = 2*step + 1 {
		for from := 0; from < p.len(); from += step {
			to := min(p.len(), from+step)
			part := p.part(from, to)
			if n := newPoints(part).len(); n != to-from {
				t.Fatalf("%d points of [%d, %d)", n, from, to)
			}
			if err := e.Export(t.Context(), part); err != nil {
				t.Fatal(err)
			}
			between(t, p.name(from), *bytes, p.size(from, to))
			got++
		}
	}
	if got < 100 {
		t.Errorf("only %d parts", got)
	}
}

// The same for spans.
func TestSizeOfSpans(t *testing.T) {
	d, bytes := scale(t, semconv.SignalTraces)
	e, err := SpanExporter(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Shutdown(context.Background()) }()
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder), sdktrace.WithResource(resource.NewWithAttributes("https://schema", kinds...)))
	state, err := trace.ParseTraceState("vendor=" + strings.Repeat("x", 200))
	if err != nil {
		t.Fatal(err)
	}
	parent := trace.NewSpanContext(trace.SpanContextConfig{TraceID: [16]byte{1}, SpanID: [8]byte{1}, TraceFlags: trace.FlagsSampled, TraceState: state, Remote: true})
	for i := range 24 {
		ctx := trace.ContextWithSpanContext(t.Context(), parent)
		_, s := provider.Tracer([]string{"a", "b" + long[:200]}[i/3%2]).Start(ctx, long[:i*10], trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(kinds[:i/2]...))
		for k := range i * 10 {
			s.AddEvent("event", trace.WithAttributes(kinds[k%4]))
		}
		for range i {
			s.AddLink(trace.Link{SpanContext: parent, Attributes: kinds[:i/2]})
		}
		s.SetStatus(otelcodes.Error, long)
		s.End()
	}
	spans := recorder.Ended()
	b := countedExporter{SpanExporter: e}.batch(spans)
	for step := 1; step <= len(spans); step = 2*step + 1 {
		for from := 0; from < len(spans); from += step {
			to := min(len(spans), from+step)
			if err := b.send(t.Context(), from, to); err != nil {
				t.Fatal(err)
			}
			between(t, spans[from].Name(), *bytes, b.size(from, to))
		}
	}
}

// Parts have all the points, in their order and their scopes.
func TestPartsOfPoints(t *testing.T) {
	var rm metricdata.ResourceMetrics
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	for _, scope := range []string{"a", "b"} {
		for _, name := range []string{"x", "y"} {
			c, err := provider.Meter(scope).Int64Counter(name)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 5 {
				c.Add(t.Context(), 1, metric.WithAttributes(attribute.Int("i", i)))
			}
		}
	}
	if err := reader.Collect(t.Context(), &rm); err != nil {
		t.Fatal(err)
	}
	p := newPoints(&rm)
	for limit := 1; limit <= 21; limit++ {
		points := map[string]int{}
		for from := 0; from < p.len(); from += limit {
			for _, scope := range p.part(from, min(p.len(), from+limit)).ScopeMetrics {
				for _, m := range scope.Metrics {
					for _, point := range m.Data.(metricdata.Sum[int64]).DataPoints {
						i, _ := point.Attributes.Value("i")
						points[scope.Scope.Name+m.Name+i.String()]++
					}
				}
			}
		}
		if len(points) != 20 {
			t.Errorf("limit %d: %v", limit, points)
		}
		for name, n := range points {
			if n != 1 {
				t.Errorf("limit %d: %s is in %d parts", limit, name, n)
			}
		}
	}
}
