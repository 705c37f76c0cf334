package exporters

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// A text that is not UTF-8, as the name of a file may be, costs no batch: everything arrives, and
// no failure is counted.
func TestTextsThatAreNotUTF8(t *testing.T) {
	bad := attribute.String("file", "Stra\xdfe.mp4")
	for protocol, receiver := range map[string]func(t *testing.T) (*inbox, string){
		"grpc":          func(t *testing.T) (*inbox, string) { r := receive(t); return &r.inbox, r.url() },
		"http/protobuf": func(t *testing.T) (*inbox, string) { r := receiveHTTP(t); return &r.inbox, r.server.URL },
	} {
		t.Run(protocol, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
			got, url := receiver(t)
			tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(url), WithExportInterval(time.Hour), WithShutdownTimeout(patience),
				WithView(sdkmetric.NewView(sdkmetric.Instrument{Name: "size.exponential"},
					sdkmetric.Stream{Aggregation: sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 20, MaxScale: 3}}),
					sdkmetric.NewView(sdkmetric.Instrument{Name: "less"}, sdkmetric.Stream{AttributeFilter: attribute.NewDenyKeysFilter("file")})))
			for name, spoil := range map[string]func(s trace.Span){
				"name \xdf": func(trace.Span) {},
				"attribute": func(s trace.Span) { s.SetAttributes(bad) },
				"key":       func(s trace.Span) { s.SetAttributes(attribute.Bool("\xff", true)) },
				"list":      func(s trace.Span) { s.SetAttributes(attribute.StringSlice("files", []string{"\xdf"})) },
				"status":    func(s trace.Span) { s.SetStatus(codes.Error, "\xdf") },
				"error":     func(s trace.Span) { s.RecordError(errors.New("\xdf")) },
				"event":     func(s trace.Span) { s.AddEvent("\xdf") },
				"link": func(s trace.Span) {
					s.AddLink(trace.Link{SpanContext: s.SpanContext(), Attributes: []attribute.KeyValue{bad}})
				},
				"as it ought": func(trace.Span) {},
			} {
				_, s := tel.TracerProvider().Tracer("test").Start(t.Context(), name)
				spoil(s)
				s.End()
			}
			ctx, s := tel.TracerProvider().Tracer("test").Start(t.Context(), "exemplars")
			recordBad(ctx, t, tel.MeterProvider().Meter("test"), metric.WithAttributes(bad))
			s.End()
			count(tel, "jobs", 3)

			if err := tel.ForceFlush(t.Context()); err != nil {
				t.Error(err)
			}
			for _, name := range []string{"name \uFFFD", "attribute", "key", "list", "status", "error", "event", "link", "as it ought", "exemplars"} {
				if got.span(name) != 1 {
					t.Errorf("%d spans %q, want 1", got.span(name), name)
				}
			}
			for name, want := range map[string]float64{"jobs": 3, "files": 2, "bytes": 2.5, "less": 4, exportFailures: 0} {
				if got.sum(name) != want {
					t.Errorf("%s = %v, want %v", name, got.sum(name), want)
				}
			}
		})
	}
}

// recordBad records with an instrument of every kind.
func recordBad(ctx context.Context, t *testing.T, m metric.Meter, bad metric.MeasurementOption) {
	t.Helper()
	files, err := m.Int64Counter("files")
	bytes, err2 := m.Float64UpDownCounter("bytes")
	less, err3 := m.Int64Counter("less")
	level, err4 := m.Int64Gauge("level")
	share, err5 := m.Float64Gauge("share")
	frames, err6 := m.Int64Histogram("frames")
	size, err7 := m.Float64Histogram("size")
	exponential, err8 := m.Float64Histogram("size.exponential")
	if err := errors.Join(err, err2, err3, err4, err5, err6, err7, err8); err != nil {
		t.Fatal(err)
	}
	files.Add(ctx, 2, bad)
	bytes.Add(ctx, 2.5, bad)
	less.Add(ctx, 4, bad) // the exemplar has the attribute
	level.Record(ctx, 1, bad)
	share.Record(ctx, 1, bad)
	frames.Record(ctx, 1, bad)
	size.Record(ctx, 1, bad)
	exponential.Record(ctx, 1, bad)
}

// A proxy may answer with a long page, with control characters for a terminal.
func TestLongErrorsAreCut(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, strings.Repeat("<p>go away\x1b[31m\n", 100_000))
	}))
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	book := &exportertest.LogBook{}
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(server.URL), WithExportInterval(time.Hour), WithLogger(book.Logger()), WithShutdownTimeout(patience))
	count(tel, "jobs", 1)
	span(tel, "render")
	errs := []error{tel.ForceFlush(t.Context()), tel.Shutdown(t.Context())}
	for _, err := range errs {
		if err == nil || len(err.Error()) > 3000 || strings.ContainsAny(err.Error(), "\x1b") || !strings.Contains(err.Error(), "401") {
			t.Errorf("%d bytes: %.3000q", len(fmt.Sprint(err)), fmt.Sprint(err))
		}
	}
	if text := book.String(); len(text) > 3000 || !strings.Contains(text, "401") {
		t.Errorf("%d bytes logged: %.3000q", len(text), text)
	}
}
