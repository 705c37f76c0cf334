package exporters

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// busyGRPC starts a receiver that asks to be left alone for an hour, and counts the requests.
func busyGRPC(code codes.Code) func(t *testing.T, requests *atomic.Int64) string {
	return func(t *testing.T, requests *atomic.Int64) string {
		s, err := status.New(code, "later").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		r := newReceiver(t)
		r.onMetrics = func(context.Context, *colmetrics.ExportMetricsServiceRequest) error { requests.Add(1); return s.Err() }
		r.onTraces = func(context.Context, *coltrace.ExportTraceServiceRequest) error { requests.Add(1); return s.Err() }
		r.up(t)
		return r.url()
	}
}

// busyHTTP is busyGRPC over HTTP.
func busyHTTP(code int, after string) func(t *testing.T, requests *atomic.Int64) string {
	return func(t *testing.T, requests *atomic.Int64) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			requests.Add(1)
			w.Header().Set("Retry-After", after)
			w.WriteHeader(code)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
}

// RetryInfo and Retry-After are obeyed by every push: at the interval, by ForceFlush, of later
// batches of spans. Only Shutdown asks once more, because nothing can be sent later.
func TestReceiverThatAsksToWait(t *testing.T) {
	for name, receiver := range map[string]func(t *testing.T, requests *atomic.Int64) string{
		"grpc Unavailable":       busyGRPC(codes.Unavailable),
		"grpc ResourceExhausted": busyGRPC(codes.ResourceExhausted),
		"http 429":               busyHTTP(http.StatusTooManyRequests, "3600"),
		"http 503":               busyHTTP(http.StatusServiceUnavailable, "99999999999"),
		"http 503 with a date":   busyHTTP(http.StatusServiceUnavailable, time.Now().Add(2*time.Hour).UTC().Format(http.TimeFormat)),
	} {
		for _, signal := range []string{"metrics", "delta metrics", "traces"} {
			t.Run(name+", "+signal, func(t *testing.T) {
				if strings.HasPrefix(name, "http") {
					t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
				}
				if signal == "traces" {
					t.Setenv("OTEL_METRICS_EXPORTER", "none")
				}
				if signal == "delta metrics" {
					t.Setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta")
				}
				t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
				var requests atomic.Int64
				t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver(t, &requests))
				if signal != "traces" {
					t.Setenv("OTEL_METRICS_EXPORTER", "otlp")
					t.Setenv("OTEL_TRACES_EXPORTER", "none")
				}
				book := &exportertest.LogBook{}
				tel := start(t, WithExportInterval(10*time.Millisecond), WithLogger(book.Logger()), WithShutdownTimeout(patience))
				record := func() { count(tel, "jobs", 1); span(tel, "render") }
				health := func() PushHealth {
					if signal == "traces" {
						return tel.Health().Traces
					}
					return tel.Health().Metrics
				}
				record()
				eventually(t, "the receiver asks to wait", func() bool { return health().Failures == 1 })
				for range 3 {
					record()
					if err := tel.ForceFlush(t.Context()); err == nil || !strings.Contains(err.Error(), "the receiver asks to wait") {
						t.Errorf("ForceFlush: %v", err)
					}
				}
				time.Sleep(200 * time.Millisecond) // in which many pushes would come; nothing is measured
				if got, h := requests.Load(), health(); got != 1 || h.Failures != 1 || !strings.Contains(h.LastError, "asks to wait 1h0m0s") {
					t.Errorf("%d requests, %+v", got, h)
				}
				if book.Lines("OTLP export waits, as the receiver asks") != 1 || book.Lines("OTLP") != 1 {
					t.Errorf("want one line:\n%s", book)
				}
				if err := tel.Shutdown(t.Context()); err == nil {
					t.Error("Shutdown: no error")
				}
				if got := requests.Load(); got != 2 {
					t.Errorf("%d requests with that of Shutdown, want 2", got)
				}
				if h := tel.Health(); signal == "traces" && h.Spans.Dropped != 4 {
					t.Errorf("%+v", h.Spans)
				}
			})
		}
	}
}
