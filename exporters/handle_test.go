package exporters

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// page answers with its own name.
type page string

func (p page) ServeHTTP(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, string(p)) }

// The server answers what Handle has added. Handler does not: whoever mounts it expects metrics at
// every path.
func TestHandle(t *testing.T) {
	tel := start(t, WithPrometheusAddr("127.0.0.1:0"))
	count(tel, "jobs", 1)
	base := "http://" + tel.Addr().String()
	if body, _ := get(t, http.DefaultClient, base+"/", ""); !strings.Contains(body, "by stagemeter") {
		t.Errorf("no landing page:\n%s", body)
	}
	for _, pattern := range []string{"/", "GET /live/job"} {
		if err := tel.Handle(pattern, page(pattern)); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{"/": "/", "/live/job": "GET /live/job", "/metrics": "jobs_total 1", "/healthz": "ok"} {
		if body, _ := get(t, http.DefaultClient, base+path, "text/plain"); !strings.Contains(body, want) {
			t.Errorf("%s lacks %q:\n%s", path, want, body)
		}
		rec := httptest.NewRecorder()
		tel.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, nil))
		if !strings.Contains(rec.Body.String(), "jobs_total 1") {
			t.Errorf("Handler has no metrics at %s:\n%s", path, rec.Body)
		}
	}
}

// What is not served is an error that names the pattern and the reason.
func TestHandleThatServesNothing(t *testing.T) {
	served := start(t, WithPrometheusAddr("127.0.0.1:0"))
	ended := start(t, WithPrometheusAddr("127.0.0.1:0"))
	shutdown(ended)
	t.Setenv("OTEL_SDK_DISABLED", "true")
	disabled := start(t)
	t.Setenv("OTEL_SDK_DISABLED", "")
	for _, tt := range []struct {
		reason  string
		tel     *Telemetry
		pattern string
		handler http.Handler
		want    string
	}{
		{"nil", nil, "/live/", page(""), `exporters: Handle("/live/"): a nil *Telemetry serves nothing`},
		{"zero", &Telemetry{}, "/live/", page(""), `exporters: Handle("/live/"): no port is open`},
		{"disabled", disabled, "/live/", page(""), `exporters: Handle("/live/"): no port is open`},
		{"no server", start(t, WithoutServer()), "/live/", page(""), "on a server of your own"},
		{"no scrape", start(t, WithoutPrometheus()), "/live/", page(""), "no port is open"},
		{"after Shutdown", ended, "/live/", page(""), `exporters: Handle("/live/"): telemetry has been shut down`},
		{"no pattern", served, "live", page(""), `exporters: Handle("live"): want a pattern of http.ServeMux`},
		{"no handler", served, "/live/", nil, `exporters: Handle("/live/"): want a handler`},
		{"the metrics", served, "GET /metrics", page(""), `exporters: Handle("GET /metrics"): /metrics is answered by the server itself`},
	} {
		if err := tt.tel.Handle(tt.pattern, tt.handler); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.reason, err, tt.want)
		}
	}
}
