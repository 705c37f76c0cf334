package exporters

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	colmetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// narrowLimit is how many bytes the receivers of this file take in a request.
const narrowLimit = 100 << 10

// A tally counts what arrived, by the attribute i of series and the names of spans.
type tally struct {
	mu       sync.Mutex
	series   map[string]float64
	spans    map[string]int
	requests int
}

func (c *tally) metrics(req *colmetrics.ExportMetricsServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests++
	for _, rm := range req.ResourceMetrics {
		for _, sm := range rm.ScopeMetrics {
			for _, m := range sm.Metrics {
				for _, p := range m.GetSum().GetDataPoints() {
					if v, ok := attributes(p.Attributes)["i"]; ok {
						c.series[v] += p.GetAsDouble() + float64(p.GetAsInt())
					}
				}
			}
		}
	}
}

func (c *tally) traces(req *coltrace.ExportTraceServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests++
	for _, rs := range req.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				c.spans[s.Name]++
			}
		}
	}
}

// narrowHTTP starts a receiver over HTTP that refuses a body over the limit with refuse.
func narrowHTTP(t *testing.T, c *tally, refuse func(http.ResponseWriter)) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, narrowLimit))
		if err != nil {
			refuse(w)
			return
		}
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(strings.NewReader(string(body)))
			if err != nil {
				t.Error(err)
				return
			}
			if body, err = io.ReadAll(z); err != nil {
				t.Error(err)
			}
		}
		if len(body) > narrowLimit {
			refuse(w)
			return
		}
		var m colmetrics.ExportMetricsServiceRequest
		var tr coltrace.ExportTraceServiceRequest
		if strings.HasSuffix(r.URL.Path, "metrics") {
			err = proto.Unmarshal(body, &m)
			c.metrics(&m)
		} else {
			err = proto.Unmarshal(body, &tr)
			c.traces(&tr)
		}
		if err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// narrowReceivers start receivers that refuse large requests, each in its own way.
var narrowReceivers = map[string]func(t *testing.T, c *tally) string{
	"grpc": func(t *testing.T, c *tally) string {
		r := newReceiver(t)
		r.onMetrics = func(_ context.Context, req *colmetrics.ExportMetricsServiceRequest) error { c.metrics(req); return nil }
		r.onTraces = func(_ context.Context, req *coltrace.ExportTraceServiceRequest) error { c.traces(req); return nil }
		r.up(t, grpc.MaxRecvMsgSize(narrowLimit))
		return r.url()
	},
	"http 413": func(t *testing.T, c *tally) string {
		return narrowHTTP(t, c, func(w http.ResponseWriter) { http.Error(w, "no", http.StatusRequestEntityTooLarge) })
	},
	"http 400, as a collector": func(t *testing.T, c *tally) string {
		return narrowHTTP(t, c, func(w http.ResponseWriter) {
			http.Error(w, "http: request body too large", http.StatusBadRequest)
		})
	},
	"http closed": func(t *testing.T, c *tally) string {
		return narrowHTTP(t, c, func(w http.ResponseWriter) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			conn.Close()
		})
	},
}

// A receiver that takes little in one request gets each item that is not too large, once. A
// single point or span that is too large is dropped, counted and logged once.
func TestReceiverThatTakesLittle(t *testing.T) {
	for name, receiver := range narrowReceivers {
		for _, compression := range []string{"none", "gzip"} {
			for _, temporality := range []string{"cumulative", "delta"} {
				t.Run(fmt.Sprintf("%s, %s, %s", name, compression, temporality), func(t *testing.T) {
					if strings.HasPrefix(name, "http") {
						t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
					}
					for _, timeout := range []string{"OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_BSP_EXPORT_TIMEOUT", "OTEL_METRIC_EXPORT_TIMEOUT"} {
						t.Setenv(timeout, fmt.Sprint(patience.Milliseconds()))
					}
					t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
					t.Setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", temporality)
					c := &tally{series: map[string]float64{}, spans: map[string]int{}}
					book := &exportertest.LogBook{}
					tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(receiver(t, c)), WithExportInterval(time.Hour), WithCardinalityLimit(5000),
						WithLogger(book.Logger()), WithShutdownTimeout(patience), onlyFlush)
					const series, ended = 3000, 200
					recordMany(t, tel, series, ended)
					if err := tel.ForceFlush(t.Context()); err == nil || !strings.Contains(err.Error(), "too large") {
						t.Errorf("ForceFlush: %v, want what was dropped", err)
					}
					c.mu.Lock()
					defer c.mu.Unlock()
					for i := range series {
						if got := c.series[fmt.Sprint("s", i)]; got != 1 {
							t.Fatalf("series %d is %v, want 1", i, got)
						}
					}
					for i := range ended {
						if got := c.spans[fmt.Sprint("render ", i)]; got != 1 {
							t.Fatalf("span %d arrived %d times", i, got)
						}
					}
					h := tel.Health()
					if h.Metrics.State != HealthWorks || h.Metrics.Failures != 1 || h.Traces.State != HealthWorks || h.Traces.Failures != 1 ||
						h.Spans.Sent != ended || h.Spans.Dropped != 1 || h.Spans.Queued+h.Spans.Sending+h.Spans.QueueFull != 0 {
						t.Errorf("%+v", h)
					}
					if book.Lines("too large", "signal=metrics", "name=jobs") != 1 || book.Lines("too large", "signal=traces", "giant") != 1 || book.Lines("OTLP") != 2 {
						t.Errorf("want a line for each signal:\n%s", book)
					}
				})
			}
		}
	}
}

// recordMany records series of a counter and ends spans, and one of each that is larger than the
// receivers of this file take.
func recordMany(t *testing.T, tel *Telemetry, series, ended int) {
	t.Helper()
	random := rand.New(rand.NewSource(1))
	text := func(n int) string { // that gzip makes half as long
		b := make([]byte, n/2)
		for i := range b {
			b[i] = byte(random.Intn(256))
		}
		return hex.EncodeToString(b)
	}
	jobs, err := tel.MeterProvider().Meter("test").Int64Counter("jobs")
	if err != nil {
		t.Fatal(err)
	}
	tracer := tel.TracerProvider().Tracer("test")
	ctx := context.Background()
	for i := range series {
		jobs.Add(ctx, 1, metric.WithAttributes(attribute.String("i", fmt.Sprint("s", i)), attribute.String("text", text(100))))
	}
	jobs.Add(ctx, 1, metric.WithAttributes(attribute.String("i", "giant"), attribute.String("text", text(6*narrowLimit))))
	for i := range ended + 1 {
		name, n := fmt.Sprint("render ", i), 2000
		if i == ended/2 {
			_, s := tracer.Start(ctx, "giant")
			s.SetAttributes(attribute.String("text", text(6*narrowLimit)))
			s.End()
		}
		if i == ended {
			break
		}
		_, s := tracer.Start(ctx, name)
		s.SetAttributes(attribute.String("text", text(n)))
		s.End()
	}
}
