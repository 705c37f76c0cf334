package exporters

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"google.golang.org/grpc/credentials"

	"github.com/stagemeter/stagemeter/internal/testserver"
)

func TestParseEndpoint(t *testing.T) {
	for _, tt := range []struct {
		value, protocol string
		insecure        bool
		want            string // empty: refused
		reason          string
	}{
		{"http://collector:4317", protocolGRPC, false, "http://collector:4317", "plain"},
		{"https://collector:4317", protocolGRPC, true, "https://collector:4317", "the scheme wins over INSECURE"},
		{"https://otlp.example.com", protocolGRPC, false, "https://otlp.example.com", "the port may be left out"},
		{"http://[::1]:4317", protocolGRPC, false, "http://[::1]:4317", "IPv6"},
		{"collector:4317", protocolGRPC, false, "https://collector:4317", "gRPC's own form, secure by default"},
		{"collector:4317", protocolGRPC, true, "http://collector:4317", "gRPC's own form with INSECURE"},
		{"[::1]:4317", protocolGRPC, true, "http://[::1]:4317", "gRPC's own form, IPv6"},
		{"unix:///run/otel.sock", protocolGRPC, false, "unix:///run/otel.sock", "a sidecar's socket"},
		{"unix:otel.sock", protocolGRPC, false, "unix:otel.sock", "a relative one"},
		{"https://collector/otlp/", protocolHTTP, false, "https://collector/otlp/", "a base path"},
		{"collector:4318", protocolHTTP, true, "", "HTTP takes URLs alone"},
		{"unix:///run/otel.sock", protocolHTTP, false, "", "not over HTTP"},
		{"ftp://collector:4317", protocolGRPC, false, "", "scheme"},
		{"http://", protocolGRPC, false, "", "no host"},
		{"http://:4317", protocolGRPC, false, "", "no host"},
		{"http://collector:99999", protocolGRPC, false, "", "port"},
		{"http://collector:port", protocolGRPC, false, "", "port"},
		{"http://user:secret@collector:4317", protocolGRPC, false, "", "would be dropped in silence"},
		{"https://collector/?key=secret", protocolHTTP, false, "", "would be dropped in silence"},
		{"http://collector:4317/#here", protocolHTTP, false, "", "would be dropped in silence"},
		{"http://colle ctor", protocolGRPC, false, "", "space"},
		{"\x00", protocolGRPC, false, "", "control character"},
	} {
		u, err := parseEndpoint(tt.value, tt.protocol, tt.insecure)
		switch {
		case tt.want == "" && err == nil:
			t.Errorf("%q over %s: taken as %q, want an error (%s)", tt.value, tt.protocol, u, tt.reason)
		case tt.want != "" && err != nil:
			t.Errorf("%q over %s: %v (%s)", tt.value, tt.protocol, err, tt.reason)
		case tt.want != "" && u.String() != tt.want:
			t.Errorf("%q over %s: %q, want %q (%s)", tt.value, tt.protocol, u, tt.want, tt.reason)
		}
	}
}

// What gRPC dials: names are resolved with each try, ports have defaults.
func TestTarget(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://collector:4317":    "passthrough:///collector:4317",
		"http://collector":         "passthrough:///collector:4317",
		"https://otlp.example.com": "passthrough:///otlp.example.com:443",
		"http://[::1]":             "passthrough:///[::1]:4317",
		"http://[::1]:1":           "passthrough:///[::1]:1",
		"unix:///run/otel.sock":    "unix:///run/otel.sock",
	} {
		u, err := parseEndpoint(endpoint, protocolGRPC, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&destination{url: u}).target(); got != want {
			t.Errorf("%s: %q, want %q", endpoint, got, want)
		}
	}
}

// A receiver whose name nobody knows yet, as that of a container that isn't
// up, gets its data once the name is known.
func TestNameUnknownAtStart(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "300")
	known := serveDNS(t)
	r := receive(t)
	_, port, _ := net.SplitHostPort(r.addr)
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint("http://collector.example:"+port), WithExportInterval(time.Hour), WithLogger(slog.New(slog.DiscardHandler)))
	count(tel, "jobs", 4)
	eventually(t, "three failures", func() bool { return tel.metrics.failures.mark() >= 3 })
	known.Store(true)
	eventually(t, "jobs is 4", func() bool { return r.sum("jobs") == 4 })
}

// serveDNS makes every name unknown, and once its result is true 127.0.0.1.
func serveDNS(t *testing.T) *atomic.Bool {
	t.Helper()
	known := &atomic.Bool{}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) == 0 {
				continue
			}
			m.Response, m.Additionals = true, nil
			switch q := m.Questions[0]; {
			case !known.Load():
				m.RCode = dnsmessage.RCodeNameError
			case q.Type == dnsmessage.TypeA:
				m.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
				}}
			}
			if answer, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(answer, from)
			}
		}
	}()
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		conn.Close()
		<-done
	})
	return known
}

