package exporters

import (
	"context"
	"log"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

const exportFailures = "video.processing.export_failures"

// Metrics and spans arrive before the interval is over, both with the resource. The counter of
// failures is 0.
func TestPushArrives(t *testing.T) {
	r := receive(t)
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour),
		WithServiceName("editor"), WithServiceVersion("1.2.3"), WithResourceAttributes(attribute.String("deployment.environment.name", "test")))
	count(tel, "jobs", 3)
	span(tel, "render")

	eventually(t, "jobs is 3", func() bool { return r.sum("jobs") == 3 })
	eventually(t, "one span", func() bool { return r.span("render") == 1 })
	if got := r.sum(exportFailures); got != 0 {
		t.Errorf("%s = %v, want 0", exportFailures, got)
	}
	for key, want := range map[string]string{
		"service.name": "editor", "service.version": "1.2.3", "deployment.environment.name": "test", "telemetry.sdk.language": "go",
	} {
		if got := r.attribute(key); got != want {
			t.Errorf("resource %s = %q, want %q", key, got, want)
		}
	}
	if got := r.attribute("service.instance.id"); len(got) != 36 {
		t.Errorf("service.instance.id = %q, want a UUID", got)
	}
}

// Metrics are pushed at each interval.
func TestPushAtInterval(t *testing.T) {
	r := receive(t)
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(10*time.Millisecond))
	for i := 1; i <= 3; i++ {
		count(tel, "jobs", 1)
		eventually(t, "the count so far", func() bool { return r.sum("jobs") == float64(i) })
	}
}

// A receiver that comes up after the program gets everything that was counted before.
func TestReceiverDownAtStart(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "300")
	r := newReceiver(t)
	book := &exportertest.LogBook{}
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithLogger(book.Logger()))
	count(tel, "jobs", 7)
	eventually(t, "a failure is logged", func() bool { return book.Lines("OTLP export fails", "signal=metrics") == 1 })

	r.up(t)
	eventually(t, "jobs is 7", func() bool { return r.sum("jobs") == 7 })
	eventually(t, "recovery is logged", func() bool { return book.Lines("works again", "signal=metrics") == 1 })
	eventually(t, "the failures are counted", func() bool {
		_ = tel.ForceFlush(t.Context())
		return r.sum(exportFailures) >= 1
	})
}

// An outage loses no counts. The log has one line for each change of state, and data flows again
// before the interval is over.
func TestReceiverGoesAwayAndComesBack(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "300")
	r := receive(t)
	book := &exportertest.LogBook{}
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithLogger(book.Logger()))
	count(tel, "jobs", 1)
	eventually(t, "jobs is 1", func() bool { return r.sum("jobs") == 1 })

	for outage := 1; outage <= 2; outage++ {
		eventually(t, "a flush arrives", func() bool { return tel.ForceFlush(t.Context()) == nil }) // in 300 ms
		fails, recovers := book.Lines("OTLP export fails", "signal=metrics", r.addr), book.Lines("works again", "signal=metrics")
		r.down()
		before := tel.metrics.failures.Mark()
		count(tel, "jobs", 10)
		for tel.metrics.failures.Mark() < before+3 { // more attempts than the log has lines
			if err := tel.ForceFlush(t.Context()); err == nil {
				t.Fatal("ForceFlush: no error while the receiver is down")
			}
		}
		count(tel, "jobs", 100)
		if got := book.Lines("OTLP export fails", "signal=metrics", r.addr) - fails; got != 1 {
			t.Fatalf("%d lines about failing, want 1:\n%s", got, book)
		}
		r.up(t)
		eventually(t, "everything counted", func() bool { return r.sum("jobs") == float64(1+110*outage) })
		eventually(t, "recovery is logged", func() bool { return book.Lines("works again", "signal=metrics") == recovers+1 })
	}
	eventually(t, "a flush after the outage", func() bool { return tel.ForceFlush(t.Context()) == nil })
	if got, want := r.sum(exportFailures), float64(tel.metrics.failures.Mark()); got != want {
		t.Errorf("%s = %v, want %v", exportFailures, got, want)
	}
}

// Spans flow again after an outage. Their failures are counted separately.
func TestSpansAfterOutage(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "300")
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
	r := newReceiver(t)
	book := &exportertest.LogBook{}
	tel := start(t, WithPrometheusAddr("127.0.0.1:0"), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithLogger(book.Logger()))
	eventually(t, "three batches failed", func() bool {
		span(tel, "lost")
		return tel.traces.failures.Mark() >= 3
	})
	if got := book.Lines("OTLP export fails", "signal=traces", "dropped"); got != 1 {
		t.Errorf("%d lines about failing, want 1:\n%s", got, book)
	}
	if body := scraped(t, tel, "text/plain"); !strings.Contains(body, `video_processing_export_failures_total{signal="traces"} `) {
		t.Errorf("no failures of traces in the scrape:\n%s", body)
	}
	r.up(t)
	eventually(t, "a span arrives", func() bool { span(tel, "kept"); return r.span("kept") > 0 })
	eventually(t, "recovery is logged", func() bool { return book.Lines("works again", "signal=traces") == 1 })
}

