package livepage

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
)

// ask returns the answer of a handler. fields are of the header, by turns name and value.
func ask(h http.Handler, method, target string, fields ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	from := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if from, err = gzip.NewReader(resp.Body); err != nil {
			t.Fatal(err)
		}
	}
	text, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAnswers(t *testing.T) {
	p := newPipeline(t)
	page := mustNew(t, p)
	_, job := p.StartJob(t.Context(), "job-1")
	run := p.Snapshot(instrument.Query{}).Live[0].Run
	_, gone := p.StartJob(t.Context(), "job-2")
	gone.End(nil)
	for _, tt := range []struct {
		method, path string
		code         int
		kind, has    string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8", "<!doctype html>"},
		{"GET", "/?theme=dark", 200, "text/html; charset=utf-8", "<!doctype html>"},
		{"GET", "/live/snapshot.json", 200, "application/json", `"id":"job-1"`},
		{"GET", "/live/snapshot.json?match=nothing", 200, "application/json", `"running":1,"jobs":[],`},
		{"GET", "/live/job.json?run=" + fmt.Sprint(run), 200, "application/json", `"job":{"run":"` + fmt.Sprint(run) + `","id":"job-1"`},
		{"GET", "/live/job.json?run=" + fmt.Sprint(run+1), 200, "application/json", `"id":"job-2"`},
		{"GET", "/live/job.json?run=99", 404, "text/plain; charset=utf-8", "not remembered"},
		{"GET", "/live/job.json", 400, "text/plain; charset=utf-8", "number of a run"},
		{"GET", "/live/job.json?run=0", 400, "text/plain; charset=utf-8", ""},
		{"GET", "/live/job.json?run=-1", 400, "text/plain; charset=utf-8", ""},
		{"GET", "/live/job.json?run=99999999999999999999", 400, "text/plain; charset=utf-8", ""},
		{"GET", "/live/", 404, "text/plain; charset=utf-8", ""},
		{"GET", "/live", 404, "text/plain; charset=utf-8", ""},
		{"GET", "/live/index.html", 404, "text/plain; charset=utf-8", ""},
		{"GET", "/live/../page.go", 404, "text/plain; charset=utf-8", ""},
		{"GET", "/metrics", 404, "text/plain; charset=utf-8", ""},
		{"POST", "/", 405, "text/plain; charset=utf-8", ""},
		{"PUT", "/live/snapshot.json", 405, "text/plain; charset=utf-8", ""},
		{"DELETE", "/live/job.json?run=1", 405, "text/plain; charset=utf-8", ""},
		{"POST", "/live/events", 405, "text/plain; charset=utf-8", ""},
		{"OPTIONS", "/nothing", 405, "text/plain; charset=utf-8", ""},
	} {
		resp := ask(page, tt.method, tt.path)
		text := body(t, resp)
		if resp.StatusCode != tt.code || resp.Header.Get("Content-Type") != tt.kind || !strings.Contains(text, tt.has) {
			t.Errorf("%s %s: %d %s, want %d %s with %q:\n%.300s", tt.method, tt.path, resp.StatusCode, resp.Header.Get("Content-Type"), tt.code, tt.kind, tt.has, text)
		}
		if (resp.Header.Get("Allow") == "GET, HEAD") != (tt.code == 405) {
			t.Errorf("%s %s: Allow %q", tt.method, tt.path, resp.Header.Get("Allow"))
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := resp.Header.Values(name); len(got) != 1 || got[0] != want {
				t.Errorf("%s %s: %s is %q, want %q", tt.method, tt.path, name, got, want)
			}
		}
		if tt.code == 200 {
			sameWithoutBody(t, page, tt.path)
		}
	}
	job.End(nil)
}

