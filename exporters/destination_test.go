package exporters

import (
	"context"
	"crypto/tls"
	"golang.org/x/net/dns/dnsmessage"
	"google.golang.org/grpc/credentials"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// A receiver whose name is unknown, such as that of a container that is down, gets its data once
// the name is known.
func TestNameUnknownAtStart(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "300")
	known := serveDNS(t)
	r := receive(t)
	_, port, _ := net.SplitHostPort(r.addr)
	tel := start(t, WithoutPrometheus(), WithOTLPEndpoint("http://collector.example:"+port), WithExportInterval(time.Hour), WithLogger(slog.New(slog.DiscardHandler)))
	count(tel, "jobs", 4)
	eventually(t, "three failures", func() bool { return tel.metrics.failures.Mark() >= 3 })
	known.Store(true)
	eventually(t, "jobs is 4", func() bool { return r.sum("jobs") == 4 })
}

// serveDNS resolves every name: as unknown, and as 127.0.0.1 once its result is true.
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

// OTLP over gRPC uses the TLS files and the client certificate of the environment.
func TestPushWithClientCertificate(t *testing.T) {
	ca := exportertest.NewAuthority(t)
	certFile, keyFile := ca.Issue(t, "pipeline")
	t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", ca.File)
	t.Setenv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", certFile)
	t.Setenv("OTEL_EXPORTER_OTLP_CLIENT_KEY", keyFile)
	r := newReceiver(t)
	r.up(t, secured(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{ca.Pair(t, "collector")},
		ClientCAs:    ca.Pool,
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

// A header that no transport can carry would fail every push. It is left out, and Start returns an
// error without its value.
func TestHeaderThatCannotBeSent(t *testing.T) {
	for _, value := range []string{"m%C3%BCnchen", "a%0Ab"} {
		for _, protocol := range []string{"grpc", "http/protobuf"} {
			t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
			t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=ok,x-city="+value)
			overGRPC, overHTTP := receive(t), receiveHTTP(t)
			url, got := overGRPC.url(), &overGRPC.inbox
			if protocol == "http/protobuf" {
				url, got = overHTTP.server.URL, &overHTTP.inbox
			}
			tel, err := Start(t.Context(), WithoutGlobals(), WithoutPrometheus(), WithOTLPEndpoint(url), option(quick))
			if err == nil || !strings.Contains(err.Error(), "OTEL_EXPORTER_OTLP_HEADERS") || strings.Contains(err.Error(), "nchen") {
				t.Errorf("%s %s: Start: %v, want an error that names the variable and not the value", protocol, value, err)
			}
			count(tel, "jobs", 1)
			if err := tel.Shutdown(t.Context()); err != nil || got.sum("jobs") != 1 {
				t.Errorf("%s %s: %v jobs, %v; want them to arrive", protocol, value, got.sum("jobs"), err)
			}
			if tenant := overGRPC.header("x-tenant"); protocol == "grpc" && !slices.Equal(tenant, []string{"ok"}) {
				t.Errorf("%s: x-tenant is %q, want the header that can be sent", value, tenant)
			}
		}
	}
}