// A receiver that never answers does not block the program: meanwhile it ends far more spans than
// the queue holds, and records many measurements.
func TestSlowReceiverDoesNotBlock(t *testing.T) {
	r := receive(t)
	hang := make(chan struct{})
	asked := make(chan struct{}, 1000)
	wait := func(ctx context.Context) error {
		asked <- struct{}{}
		select {
		case <-hang:
		case <-ctx.Done():
		}
		return ctx.Err()
	}
	r.onMetrics = func(ctx context.Context, _ *colmetrics.ExportMetricsServiceRequest) error { return wait(ctx) }
	r.onTraces = func(ctx context.Context, _ *coltrace.ExportTraceServiceRequest) error { return wait(ctx) }
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(10*time.Millisecond))
	span(tel, "first")
	<-asked

	for range 10_000 {
		count(tel, "jobs", 1)
		span(tel, "more than the queue holds")
	}
	if got := r.sum("jobs"); got != -1 {
		t.Fatalf("the receiver answered: jobs = %v", got)
	}
	close(hang)
	eventually(t, "everything counted", func() bool { return r.sum("jobs") == 10_000 })
}

// A refusal that retrying cannot cure is counted each time and logged once.
func TestRefusingReceiver(t *testing.T) {
	r := receive(t)
	r.onMetrics = func(context.Context, *colmetrics.ExportMetricsServiceRequest) error {
		return status.Error(codes.Unauthenticated, "who are you")
	}
	book := &exportertest.LogBook{}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { t.Errorf("reported to package otel too: %v", err) }))
	t.Cleanup(func() { otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Print(err) })) })
	tel := start(t, WithPrometheusAddr("127.0.0.1:0"), WithOTLPEndpoint(r.url()), WithExportInterval(10*time.Millisecond), WithLogger(book.Logger()))
	eventually(t, "five refusals", func() bool { return tel.metrics.failures.Mark() >= 5 })
	if got := book.Lines("OTLP export fails", "who are you"); got != 1 {
		t.Errorf("%d lines about failing, want 1:\n%s", got, book)
	}
	if body := scraped(t, tel, "text/plain"); !strings.Contains(body, `video_processing_export_failures_total{signal="metrics"} `) {
		t.Errorf("no failures of metrics in the scrape:\n%s", body)
	}
	if err := tel.ForceFlush(t.Context()); err == nil || !strings.Contains(err.Error(), "who are you") {
		t.Errorf("ForceFlush: %v, want the refusal", err)
	}
}

// A collection that is too big for one request is sent in several. If one of them is refused each
// time, the log has one line, not one for every change from request to request.
func TestOneBatchOfManyRefused(t *testing.T) {
	r := receive(t)
	var requests, refusals atomic.Int64
	r.onMetrics = func(_ context.Context, req *colmetrics.ExportMetricsServiceRequest) error {
		requests.Add(1)
		if hasMetric(req, "last") {
			refusals.Add(1)
			return status.Error(codes.InvalidArgument, "too much")
		}
		return nil
	}
	book := &exportertest.LogBook{}
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(10*time.Millisecond), WithLogger(book.Logger()))
	meter := tel.MeterProvider().Meter("test")
	for _, name := range []string{"a", "b", "c", "d", "e", "last"} {
		c, err := meter.Int64Counter(name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 1900 {
			c.Add(t.Context(), 1, metric.WithAttributes(attribute.Int("series", i)))
		}
	}
	eventually(t, "three refusals amid requests that pass", func() bool {
		return refusals.Load() >= 3 && requests.Load() >= 2*refusals.Load()
	})
	if fails, recovers := book.Lines("OTLP export fails"), book.Lines("works again"); fails != 1 || recovers != 0 {
		t.Errorf("%d lines about failing and %d about recovery, want 1 and 0:\n%s", fails, recovers, book)
	}
}

// ForceFlush delivers, also with a context that is over.
func TestForceFlush(t *testing.T) {
	r := receive(t)
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithShutdownTimeout(patience))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for i := 1; i <= 2; i++ {
		count(tel, "jobs", 1)
		span(tel, "render")
		if err := tel.ForceFlush(ctx); err != nil {
			t.Fatal(err)
		}
		if jobs, spans := r.sum("jobs"), r.span("render"); jobs != float64(i) || spans != i {
			t.Errorf("got %v jobs and %d spans, want %d each", jobs, spans, i)
		}
	}
}

// The variables that the exporters read take effect: headers, compression, temporality.
func TestExporterVariables(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=a%20b")
	t.Setenv("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "GZIP") // in any case
	t.Setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")
	r := receive(t)
	var got atomic.Int32
	r.onMetrics = func(_ context.Context, req *colmetrics.ExportMetricsServiceRequest) error {
		if hasMetric(req, "jobs") { // a later push with delta has none
			got.Store(int32(temporality(req, "jobs")))
		}
		return nil
	}
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour))
	count(tel, "jobs", 1)
	if err := tel.ForceFlush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.header("x-tenant"); !slices.Equal(got, []string{"a b"}) {
		t.Errorf("x-tenant = %q", got)
	}
	if got := r.encoding(); got != "gzip" {
		t.Errorf("compression = %q, want gzip", got)
	}
	if got.Load() != int32(metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA) {
		t.Errorf("temporality = %v, want delta", got.Load())
	}
}
