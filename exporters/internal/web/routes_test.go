package web

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// says returns a handler that answers with text and the value of the pattern's wildcard.
func says(text string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, text+r.PathValue("name"))
	})
}

// ask returns the answer of h, as the server would give it.
func ask(h http.Handler, method, target string) (string, int) {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(method, target, http.NoBody))
	return rec.Body.String(), rec.Code
}

// Added handlers come before the landing page, and leave /metrics and /healthz alone, whatever
// their patterns match.
func TestAddedPatterns(t *testing.T) {
	const metrics, home, ok = "jobs_total 1\n", "landing", "ok\n"
	for _, tt := range []struct {
		patterns []string
		want     map[string]string // answer by method and target; landing for that page, a status for an error
	}{
		{nil, map[string]string{"GET /": home, "GET /live/": "404", "POST /": "405"}},
		{[]string{"/live/"}, map[string]string{
			"GET /live/": "/live/", "GET /live/a/b": "/live/", "POST /live/": "/live/", "GET /live": "307",
			"GET /": home, "GET /other": "404", "GET /metrics": metrics,
		}},
		{[]string{"GET /live/job"}, map[string]string{"GET /live/job": "GET /live/job", "HEAD /live/job": "GET /live/job", "POST /live/job": "405"}},
		{[]string{"/"}, map[string]string{
			"GET /": "/", "GET /other": "/", "GET /metrics": metrics, "HEAD /metrics": metrics, "POST /metrics": "405",
			"GET /%6detrics": metrics, "GET //metrics": "307", "GET /metrics/x": "/", "GET /healthz": ok,
		}},
		{[]string{"GET /"}, map[string]string{"GET /": "GET /", "GET /metrics": metrics, "GET /healthz": ok}},
		{[]string{"/{$}"}, map[string]string{"GET /": "/{$}", "GET /other": "404"}},
		{[]string{"GET /{$}"}, map[string]string{"GET /": "GET /{$}", "POST /": "405"}},
		{[]string{"POST /{$}"}, map[string]string{"GET /": home, "POST /": "POST /{$}"}},
		{[]string{"/{name}"}, map[string]string{"GET /a": "/{name}a", "GET /metrics": metrics, "GET /healthz": ok, "GET /": home}},
		{[]string{"/{name...}"}, map[string]string{"GET /": "/{name...}", "GET /metrics": metrics, "GET /healthz": ok}},
		{[]string{"/metrics/"}, map[string]string{"GET /metrics": metrics, "GET /metrics/": "/metrics/"}},
		{[]string{"example.com/"}, map[string]string{
			"GET http://example.com/": "example.com/", "GET http://other.example/": home, "GET http://example.com/metrics": metrics,
		}},
		{[]string{"/", "/live/", "GET /live/{name}", "/{$}"}, map[string]string{
			"GET /": "/{$}", "GET /live/": "/live/", "GET /live/a": "GET /live/{name}a", "GET /x": "/",
		}},
	} {
		s := start(t, Config{Service: home})
		for _, p := range tt.patterns {
			if err := s.Handle(p, says(p)); err != nil {
				t.Fatalf("Handle(%q): %v", p, err)
			}
		}
		for request, want := range tt.want {
			method, target, _ := strings.Cut(request, " ")
			body, status := ask(s.http.Handler, method, target)
			got := body
			switch {
			case status != http.StatusOK:
				got = fmt.Sprint(status)
			case strings.Contains(body, "<title>"+home):
				got = home
			}
			if got != want {
				t.Errorf("%q: %s answers %q, want %q", tt.patterns, request, got, want)
			}
		}
	}
}

// What cannot be served is an error that says why, without a panic and without a path of a source
// file. The rest is served as before.
func TestPatternsThatCannotBeAdded(t *testing.T) {
	s := start(t, Config{})
	for _, p := range []string{"/live/", "GET /jobs/{name}/b"} {
		if err := s.Handle(p, says(p)); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		pattern string
		handler http.Handler
		want    string
	}{
		{"", says(""), "want a pattern of http.ServeMux"},
		{"live", says(""), "missing /"},
		{"GET", says(""), "missing /"},
		{"GET  /x y/{", says(""), "bad wildcard"},
		{"/{a}/{a}", says(""), "duplicate wildcard"},
		{"GET /a/../b", says(""), "unclean path"},
		{"/live/", says(""), `conflicts with "/live/"`},
		{"/{x...}", nil, "want a handler"},
		{"/a", http.HandlerFunc(nil), "want a handler"},
		{"GET /jobs/a/{name}", says(""), `conflicts with "GET /jobs/{name}/b"`},
		{"/metrics", says(""), "/metrics is answered by the server itself"},
		{"HEAD /metrics", says(""), "/metrics is answered by the server itself"},
		{"DELETE example.com/%6Detrics", says(""), "/metrics is answered by the server itself"},
		{"GET /healthz", says(""), "/healthz is answered by the server itself"},
	} {
		err := s.Handle(tt.pattern, tt.handler)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), ".go:") || !strings.Contains(err.Error(), "not served") {
			t.Errorf("Handle(%q): %v, want %q", tt.pattern, err, tt.want)
		}
	}
	for request, want := range map[string]string{"/live/x": "/live/", "/metrics": "jobs_total 1\n", "/jobs/a/b": "GET /jobs/{name}/ba"} {
		if got, _ := get(t, s, request); got != want {
			t.Errorf("%s answers %q, want %q", request, got, want)
		}
	}
	if err := (*Server)(nil).Handle("/a", says("")); err == nil || !strings.Contains(err.Error(), "no port is open") {
		t.Errorf("without a server: %v", err)
	}
}