// No error tells a secret.
func TestErrorsKeepSecrets(t *testing.T) {
	const secret = "s3cr3t"
	for _, tt := range []struct{ name, value string }{
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:" + secret + "@collector:4317"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "user:" + secret + "@collector"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://us@er:" + secret + "@collector:4317"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317?token=" + secret},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317#" + secret},
		{"OTEL_EXPORTER_OTLP_HEADERS", "authorization " + secret},
		{"OTEL_EXPORTER_OTLP_HEADERS", secret + " bad key=x"},
		{"OTEL_EXPORTER_OTLP_METRICS_HEADERS", "api-key=" + secret + "%zz"},
	} {
		_, err := resolve(config{}, environ(func(name string) string {
			if name == tt.name {
				return tt.value
			}
			return ""
		}))
		if err == nil {
			t.Errorf("%s=%s: no error", tt.name, tt.value)
		} else if strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), tt.name) {
			t.Errorf("%s=%s: %v", tt.name, tt.value, err)
		}
	}
}

// OTLP over gRPC with TLS and a client certificate, both from the environment.
func TestPushWithClientCertificate(t *testing.T) {
	ca := newAuthority(t)
	certFile, keyFile := ca.issue(t, "pipeline")
	t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", ca.file)
	t.Setenv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", certFile)
	t.Setenv("OTEL_EXPORTER_OTLP_CLIENT_KEY", keyFile)
	r := &receiver{addr: testserver.FreeAddr(t)}
	r.up(t, secured(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{ca.pair(t, "collector")},
		ClientCAs:    ca.pool,
		ClientAuth:   tls.RequireAndVerifyClientCert,
	})))
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint("https://"+r.addr), WithExportInterval(time.Hour), WithShutdownTimeout(patience))
	count(tel, "jobs", 1)
	span(tel, "render")
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if jobs, spans := r.sum("jobs"), r.span("render"); jobs != 1 || spans != 1 {
		t.Errorf("got %v jobs and %d spans, want 1 and 1", jobs, spans)
	}
}

// A certificate that can't be used turns the push off: the host's authorities
// were not meant to be trusted in its place.
func TestBadCertificates(t *testing.T) {
	ca := newAuthority(t)
	certFile, keyFile := ca.issue(t, "pipeline")
	text := writeFile(t, ca.dir, "text", "no certificate")
	for _, tt := range []struct {
		name string
		env  map[string]string
		want string
	}{
		{"no such file", map[string]string{"OTEL_EXPORTER_OTLP_CERTIFICATE": "/no/such.pem"}, `OTEL_EXPORTER_OTLP_CERTIFICATE="/no/such.pem"`},
		{"not PEM", map[string]string{"OTEL_EXPORTER_OTLP_CERTIFICATE": text}, "certificates in PEM"},
		{"certificate without key", map[string]string{"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": certFile}, "want OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY too"},
		{"key without certificate", map[string]string{"OTEL_EXPORTER_OTLP_CLIENT_KEY": keyFile}, "want OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE too"},
		{"key is no key", map[string]string{"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": certFile, "OTEL_EXPORTER_OTLP_CLIENT_KEY": text}, "OTEL_EXPORTER_OTLP_CLIENT_KEY"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = "https://localhost:4317"
			s, err := resolve(config{}, func(name string) string { return tt.env[name] })
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "metrics are not pushed") {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if s.metricsOTLP != nil || s.tracesOTLP != nil {
				t.Error("pushed all the same")
			}
		})
	}
}

// A header that no transport carries would fail every push: it is told at the
// start, without its value, and left out.
func TestHeaderThatCannotBeSent(t *testing.T) {
	for _, value := range []string{"m%C3%BCnchen", "a%0Ab"} {
		for _, protocol := range []string{protocolGRPC, protocolHTTP} {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
			t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=ok,x-city="+value)
			overGRPC, overHTTP := receive(t), receiveHTTP(t)
			url, got := overGRPC.url(), &overGRPC.inbox
			if protocol == protocolHTTP {
				url, got = overHTTP.server.URL, &overHTTP.inbox
			}
			tel, err := Start(t.Context(), WithoutPrometheus(), WithOTLPEndpoint(url), option(quick))
			if err == nil || !strings.Contains(err.Error(), "OTEL_EXPORTER_OTLP_HEADERS") || strings.Contains(err.Error(), "nchen") {
				t.Errorf("%s %s: Start: %v, want an error that names the variable and not the value", protocol, value, err)
			}
			count(tel, "jobs", 1)
			if err := tel.Shutdown(t.Context()); err != nil || got.sum("jobs") != 1 {
				t.Errorf("%s %s: %v jobs, %v; want them to arrive", protocol, value, got.sum("jobs"), err)
			}
			if tenant := overGRPC.header("x-tenant"); protocol == protocolGRPC && !slices.Equal(tenant, []string{"ok"}) {
				t.Errorf("%s: x-tenant is %q, want the header that can be sent", value, tenant)
			}
		}
	}
}
