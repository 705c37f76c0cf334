package livepage

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
	"github.com/stagemeter/stagemeter/instrument"
)

// get asks a server, and returns the status, the header and the body.
func get(t *testing.T, client *http.Client, url string, change ...func(*http.Request)) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(r)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

func newClient(t *testing.T, config *tls.Config) *http.Client {
	transport := &http.Transport{TLSClientConfig: config}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// One line serves the page, and leaves /metrics and /healthz as they are.
func TestMount(t *testing.T) {
	tel := startTelemetry(t, exporters.WithServiceName("editor"), exporters.WithServiceVersion("1.4.2"))
	p, err := instrument.New(instrument.WithMeterProvider(tel.MeterProvider()), instrument.WithTracerProvider(tel.TracerProvider()))
	if err != nil {
		t.Fatal(err)
	}
	if err := Mount(tel, p); err != nil {
		t.Fatal(err)
	}
	ctx, job := p.StartJob(t.Context(), "job-1")
	_ = instrument.RunStage(ctx, "analysis", func(context.Context) error { return nil })
	client, base := newClient(t, nil), "http://"+tel.Addr().String()
	for path, want := range map[string]string{"/": "<!doctype html>", "/metrics": "video_processing_jobs_in_progress 1", "/healthz": "ok"} {
		if code, _, text := get(t, client, base+path); code != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%s: %d, no %q:\n%.200s", path, code, want, text)
		}
	}
	_, _, text := get(t, client, base+"/live/snapshot.json")
	var s struct {
		Jobs []struct {
			ID     string
			Stages []struct{ Name string }
		}
		Service struct {
			Name, Version, Instance string
			Metrics                 bool
		}
		Telemetry struct{ OK bool }
		KeepMost  int `json:"keep_most"`
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Jobs) != 1 || len(s.Jobs[0].Stages) != 1 || s.Jobs[0].Stages[0].Name != "analysis" {
		t.Errorf("details are not kept:\n%s", text)
	}
	if s.Service.Name != "editor" || s.Service.Version != "1.4.2" || !strings.HasSuffix(s.Service.Instance, fmt.Sprint(os.Getpid())) || !s.Service.Metrics || !s.Telemetry.OK || s.KeepMost != 1000 {
		t.Errorf("%+v", s)
	}
	job.End(nil)
	if got := p.Snapshot(instrument.Query{}).EndedJobs; got != 1 {
		t.Errorf("%d ended jobs are kept", got)
	}
}

// Without telemetry, or a name of its own, the program is named as well as can be.
func TestServiceName(t *testing.T) {
	tel, err := exporters.Start(t.Context(), exporters.WithoutServer(), exporters.WithoutGlobals())
	if err != nil {
		t.Fatal(err)
	}
	defer shutDown(tel)
	const exe = "livepage.test"
	if got := serviceOf(tel); got.Name != exe || got.Started == 0 || got.Metrics {
		t.Errorf("%+v", got)
	}
	if got := serviceOf(nil).Name; got != exe {
		t.Errorf("without telemetry: %q", got)
	}
	t.Setenv("OTEL_SERVICE_NAME", "editor")
	if got := serviceOf(nil).Name; got != "editor" {
		t.Errorf("OTEL_SERVICE_NAME: %q", got)
	}
}

