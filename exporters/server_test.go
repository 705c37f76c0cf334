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

// The variables set host and port.
func TestPrometheusVariables(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_PROMETHEUS_HOST", "::1")
	t.Setenv("OTEL_EXPORTER_PROMETHEUS_PORT", "0")
	tel := start(t)
	if host, _, _ := net.SplitHostPort(tel.Addr().String()); host != "::1" {
		t.Errorf("Addr = %v, want one on ::1", tel.Addr())
	}
}