// Handlers are added while others answer.
func TestAddWhileServing(t *testing.T) {
	s := start(t, Config{})
	if err := s.Handle("/first", says("first")); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if err := s.Handle(fmt.Sprintf("/added/%d", i), says(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
			for target, want := range map[string]string{"/first": "first", "/metrics": "jobs_total 1\n", fmt.Sprintf("/added/%d", i): fmt.Sprint(i)} {
				if body, _ := ask(s.http.Handler, http.MethodGet, target); body != want {
					t.Errorf("%s answers %q, want %q", target, body, want)
				}
			}
		})
	}
	wg.Wait()
}

// A handler that panics spoils its own answer only: on the same connection and on others, requests
// before and after are answered. The log names the pattern.
func TestAHandlerThatPanics(t *testing.T) {
	ca := exportertest.NewAuthority(t)
	for _, clientAuth := range []string{"", "NoClientCert"} { // HTTP/1.1, HTTP/2
		book := &exportertest.LogBook{}
		c := config(Config{WebConfigFile: webConfig(t, ca, clientAuth, "", "")})
		c.Logger = book.Logger()
		s := listen(t, c)
		begun, release := make(chan struct{}), make(chan struct{})
		for pattern, h := range map[string]http.HandlerFunc{
			"/panics/{name}": func(http.ResponseWriter, *http.Request) { panic("no job") },
			"/late": func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "half")
				_ = http.NewResponseController(w).Flush()
				panic(fmt.Errorf("no end"))
			},
			"/exits":  func(http.ResponseWriter, *http.Request) { runtime.Goexit() },
			"/aborts": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
			"/slow": func(w http.ResponseWriter, _ *http.Request) {
				close(begun)
				<-release
				_, _ = io.WriteString(w, "whole")
			},
		} {
			if err := s.Handle(pattern, h); err != nil {
				t.Fatal(err)
			}
		}
		base, client := "http://"+s.Addr().String(), newCaller(ca).client
		if clientAuth != "" {
			base = "https://" + s.Addr().String()
		}
		read := func(path string) (string, error) {
			resp, err := client.Get(base + path)
			if err != nil {
				return "", err
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			return string(body), err
		}
		slow := make(chan string)
		go func() { body, err := read("/slow"); slow <- fmt.Sprint(body, err) }()
		<-begun
		for range 2 {
			for _, path := range []string{"/panics/a", "/late", "/aborts", "/exits"} {
				if body, err := read(path); err == nil {
					t.Errorf("%s: a whole answer: %q", path, body)
				}
			}
			if body, err := read("/metrics"); err != nil || body != "jobs_total 1\n" {
				t.Errorf("/metrics after a panic: %q, %v", body, err)
			}
		}
		close(release)
		if got := <-slow; got != "whole<nil>" {
			t.Errorf("a request beside a panic: %s", got)
		}
		client.CloseIdleConnections()
		if book.Lines("a handler panicked", "/panics/{name}", "no job") != 1 || book.Lines("a handler panicked", "/late", "no end") != 1 || book.Lines("handler panicked") != 3 || book.Lines("/exits", "runtime.Goexit") != 1 {
			t.Errorf("want one line for each handler that panics:\n%s", book)
		}
	}
}

// Added handlers need what /metrics needs, whatever the web config file requires.
func TestAddedHandlersAreProtected(t *testing.T) {
	ca := exportertest.NewAuthority(t)
	nobody, member := newCaller(ca), newCaller(ca, ca.Pair(t, "prometheus.example"))
	for _, tt := range []struct {
		clientAuth, password string
		callers              []caller
	}{
		{"", "secret", []caller{nobody, nobody.as("prometheus", "wrong"), nobody.as("prometheus", "secret")}},
		{"NoClientCert", "secret", []caller{nobody, nobody.as("prometheus", "secret")}},
		{"RequireAndVerifyClientCert", "", []caller{nobody, member}},
		{"RequireAndVerifyClientCert", "secret", []caller{nobody, member, nobody.as("prometheus", "secret"), member.as("prometheus", "secret")}},
	} {
		s := start(t, Config{WebConfigFile: webConfig(t, ca, tt.clientAuth, tt.password, "")})
		for _, p := range []string{"/", "GET /live/"} {
			if err := s.Handle(p, says(p)); err != nil {
				t.Fatal(err)
			}
		}
		base := "http://" + s.Addr().String()
		if tt.clientAuth != "" {
			base = "https://" + s.Addr().String()
		}
		var seen []int
		for i, c := range tt.callers {
			want, _ := c.status(t, base+"/metrics")
			seen = append(seen, want)
			for _, path := range []string{"/", "/live/", "/anything"} {
				if code, _ := c.status(t, base+path); code != want {
					t.Errorf("%s %s, caller %d, %s: %d, /metrics: %d", tt.clientAuth, tt.password, i, path, code, want)
				}
			}
		}
		if len(seen) < 2 || seen[0] == http.StatusOK || seen[len(seen)-1] != http.StatusOK || slices.Index(seen, http.StatusOK) != len(seen)-1 {
			t.Errorf("%s %s: /metrics answers %v, want only the last caller to pass", tt.clientAuth, tt.password, seen)
		}
	}
}
