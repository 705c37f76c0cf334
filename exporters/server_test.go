package exporters

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The port taken: the error says what to do, and the push goes on.
func TestPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := receive(t)
	tel, err := Start(t.Context(), WithPrometheusAddr(l.Addr().String()), WithOTLPEndpoint(r.url()), WithExportInterval(time.Hour), WithShutdownTimeout(patience))
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
		t.Errorf("the push doesn't go on: %v, jobs = %v", err, r.sum("jobs"))
	}
}

// An address that isn't this host's.
func TestForeignAddress(t *testing.T) {
	tel, err := Start(t.Context(), WithPrometheusAddr("192.0.2.1:0")) // of the documentation's network
	defer shutdown(tel)
	if err == nil || !strings.Contains(err.Error(), "192.0.2.1:0") || !strings.Contains(err.Error(), "this host doesn't have the address") {
		t.Errorf("Start: %v", err)
	}
}

// Port 0 takes a free port and Addr tells it, on IPv4 and IPv6.
func TestPortZero(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		t.Run(addr, func(t *testing.T) {
			tel := start(t, WithPrometheusAddr(addr))
			count(tel, "jobs", 1)
			_, port, err := net.SplitHostPort(tel.Addr().String())
			if err != nil || port == "0" {
				t.Fatalf("Addr = %v", tel.Addr())
			}
			if body := scrape(t, tel, "text/plain"); !strings.Contains(body, "\njobs_total 1\n") {
				t.Errorf("no jobs:\n%s", body)
			}
		})
	}
}

// The variables for host and port.
func TestPrometheusVariables(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_PROMETHEUS_HOST", "::1")
	t.Setenv("OTEL_EXPORTER_PROMETHEUS_PORT", "0")
	tel := start(t)
	if host, _, _ := net.SplitHostPort(tel.Addr().String()); host != "::1" {
		t.Errorf("Addr = %v, want one on ::1", tel.Addr())
	}
}

func TestPaths(t *testing.T) {
	tel := start(t, WithPrometheusAddr("127.0.0.1:0"), WithServiceName(`<script>alert("editor")</script>`))
	for _, tt := range []struct {
		path   string
		status int
		body   []string
	}{
		{"/metrics", http.StatusOK, []string{"target_info"}},
		{"/healthz", http.StatusOK, []string{"ok\n"}},
		{"/", http.StatusOK, []string{`<a href="/metrics">`, `<a href="/healthz">`, "&lt;script&gt;", "Version: ", "go1."}},
		{"/nowhere", http.StatusNotFound, nil},
		{"/debug/pprof/", http.StatusNotFound, nil},
	} {
		body, resp := ask(t, http.DefaultClient, "http://"+tel.Addr().String()+tt.path, "*/*")
		if resp.StatusCode != tt.status {
			t.Errorf("%s: %s, want %d", tt.path, resp.Status, tt.status)
		}
		for _, want := range tt.body {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %q:\n%s", tt.path, want, body)
			}
		}
		if tt.path == "/" && strings.Contains(body, "<script>") {
			t.Errorf("the service's name is not escaped:\n%s", body)
		}
	}
	resp, err := http.Post("http://"+tel.Addr().String()+"/metrics", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST /metrics: %s", resp.Status)
	}
}

// After Shutdown the port is free again, and a second Start may have it.
func TestShutdownFreesThePort(t *testing.T) {
	first := start(t, WithPrometheusAddr("127.0.0.1:0"))
	addr := first.Addr().String()
	if err := first.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := start(t, WithPrometheusAddr(addr))
	if got := second.Addr().String(); got != addr {
		t.Errorf("Addr = %s, want %s", got, addr)
	}
}