// What Mount cannot serve is an error, and costs the pipeline nothing.
func TestMountErrors(t *testing.T) {
	ended := startTelemetry(t)
	shutDown(ended)
	noServer, err := exporters.Start(t.Context(), exporters.WithoutServer(), exporters.WithoutGlobals())
	if err != nil {
		t.Fatal(err)
	}
	defer shutDown(noServer)
	twice := startTelemetry(t)
	if err := Mount(twice, newPipeline(t)); err != nil {
		t.Fatal(err)
	}
	live, home := startTelemetry(t), startTelemetry(t)
	if err := errors.Join(live.Handle("/live/", http.NotFoundHandler()), home.Handle("/{$}", http.NotFoundHandler())); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		reason string
		tel    *exporters.Telemetry
		want   string
	}{
		{"nil", nil, `livepage: exporters: Handle("/live/"): a nil *Telemetry serves nothing`},
		{"no server", noServer, "no port is open"},
		{"after Shutdown", ended, "has been shut down"},
		{"mounted twice", twice, `Handle("/live/")`},
		{"/live/ is taken", live, `Handle("/live/")`},
		{"/ is taken", home, `Handle("/{$}")`},
	} {
		p := newPipeline(t)
		if err := Mount(tt.tel, p, nil); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "a nil Option") {
			t.Errorf("%s: %v, want %q", tt.reason, err, tt.want)
		}
		_, job := p.StartJob(t.Context(), "job-1")
		job.End(nil)
		if p.Snapshot(instrument.Query{}).EndedJobs != 0 {
			t.Errorf("%s: the history is kept", tt.reason)
		}
	}
	for path, tel := range map[string]*exporters.Telemetry{"/": live, "/live/snapshot.json": home, "/live/app.js": home} {
		if _, _, text := get(t, newClient(t, nil), "http://"+tel.Addr().String()+path); strings.Contains(text, "live/") || strings.HasPrefix(text, "{") {
			t.Errorf("half of a page is served at %s:\n%.300s", path, text)
		}
	}
	open := startTelemetry(t)
	if err := Mount(open, nil); err == nil || !strings.Contains(err.Error(), "the pipeline is nil") {
		t.Errorf("a nil pipeline: %v", err)
	}
	if code, _, _ := get(t, newClient(t, nil), "http://"+open.Addr().String()+"/live/snapshot.json"); code != http.StatusOK {
		t.Errorf("a nil pipeline: %d", code)
	}
}

// After Shutdown nothing is served.
func TestShutdownEndsThePage(t *testing.T) {
	tel := startTelemetry(t)
	if err := Mount(tel, newPipeline(t)); err != nil {
		t.Fatal(err)
	}
	url := "http://" + tel.Addr().String() + "/"
	if code, _, _ := get(t, newClient(t, nil), url); code != http.StatusOK {
		t.Fatalf("before: %d", code)
	}
	shutDown(tel)
	if _, err := newClient(t, nil).Get(url); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after: %v", err)
	}
}

// The page stands behind the web config file: TLS, client certificates and passwords. Headers of that
// file do not weaken its own.
func TestWebConfig(t *testing.T) {
	ca := exportertest.NewAuthority(t)
	cert, key := ca.Issue(t, "server")
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("tls_server_config:\n  cert_file: %s\n  key_file: %s\n  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: %s\n"+
		"http_server_config:\n  headers:\n    Content-Security-Policy: \"default-src *; script-src 'unsafe-inline'\"\n    X-Frame-Options: sameorigin\n    X-Content-Type-Options: nosniff\n"+
		"basic_auth_users:\n  prometheus: %s\n", cert, key, ca.File, hash)
	tel := startTelemetry(t, exporters.WithWebConfigFile(exportertest.WriteFile(t, ca.Dir, "web.yml", config)))
	if err := Mount(tel, newPipeline(t)); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(ca.File)
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		t.Fatal(err)
	}
	base := "https://" + tel.Addr().String()
	member := newClient(t, &tls.Config{RootCAs: roots, ServerName: "server", Certificates: []tls.Certificate{ca.Pair(t, "page.example")}})
	stranger := newClient(t, &tls.Config{RootCAs: roots, ServerName: "server"})
	password := func(r *http.Request) { r.SetBasicAuth("prometheus", "secret") }
	for _, path := range []string{"/", "/live/snapshot.json", "/live/events", "/live/nothing"} {
		if code, _, text := get(t, member, base+path); code != http.StatusUnauthorized || strings.Contains(text, "jobs") {
			t.Errorf("%s without a password: %d", path, code)
		}
		if code, _, text := get(t, stranger, base+path, password); code/100 != 4 || strings.Contains(text, "jobs") {
			t.Errorf("%s without a certificate: %d", path, code)
		}
	}
	for path, want := range map[string]int{"/": 200, "/live/snapshot.json": 200, "/live/nothing": 404} {
		code, h, _ := get(t, member, base+path, password)
		if code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
		if got := h.Values("Content-Security-Policy"); len(got) != 1 || got[0] != policy {
			t.Errorf("%s: policy %q", path, got)
		}
		if got := h.Values("X-Frame-Options"); len(got) != 1 || got[0] != "DENY" {
			t.Errorf("%s: X-Frame-Options %q", path, got)
		}
	}
	code, _, _ := get(t, member, base+"/", password, func(r *http.Request) { r.Host = "evil.example" })
	if code != http.StatusForbidden {
		t.Errorf("a name that is not this host's: %d", code)
	}
}
