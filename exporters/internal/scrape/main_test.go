package scrape

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.uber.org/goleak"

	"github.com/stagemeter/stagemeter/exporters/internal/collect"
	"github.com/stagemeter/stagemeter/exporters/internal/push"
	"github.com/stagemeter/stagemeter/exporters/internal/report"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Formats that a scrape may accept.
const (
	acceptText        = "text/plain;version=0.0.4"
	acceptOpenMetrics = "application/openmetrics-text;version=1.0.0"
	acceptProtobuf    = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)

// quiet silences package otel, which would log much about hostile telemetry.
var quiet = sync.OnceFunc(func() {
	otel.SetLogger(logr.Discard())
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
})

// A setup is what a test chooses for its provider. The zero value is the defaults.
type setup struct {
	logger   *slog.Logger
	views    []sdkmetric.View
	series   int
	resource []attribute.KeyValue
}

// A program has a provider, and the handler that shows its metrics.
type program struct {
	provider *sdkmetric.MeterProvider
	handler  *Handler
}

// start makes a program as package exporters does, and shuts it down at the end.
func start(t testing.TB, s setup) program {
	t.Helper()
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	h, err := New(s.logger)
	if err != nil {
		t.Fatal(err)
	}
	opts := []sdkmetric.Option{
		sdkmetric.WithReader(h.Source().Reader()), sdkmetric.WithView(collect.Views(s.views)...),
		sdkmetric.WithResource(resource.NewSchemaless(push.ValidAttributes(s.resource, report.ValidUTF8)...)),
	}
	if s.series > 0 {
		opts = append(opts, sdkmetric.WithCardinalityLimit(s.series))
	}
	p := program{sdkmetric.NewMeterProvider(opts...), h}
	t.Cleanup(p.end)
	return p
}

// end shuts p down.
func (p program) end() { _ = p.provider.Shutdown(context.Background()) }

// blockCollections makes each collection wait until release is called, and counts them.
func blockCollections(t *testing.T, p program) (collections *atomic.Int64, release func()) {
	t.Helper()
	collections = new(atomic.Int64)
	gate := make(chan struct{})
	release = sync.OnceFunc(func() { close(gate) })
	t.Cleanup(release)
	_, err := p.provider.Meter("test").Int64ObservableGauge("slow", metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
		collections.Add(1)
		<-gate
		o.Observe(1)
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	return collections, release
}

// serve calls h with headers: names and values in turn.
func serve(h http.Handler, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec
}