// sameWithoutBody checks that HEAD has the header of GET, packed and not.
func sameWithoutBody(t *testing.T, page *Page, path string) {
	t.Helper()
	for _, coding := range []string{"identity", "gzip"} {
		get, head := ask(page, "GET", path, "Accept-Encoding", coding), ask(page, "HEAD", path, "Accept-Encoding", coding)
		if text := body(t, get); len(text) == 0 {
			t.Errorf("GET %s, %s: nothing", path, coding)
		}
		if n, _ := io.Copy(io.Discard, head.Body); n != 0 || head.StatusCode != get.StatusCode {
			t.Errorf("HEAD %s: %d, %d bytes", path, head.StatusCode, n)
		}
		if got, want := get.Header.Get("Content-Encoding"), strings.TrimPrefix(coding, "identity"); got != want {
			t.Errorf("GET %s: Content-Encoding %q, want %q", path, got, want)
		}
		for _, name := range []string{"Content-Type", "Content-Encoding", "Vary", "Cache-Control", "ETag"} {
			if head.Header.Get(name) != get.Header.Get(name) {
				t.Errorf("HEAD %s: %s %q, want %q", path, name, head.Header.Get(name), get.Header.Get(name))
			}
		}
		if get.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("GET %s: Vary %q", path, get.Header.Get("Vary"))
		}
	}
}

// JSON is not stored. A file is asked for again, and has not changed.
func TestCaches(t *testing.T) {
	page := mustNew(t, newPipeline(t))
	if got := ask(page, "GET", "/live/snapshot.json").Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("snapshot.json: %q", got)
	}
	for _, coding := range []string{"identity", "gzip"} {
		first := ask(page, "GET", "/", "Accept-Encoding", coding)
		tag := first.Header.Get("ETag")
		if first.Header.Get("Cache-Control") != "no-cache" || !strings.HasPrefix(tag, `"`) {
			t.Errorf("%s: %v", coding, first.Header)
		}
		for _, have := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
			again := ask(page, "GET", "/", "Accept-Encoding", coding, "If-None-Match", have)
			if text := body(t, &http.Response{Body: again.Body}); again.StatusCode != http.StatusNotModified || text != "" || again.Header.Get("ETag") != tag {
				t.Errorf("%s: %s: %d %q", coding, have, again.StatusCode, text)
			}
		}
		if other := ask(page, "GET", "/", "Accept-Encoding", coding, "If-None-Match", `"other"`); other.StatusCode != http.StatusOK {
			t.Errorf("%s: another tag: %d", coding, other.StatusCode)
		}
	}
	plain, packed := ask(page, "GET", "/"), ask(page, "GET", "/", "Accept-Encoding", "gzip")
	if plain.Header.Get("ETag") == packed.Header.Get("ETag") {
		t.Error("two forms have one ETag")
	}
	if body(t, plain) != body(t, packed) {
		t.Error("two forms differ")
	}
}

func TestAcceptEncoding(t *testing.T) {
	for field, want := range map[string]bool{
		"": false, "identity": false, "br": false, "gzip": true, "GZip": true, "br, gzip": true, "gzip;q=0.5": true, "gzip; q=0.001": true,
		"gzip;q=0": false, "gzip; Q=0.000": false, "*": true, "*;q=0": false, "*;q=0, gzip": true, "*, gzip;q=0": false, "gzip;q=x": false, "x-gzip": true,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		if field != "" {
			r.Header.Set("Accept-Encoding", field)
		}
		if got := takesGzip(r); got != want {
			t.Errorf("%q: %v, want %v", field, got, want)
		}
	}
}

