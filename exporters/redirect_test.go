package exporters

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// A receiver whose answer is no answer has not taken the data: the page of a login, a redirect
// after which net/http would ask for the page without the data, one of more than 4 MiB.
func TestAnswersThatAreNone(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	for reason, answer := range map[string]http.HandlerFunc{
		"a page": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<h1>Log in</h1>")
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				http.Redirect(w, r, r.URL.Path, http.StatusFound)
			}
		},
		"an answer without an end": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-protobuf")
			for part := make([]byte, 1<<16); ; {
				if _, err := w.Write(part); err != nil {
					return
				}
			}
		},
		"redirects for ever": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		},
	} {
		t.Run(reason, func(t *testing.T) {
			server := httptest.NewServer(answer)
			defer server.Close()
			tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(server.URL), WithExportInterval(time.Hour), WithLogger((&exportertest.LogBook{}).Logger()), WithShutdownTimeout(patience), onlyFlush)
			count(tel, "jobs", 1)
			span(tel, "render")
			if err := tel.ForceFlush(t.Context()); err == nil {
				t.Error("ForceFlush: no error")
			}
			if h := tel.Health(); h.Metrics.State != HealthFails || h.Traces.State != HealthFails || h.Spans.Dropped != 1 {
				t.Errorf("%+v", h)
			}
		})
	}
}

// Headers may hold keys: neither they nor the data follow a redirect to another host, port or
// scheme. On the same host they do.
func TestRedirects(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=SECRET,authorization=Bearer%20SECRET")
	var mu sync.Mutex
	var elsewhere []string // requests at another origin
	other := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		elsewhere = append(elsewhere, fmt.Sprint(r.Method, r.URL, r.Header))
	})
	plain, secure := httptest.NewServer(other), httptest.NewTLSServer(other)
	defer plain.Close()
	defer secure.Close()
	ca := exportertest.NewAuthority(t)
	for _, tt := range []struct {
		reason string
		from   func(http.Handler) *httptest.Server
		to     func(self string) string
		status int
		follow bool
	}{
		{"another port", httptest.NewServer, func(string) string { return plain.URL }, 307, false},
		{"another port, for ever", httptest.NewServer, func(string) string { return plain.URL }, 308, false},
		{"another host", httptest.NewServer, func(self string) string { return strings.Replace(self, "127.0.0.1", "localhost", 1) }, 307, false},
		{"to https", httptest.NewServer, func(string) string { return secure.URL }, 307, false},
		{"to http", func(h http.Handler) *httptest.Server {
			s := httptest.NewUnstartedServer(h)
			s.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Pair(t, "collector")}}
			s.StartTLS()
			return s
		}, func(string) string { return plain.URL }, 307, false},
		{"a user", httptest.NewServer, func(string) string { return strings.Replace(plain.URL, "://", "://root:hunter2@", 1) }, 307, false},
		{"the same", httptest.NewServer, func(self string) string { return self }, 308, true},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", ca.File)
			var self, key string
			server := tt.from(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/moved") {
					mu.Lock()
					defer mu.Unlock()
					key = r.Header.Get("X-Api-Key")
					return
				}
				http.Redirect(w, r, tt.to(self)+"/moved"+r.URL.Path+"?key=hunter2", tt.status)
			}))
			defer server.Close()
			self = server.URL
			book := &exportertest.LogBook{}
			tel := start(t, WithoutPrometheus(), WithOTLPEndpoint(server.URL), WithExportInterval(time.Hour), WithLogger(book.Logger()), WithShutdownTimeout(patience), onlyFlush)
			count(tel, "jobs", 1)
			span(tel, "render")
			err := tel.ForceFlush(t.Context())
			mu.Lock()
			defer mu.Unlock()
			if len(elsewhere) > 0 {
				t.Fatalf("another origin got %q", elsewhere)
			}
			if tt.follow != (err == nil) || tt.follow != (key == "SECRET") {
				t.Errorf("%v; the key is %q", err, key)
			}
			if said := fmt.Sprint(err, book, tel.Health()); strings.Contains(said, "hunter2") || strings.Contains(said, "SECRET") {
				t.Errorf("secrets in %s", said)
			}
			if !tt.follow && !strings.Contains(err.Error(), "is not followed") {
				t.Errorf("%v", err)
			}
		})
	}
}
