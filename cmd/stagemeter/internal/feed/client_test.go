package feed

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func newClient(t *testing.T, a Access) *Client {
	t.Helper()
	c, err := NewClient(a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.http.CloseIdleConnections)
	if c.patience != 5*time.Second {
		t.Errorf("a client waits for %v", c.patience)
	}
	c.patience = 5 * time.Minute // of a slow machine
	return c
}

func address(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func serve(t *testing.T, h http.HandlerFunc) *url.URL {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return address(t, s.URL+"/ops")
}

func TestClientAsks(t *testing.T) {
	page := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if r.Header.Get("Accept-Encoding") != "gzip" || user != "me" || password != "secret" {
			t.Errorf("%v", r.Header)
		}
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		defer func() { _ = packed.Close() }()
		switch r.URL.String() {
		case "/ops/live/snapshot.json":
			_, _ = io.WriteString(packed, `{"v":1,"running":1,"new":[]}`)
		case "/ops/live/snapshot.json?match=a%26b+%2F":
			_, _ = io.WriteString(packed, `{"v":1,"running":2}`)
		case "/ops/live/job.json?run=7":
			_, _ = io.WriteString(packed, `{"v":1,"job":{"id":"x"}}`)
		default:
			t.Errorf("asked for %s", r.URL)
		}
	})
	c := newClient(t, Access{User: "me", Password: "secret"})
	if s, err := c.Snapshot(t.Context(), page, ""); err != nil || s.Running != 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := c.Snapshot(t.Context(), page, "a&b /"); err != nil || s.Running != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	if a, err := c.Job(t.Context(), page, "7"); err != nil || a.Job.ID != "x" {
		t.Errorf("%+v, %v", a, err)
	}
}

// An error says what to do, and has nothing that steers a terminal.
func TestClientErrors(t *testing.T) {
	answer := func(code int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, text)
		}
	}
	for _, tt := range []struct {
		reason string
		h      http.HandlerFunc
		want   string
	}{
		{"a later version", answer(200, `{"v":2,"jobs":7}`), "version 2 of the JSON, this program reads version 1"},
		{"another page", answer(200, "<!doctype html>\x1b[2J\n<p>"), `not that of a live page: "<!doctype html>[2J"`},
		{"another JSON", answer(200, `{"status":"success"}`), "not that of a live page"},
		{"null", answer(200, `null`), "not that of a live page"},
		{"half of one", answer(200, `{"v":1,"jobs":[`), "not that of a live page"},
		{"another kind of value", answer(200, `{"v":1,"running":"x"}`), "cannot be read"},
		{"no page", answer(404, "404 page not found"), "no live page is mounted there"},
		{"a password is missing", answer(401, "Unauthorized"), "401 Unauthorized: it asks for a user and a password (-user)"},
		{"another name", answer(403, "the Host is\x1b[31m not\nof this machine"), "403 Forbidden: the Host is[31m not"},
		{"a broken one", answer(500, ""), "500 Internal Server Error"},
		{"a long text", answer(502, strings.Repeat("x", 9999)), "502 Bad Gateway: " + strings.Repeat("x", 100) + "…"},
		{"elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://u:secret@example.com/x?token=1", http.StatusFound)
		}, "302 Found: it leads to http://example.com/x, which is not followed"},
		{"too much", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"v":1,"jobs":[`+strings.Repeat(" ", largest)+`]}`)
		}, "larger than 8 MB"},
		{"a bomb", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			packed, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
			_, _ = packed.Write(make([]byte, largest+1))
			_ = packed.Close()
		}, "larger than 8 MB"},
		{"no gzip", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "{}{}{}{}{}{}{}")
		}, "gzip: invalid header"},
		{"cut short", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{")
		}, "unexpected EOF"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			page := serve(t, tt.h)
			_, err := newClient(t, Access{}).Snapshot(t.Context(), page, "")
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Errorf("%v, want %s", err, tt.want)
			}
			if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), page.Host)) {
				t.Errorf("%v", err)
			}
		})
	}
	page := serve(t, answer(401, "Unauthorized"))
	if _, err := newClient(t, Access{User: "me", Password: "secret"}).Snapshot(t.Context(), page, ""); err == nil || err.Error() != "401 Unauthorized: it refuses this user and password" {
		t.Errorf("%v", err)
	}
	if a, err := newClient(t, Access{}).Job(t.Context(), serve(t, answer(404, "")), "1"); a != nil || err != nil {
		t.Errorf("a forgotten job is %v, %v", a, err)
	}
	gone := address(t, "127.0.0.1:1")
	if _, err := newClient(t, Access{}).Snapshot(t.Context(), gone, ""); err == nil || !strings.Contains(err.Error(), "connection refused") || strings.Contains(err.Error(), "live/") {
		t.Errorf("%v", err)
	}
}

// A silent accepts a request and never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestClientWaitsForFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Client{http: &http.Client{Transport: silent{}}, patience: patience}
		if _, err := c.Snapshot(t.Context(), address(t, "localhost"), ""); err == nil || err.Error() != "no answer within 5s" {
			t.Errorf("%v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Snapshot(ctx, address(t, "localhost"), ""); err == nil || err.Error() != "context canceled" {
			t.Errorf("%v", err)
		}
	})
}

// keep writes a certificate, or its key, to a file.
func keep(t *testing.T, kind string, der []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "x.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestClientCertificates(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"v":1,"running":%d}`, len(r.TLS.PeerCertificates))
	}))
	s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	page := address(t, s.URL)
	pair := s.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, own := keep(t, "CERTIFICATE", pair.Certificate[0]), keep(t, "PRIVATE KEY", key)
	if _, err := newClient(t, Access{}).Snapshot(t.Context(), page, ""); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("without -cacert: %v", err)
	}
	for want, a := range []Access{{CAFile: cert}, {CAFile: cert, CertFile: cert, KeyFile: own}} {
		if got, err := newClient(t, a).Snapshot(t.Context(), page, ""); err != nil || got.Running != want {
			t.Errorf("%+v, %v; want %d certificates", got, err, want)
		}
	}
	for _, a := range []Access{{CAFile: "no.pem"}, {CAFile: own}, {CertFile: cert}, {KeyFile: own}, {CertFile: own, KeyFile: own}} {
		if _, err := NewClient(a); err == nil || !strings.HasPrefix(err.Error(), "-c") {
			t.Errorf("%+v: %v", a, err)
		}
	}
}

func TestReadPassword(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	for text, want := range map[string]string{"secret": "secret", " a b \r\nsecond\n": " a b ", "": "", "\nx": ""} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := ReadPassword(file); got != want || (err != nil) != (want == "") {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	}
	if _, err := ReadPassword(file + "x"); err == nil {
		t.Error("a file that is not there has a password")
	}
}