// On a loopback address only a loopback name is answered, whatever the path: a page elsewhere may
// have a name that leads here. Other addresses have names that the program does not know.
func TestHost(t *testing.T) {
	page := mustNew(t, newPipeline(t))
	for _, tt := range []struct {
		local, host string
		want        int
	}{
		{"127.0.0.1", "127.0.0.1:9099", 200},
		{"127.0.0.1", "127.0.0.1", 200},
		{"127.0.0.1", "127.8.8.8:1", 200},
		{"127.0.0.1", "localhost:9099", 200},
		{"127.0.0.1", "LOCALHOST", 200},
		{"127.0.0.1", "localhost.:9099", 200},
		{"127.0.0.1", "editor.localhost:9099", 200},
		{"127.0.0.1", "[::1]:9099", 200},
		{"127.0.0.1", "[::1]", 200},
		{"127.0.0.1", "[::ffff:127.0.0.1]:9099", 200},
		{"::1", "[::1]:9099", 200},
		{"::1", "localhost:9099", 200},
		{"::ffff:127.0.0.1", "localhost", 200},
		{"127.0.0.1", "evil.example:9099", 403},
		{"127.0.0.1", "evil.example", 403},
		{"127.0.0.1", "127.0.0.1.evil.example", 403},
		{"127.0.0.1", "localhost.evil.example", 403},
		{"127.0.0.1", "evillocalhost", 403},
		{"127.0.0.1", "0.0.0.0:9099", 403},
		{"127.0.0.1", "192.0.2.1:9099", 403},
		{"127.0.0.1", "[2001:db8::1]:9099", 403},
		{"127.0.0.1", "[::1].evil.example", 403},
		{"127.0.0.1", "", 403},
		{"::1", "evil.example", 403},
		{"::ffff:127.0.0.1", "evil.example", 403},
		{"192.0.2.1", "worker-1.example:9099", 200},
		{"2001:db8::1", "worker-1.example:9099", 200},
		{"192.0.2.1", "localhost", 200},
	} {
		for _, path := range []string{"/", "/live/snapshot.json", "/live/job.json?run=1", "/live/events", "/live/nothing"} {
			if tt.want == 200 && path != "/" {
				continue
			}
			local := &net.TCPAddr{IP: net.ParseIP(tt.local), Port: 9099}
			r := httptest.NewRequest("GET", path, nil).WithContext(context.WithValue(t.Context(), http.LocalAddrContextKey, local))
			r.Host = tt.host
			w := httptest.NewRecorder()
			page.ServeHTTP(w, r)
			if w.Code != tt.want {
				t.Errorf("%s at %s, Host %q: %d, want %d", path, tt.local, tt.host, w.Code, tt.want)
			}
			if w.Header().Get("Content-Security-Policy") != policy {
				t.Errorf("no policy at %d", w.Code)
			}
		}
	}
	unix := context.WithValue(t.Context(), http.LocalAddrContextKey, &net.UnixAddr{Name: "/run/page"})
	w := httptest.NewRecorder()
	if page.ServeHTTP(w, httptest.NewRequest("GET", "/", nil).WithContext(unix)); w.Code != http.StatusOK {
		t.Errorf("a socket of the file system: %d", w.Code)
	}
}

// A page has a place under any prefix of a mux of the program's own.
func TestPrefix(t *testing.T) {
	page := mustNew(t, newPipeline(t))
	mux := http.NewServeMux()
	mux.Handle("/ops/live/", http.StripPrefix("/ops/live", page))
	mux.Handle("/bare", http.StripPrefix("/bare", page))
	mux.Handle("/bare/", http.StripPrefix("/bare", page))
	for _, path := range []string{"/ops/live/", "/ops/live/live/snapshot.json", "/bare/", "/bare/live/snapshot.json"} {
		if resp := ask(mux, "GET", path); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	for from, want := range map[string]string{
		"/bare": "/bare/", "/bare?theme=dark": "/bare/?theme=dark", "http://other.example/bare": "http://other.example/bare/",
	} {
		r := httptest.NewRequest("GET", from, nil)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		to, err := w.Result().Location()
		if w.Code != http.StatusTemporaryRedirect || err != nil {
			t.Fatalf("%s: %d, %v", from, w.Code, err)
		}
		if got := r.URL.ResolveReference(to).String(); got != want {
			t.Errorf("%s leads to %s, want %s", from, got, want)
		}
		if got := w.Header().Get("Location"); strings.Contains(got, "//") {
			t.Errorf("%s: Location %q names a host", from, got)
		}
	}
}

// A pipeline that is nil, and options that are, leave a page that works.
func TestNilEverything(t *testing.T) {
	page, err := New(nil, nil, nil, WithRedact(nil), WithFleet(nil))
	for _, want := range []string{"livepage: the pipeline is nil", "livepage: a nil Option", "WithRedact(nil)", "WithFleet(nil)"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	var s map[string]any
	if err := json.Unmarshal([]byte(body(t, ask(page, "GET", "/live/snapshot.json"))), &s); err != nil || s["running"] != 0.0 || s["v"] != 1.0 {
		t.Errorf("%v: %v", err, s)
	}
	if resp := ask(page, "GET", "/live/job.json?run=1"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("job.json: %d", resp.StatusCode)
	}
	if resp := ask(page, "GET", "/"); resp.StatusCode != http.StatusOK {
		t.Errorf("/: %d", resp.StatusCode)
	}
}
