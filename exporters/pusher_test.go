package exporters

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// A callback that returns an error costs only its own metric.
func TestCallbackThatFails(t *testing.T) {
	r := receive(t)
	book := &exportertest.LogBook{}
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(10*time.Millisecond), WithLogger(book.Logger()))
	observe(t, tel, "pool", func() (int64, error) { return 0, errors.New("db gone") })
	for i := 1; i <= 3; i++ {
		count(tel, "jobs", 1)
		eventually(t, "the count so far", func() bool { return r.sum("jobs") == float64(i) })
	}
	if err := tel.ForceFlush(t.Context()); err == nil || !strings.Contains(err.Error(), "db gone") {
		t.Errorf("ForceFlush: %v, want what was not collected", err)
	}
	if got := book.Lines("a collection has errors", "db gone"); got != 1 {
		t.Errorf("%d lines, want 1:\n%s", got, book)
	}
}

// A callback that panics does not end the program. Pushes and scrapes fail as long as it panics,
// and are complete afterwards: nobody would notice a target that is up and shows nothing.
func TestCallbackThatPanics(t *testing.T) {
	r := receive(t)
	book := &exportertest.LogBook{}
	tel := start(t, WithPrometheusAddr("127.0.0.1:0"), WithOTLPEndpoint(r.url()), WithExportInterval(10*time.Millisecond), WithLogger(book.Logger()))
	var broken atomic.Bool
	broken.Store(true)
	observe(t, tel, "pool", func() (int64, error) {
		if broken.Load() {
			panic("nil pool")
		}
		return 3, nil
	})
	count(tel, "jobs", 1)
	eventually(t, "it is logged", func() bool { return book.Lines("a collection has errors", "nil pool") == 1 })
	for range 3 {
		rec := httptest.NewRecorder()
		tel.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if rec.Code != http.StatusInternalServerError {
			t.Errorf("a scrape without a metric of the program answers %d:\n%s", rec.Code, rec.Body)
		}
	}
	if got := book.Lines("a scrape has errors"); got != 1 {
		t.Errorf("%d lines about scrapes, want 1:\n%s", got, book)
	}
	broken.Store(false)
	eventually(t, "jobs is 1", func() bool { return r.sum("jobs") == 1 })
	if body := scraped(t, tel, "text/plain"); !strings.Contains(body, "\npool 3\n") {
		t.Errorf("the scrape does not recover:\n%s", body)
	}
}

// With delta temporality a collection is not abandoned, but ForceFlush returns when its time is
// over.
func TestFlushWithDeltaWhileACallbackBlocks(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")
	r := receive(t)
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour))
	eventually(t, "the first push", func() bool { return r.sum(exportFailures) == 0 })
	_, release := blockCollections(t, tel)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := tel.ForceFlush(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ForceFlush: %v, want that the time is over", err)
	}
	release()
	eventually(t, "pushes continue", func() bool { return tel.ForceFlush(t.Context()) == nil })
}

// A silent connection, such as that of a port scanner or a browser that connects early, takes no
// time from the last push.
func TestSilentConnectionAtShutdown(t *testing.T) {
	r := receive(t)
	tel := start(t, WithPrometheusAddr("127.0.0.1:0"), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithShutdownTimeout(900*time.Millisecond))
	conn, err := net.Dial("tcp", tel.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := tel.ForceFlush(ctx); err != nil { // connected
		t.Fatal(err)
	}
	count(tel, "jobs", 1)
	_ = tel.Shutdown(t.Context())
	if got := r.sum("jobs"); got != 1 {
		t.Errorf("jobs = %v, want 1", got)
	}
}

// A receiver accepts 4 MiB in a request. A bigger collection arrives in several, with every
// exemplar.
func TestBigCollectionArrives(t *testing.T) {
	const series = 5000 // about 5 MiB
	r := receive(t)
	var points, exemplars atomic.Int64
	r.onMetrics = func(_ context.Context, req *colmetrics.ExportMetricsServiceRequest) error {
		for _, rm := range req.ResourceMetrics {
			for _, sm := range rm.ScopeMetrics {
				for _, m := range sm.Metrics {
					for _, p := range m.GetHistogram().GetDataPoints() {
						points.Add(1)
						exemplars.Add(int64(len(p.Exemplars)))
					}
				}
			}
		}
		return nil
	}
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithCardinalityLimit(20000), WithShutdownTimeout(patience))
	h, err := tel.MeterProvider().Meter("test").Float64Histogram("work", metric.WithExplicitBucketBoundaries(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
	if err != nil {
		t.Fatal(err)
	}
	ctx, span := tel.TracerProvider().Tracer("test").Start(t.Context(), "work")
	for i := range series {
		attrs := metric.WithAttributes(attribute.Int("series", i))
		for bucket := range 16 {
			h.Record(ctx, float64(bucket)+0.5, attrs)
		}
	}
	span.End()
	points.Store(0) // without those of a push at the start
	exemplars.Store(0)
	if err := tel.ForceFlush(t.Context()); err != nil {
		t.Errorf("ForceFlush: %v", err)
	}
	if points.Load() < series || exemplars.Load() < 16*series {
		t.Errorf("%d points with %d exemplars, want %d with 16 each", points.Load(), exemplars.Load(), series)
	}
}
