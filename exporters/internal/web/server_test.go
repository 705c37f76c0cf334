package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// config returns c with the values that every server needs.
func config(c Config) Config {
	if c.Addr == "" {
		c.Addr = "127.0.0.1:0"
	}
	c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "jobs_total 1\n") })
	c.Timeout = 30 * time.Second
	c.Logger = slog.New(slog.DiscardHandler)
	return c
}

// start serves until the test ends.
func start(t *testing.T, c Config) *Server {
	t.Helper()
	return listen(t, config(c))
}

// listen serves what c says until the test ends.
func listen(t *testing.T, c Config) *Server {
	t.Helper()
	s, err := Listen(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Shutdown(context.Background()) })
	return s
}

// get returns the body and the status of a path of s.
func get(t *testing.T, s *Server, path string) (string, int) {
	t.Helper()
	defer http.DefaultClient.CloseIdleConnections()
	resp, err := http.Get("http://" + s.Addr().String() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), resp.StatusCode
}

// A host that does not exist, without asking a name server.
func TestAdviceForAnUnknownHost(t *testing.T) {
	err := fmt.Errorf("listen tcp: %w", &net.DNSError{Err: "no such host", Name: "nohost.invalid", IsNotFound: true})
	if got := advice(err); !strings.Contains(got, "a name or an IP address of this host") {
		t.Errorf("%q", got)
	}
}

// A port that is taken, and an address of another host: the error says what to do.
func TestAddressThatCannotBeUsed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, tt := range []struct {
		addr string
		is   error
		want string
	}{
		{l.Addr().String(), syscall.EADDRINUSE, "another program has the port"},
		{"192.0.2.1:0", syscall.EADDRNOTAVAIL, "this host does not have the address"}, // of the documentation's network
	} {
		s, err := Listen(config(Config{Addr: tt.addr}))
		if s != nil || !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.addr) ||
			!strings.Contains(err.Error(), "WithPrometheusAddr") || !strings.Contains(err.Error(), "OTEL_EXPORTER_PROMETHEUS_") {
			t.Errorf("%s: %v", tt.addr, err)
		}
	}
}

// With port 0 the system chooses a free port, on IPv4 and IPv6.
func TestPortZero(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		s := start(t, Config{Addr: addr})
		if _, port, err := net.SplitHostPort(s.Addr().String()); err != nil || port == "0" {
			t.Errorf("%s: Addr = %v", addr, s.Addr())
		}
		if body, status := get(t, s, "/metrics"); status != http.StatusOK || body != "jobs_total 1\n" {
			t.Errorf("%s: %d: %s", addr, status, body)
		}
	}
}

func TestPaths(t *testing.T) {
	s := start(t, Config{Service: `<script>alert("editor")</script>`})
	for _, tt := range []struct {
		path   string
		status int
		body   []string
	}{
		{"/metrics", http.StatusOK, []string{"jobs_total 1\n"}},
		{"/healthz", http.StatusOK, []string{"ok\n"}},
		{"/", http.StatusOK, []string{`<a href="/metrics">`, `<a href="/healthz">`, "&lt;script&gt;", "Version: ", "go1."}},
		{"/nowhere", http.StatusNotFound, nil},
		{"/debug/pprof/", http.StatusNotFound, nil},
	} {
		body, status := get(t, s, tt.path)
		if status != tt.status {
			t.Errorf("%s: %d, want %d", tt.path, status, tt.status)
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
	resp, err := http.Post("http://"+s.Addr().String()+"/metrics", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST /metrics: %s", resp.Status)
	}
}

// After Shutdown nobody listens: the port is free.
func TestShutdownFreesThePort(t *testing.T) {
	s := start(t, Config{})
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.listener.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("still listening: %v", err)
	}
}

// A nil server serves nothing.
func TestNil(t *testing.T) {
	var s *Server
	if s.Addr() != nil || s.Shutdown(t.Context()) != nil {
		t.Error("a nil server does something")
	}
}

// A client that sends nothing, or reads nothing, must not keep a connection for ever.
func TestServerHasLimits(t *testing.T) {
	s := start(t, Config{})
	for name, limit := range map[string]time.Duration{
		"ReadHeaderTimeout": s.http.ReadHeaderTimeout,
		"ReadTimeout":       s.http.ReadTimeout,
		"WriteTimeout":      s.http.WriteTimeout,
		"IdleTimeout":       s.http.IdleTimeout,
	} {
		if limit <= 0 || limit > 10*time.Minute {
			t.Errorf("%s = %v, want a limit of minutes at most", name, limit)
		}
	}
	if timeout := config(Config{}).Timeout; s.http.WriteTimeout <= timeout {
		t.Errorf("WriteTimeout = %v, which ends an answer that may take %v", s.http.WriteTimeout, timeout)
	}
	if s.http.IdleTimeout > time.Minute {
		t.Errorf("IdleTimeout = %v: an idle connection stays longer than a minute", s.http.IdleTimeout)
	}
	if h2 := s.http.HTTP2; h2.MaxConcurrentStreams <= 0 || h2.WriteByteTimeout <= 0 || h2.SendPingTimeout <= 0 || h2.MaxReceiveBufferPerConnection > 1<<20 {
		t.Errorf("HTTP/2 = %+v", h2)
	}
	if s.http.MaxHeaderBytes <= 0 || s.http.MaxHeaderBytes > 1<<20 {
		t.Errorf("MaxHeaderBytes = %d", s.http.MaxHeaderBytes)
	}
}
