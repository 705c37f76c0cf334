package exporters

import (
	"slices"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// Over HTTP the general endpoint is a base URL; the endpoint of a signal is used as it is.
func TestPushOverHTTP(t *testing.T) {
	for _, tt := range []struct {
		name string
		set  func(t *testing.T, url string) []Option
		want []string
	}{
		{"option", func(t *testing.T, url string) []Option {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
			return []Option{WithOTLPEndpoint(url)}
		}, []string{"/v1/metrics", "/v1/traces"}},
		{"option with a path", func(t *testing.T, url string) []Option {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
			return []Option{WithOTLPEndpoint(url + "/api/v1/otlp/")}
		}, []string{"/api/v1/otlp/v1/metrics", "/api/v1/otlp/v1/traces"}},
		{"general variable", func(t *testing.T, url string) []Option {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
			return nil
		}, []string{"/v1/metrics", "/v1/traces"}},
		{"one per signal", func(t *testing.T, url string) []Option {
			t.Setenv("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/protobuf")
			t.Setenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf")
			t.Setenv("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", url+"/my/metrics")
			t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", url)
			return nil
		}, []string{"/", "/my/metrics"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := receiveHTTP(t)
			opts := append(tt.set(t, r.server.URL), WithoutPrometheus(), WithExportInterval(time.Hour), WithShutdownTimeout(patience))
			tel := start(t, opts...)
			count(tel, "jobs", 2)
			span(tel, "render")
			if err := tel.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			if jobs, spans := r.sum("jobs"), r.span("render"); jobs != 2 || spans != 1 {
				t.Errorf("got %v jobs and %d spans, want 2 and 1", jobs, spans)
			}
			if got := r.sortedPaths(); !slices.Equal(got, tt.want) {
				t.Errorf("paths %q, want %q", got, tt.want)
			}
			eventually(t, "Shutdown closed its connections", func() bool { return r.open.Load() == 0 })
		})
	}
}

// A certificate in the environment does not turn TLS on for an http URL.
func TestCertificateWithPlainEndpoint(t *testing.T) {
	ca := exportertest.NewAuthority(t)
	t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", ca.File)
	for _, protocol := range []string{"grpc", "http/protobuf"} {
		t.Run(protocol, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
			r, h := receive(t), receiveHTTP(t)
			url, box := r.url(), &r.inbox
			if protocol == "http/protobuf" {
				url, box = h.server.URL, &h.inbox
			}
			tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(url), WithExportInterval(time.Hour), WithShutdownTimeout(patience))
			count(tel, "jobs", 1)
			span(tel, "render")
			if err := tel.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			if jobs, spans := box.sum("jobs"), box.span("render"); jobs != 1 || spans != 1 {
				t.Errorf("got %v jobs and %d spans, want 1 and 1", jobs, spans)
			}
		})
	}
}
