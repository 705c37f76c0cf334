package exporters

import (
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// If the port is taken, the error says what to do, and pushes continue.
func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := receive(t)
	tel, err := Start(t.Context(), WithoutGlobals(), WithPrometheusAddr(l.Addr().String()), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithShutdownTimeout(patience))
	defer shutdown(tel)
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("Start: %v, want EADDRINUSE", err)
	}
	for _, want := range []string{l.Addr().String(), "another program has the port", "WithPrometheusAddr", "OTEL_EXPORTER_PROMETHEUS_PORT"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q\nlacks %q", err, want)
		}
	}
	if tel.Addr() != nil {
		t.Errorf("Addr = %v, want nil", tel.Addr())
	}
	count(tel, "jobs", 1)
	if err := tel.ForceFlush(t.Context()); err != nil || r.sum("jobs") != 1 {
		t.Errorf("the pushes stop: %v, jobs = %v", err, r.sum("jobs"))
	}
}

// An address on which nobody can listen: the error names what set it. If that was nothing, the
// advice does.
func TestAddressOfAnotherHost(t *testing.T) {
	const other = "192.0.2.1" // of the documentation's network
	for _, tt := range []struct {
		reason, host, port string
		opts               []Option
		want               string
	}{
		{"the option", "", "", []Option{WithPrometheusAddr(other + ":1")}, `exporters: WithPrometheusAddr("192.0.2.1:1"): metrics are not served`},
		{"the option, over the variables", "127.0.0.1", "0", []Option{WithPrometheusAddr(other + ":1")}, `exporters: WithPrometheusAddr("192.0.2.1:1"): metrics are not served`},
		{"the host", other, "", nil, `exporters: OTEL_EXPORTER_PROMETHEUS_HOST="192.0.2.1": metrics are not served on 192.0.2.1:9099`},
		{"host and port", other, "1", nil, `exporters: OTEL_EXPORTER_PROMETHEUS_HOST="192.0.2.1", OTEL_EXPORTER_PROMETHEUS_PORT="1": metrics are not served`},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_PROMETHEUS_HOST", tt.host)
			t.Setenv("OTEL_EXPORTER_PROMETHEUS_PORT", tt.port)
			tel, err := Start(t.Context(), append(tt.opts, WithoutGlobals())...)
			defer shutdown(tel)
			if !errors.Is(err, syscall.EADDRNOTAVAIL) || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("%v\nwant    %s", err, tt.want)
			}
		})
	}
}

// The variables set host and port.
func TestPrometheusVariables(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_PROMETHEUS_HOST", "::1")
	t.Setenv("OTEL_EXPORTER_PROMETHEUS_PORT", "0")
	tel := start(t)
	if host, _, _ := net.SplitHostPort(tel.Addr().String()); host != "::1" {
		t.Errorf("Addr = %v, want one on ::1", tel.Addr())
	}
}
