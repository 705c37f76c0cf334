package web

import (
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v2"
	"golang.org/x/crypto/bcrypt"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// A caller requests a path with its credentials.
type caller struct {
	client         *http.Client
	user, password string
}

// newCaller returns a caller that trusts ca and sends certs.
func newCaller(ca *exportertest.Authority, certs ...tls.Certificate) caller {
	return caller{client: &http.Client{Transport: &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: ca.Pool, Certificates: certs},
		ForceAttemptHTTP2: true,
	}}}
}

func (c caller) as(user, password string) caller {
	c.user, c.password = user, password
	return c
}

// status returns the status and the protocol's major version, or 0 if the
// connection fails.
func (c caller) status(t *testing.T, url string) (code, proto int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.user != "" {
		req.SetBasicAuth(c.user, c.password)
	}
	defer c.client.CloseIdleConnections()
	resp, err := c.client.Do(req)
	if err != nil {
		return 0, 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.ProtoMajor
}

// webConfig writes a web config file: a section for TLS if clientAuth is not empty, and a user
// "prometheus" if password is not.
func webConfig(t *testing.T, ca *exportertest.Authority, clientAuth, password, more string) string {
	t.Helper()
	var b strings.Builder
	if clientAuth != "" {
		cert, key := ca.Issue(t, "server")
		fmt.Fprintf(&b, "tls_server_config:\n  cert_file: %s\n  key_file: %s\n  client_auth_type: %s\n", cert, key, clientAuth)
		if clientAuth != "NoClientCert" && clientAuth != "RequireAnyClientCert" {
			fmt.Fprintf(&b, "  client_ca_file: %s\n", ca.File)
		}
	}
	b.WriteString(more)
	if password != "" {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "basic_auth_users:\n  prometheus: %s\n", hash)
	}
	return exportertest.WriteFile(t, ca.Dir, "web.yml", b.String())
}

// Whatever the file requires, only /healthz answers without it.
func TestWebConfig(t *testing.T) {
	ca, strangers := exportertest.NewAuthority(t), exportertest.NewAuthority(t)
	nobody := newCaller(ca)
	member := newCaller(ca, ca.Pair(t, "prometheus.example"))
	stranger := newCaller(ca, strangers.Pair(t, "stranger.example"))
	const (
		ok, unauthorized, forbidden = http.StatusOK, http.StatusUnauthorized, http.StatusForbidden
		refused                     = 0
	)
	type want struct {
		who             string
		caller          caller
		metrics, health int
	}
	for _, tt := range []struct {
		name                       string
		clientAuth, password, more string
		want                       []want
	}{
		{"empty file", "", "", "", []want{{"nobody", nobody, ok, ok}}},
		{"password", "", "secret", "", []want{
			{"nobody", nobody, unauthorized, ok},
			{"wrong password", nobody.as("prometheus", "wrong"), unauthorized, ok},
			{"wrong user", nobody.as("admin", "secret"), unauthorized, ok},
			{"right", nobody.as("prometheus", "secret"), ok, ok},
		}},
		{"TLS", "NoClientCert", "", "", []want{{"nobody", nobody, ok, ok}, {"member", member, ok, ok}}},
		{"TLS and password", "NoClientCert", "secret", "", []want{
			{"nobody", nobody, unauthorized, ok}, {"right", nobody.as("prometheus", "secret"), ok, ok},
		}},
		{"TLS without HTTP/2", "NoClientCert", "secret", "http_server_config:\n  http2: false\n", []want{
			{"nobody", nobody, unauthorized, ok}, {"right", nobody.as("prometheus", "secret"), ok, ok},
		}},
		{"mTLS", "RequireAndVerifyClientCert", "", "", []want{
			{"nobody", nobody, forbidden, ok}, {"member", member, ok, ok}, {"stranger", stranger, refused, refused},
		}},
		{"mTLS and password", "RequireAndVerifyClientCert", "secret", "", []want{
			{"nobody", nobody, forbidden, ok},
			{"only the password", nobody.as("prometheus", "secret"), forbidden, ok},
			{"only the certificate", member, unauthorized, ok},
			{"both", member.as("prometheus", "secret"), ok, ok},
		}},
		{"mTLS for one name", "RequireAndVerifyClientCert", "", "  client_allowed_sans: [prometheus.example]\n", []want{
			{"nobody", nobody, forbidden, ok}, {"member", member, ok, ok},
			{"another member", newCaller(ca, ca.Pair(t, "other.example")), refused, refused},
		}},
		{"any certificate", "RequireAnyClientCert", "", "", []want{
			{"nobody", nobody, forbidden, ok}, {"member", member, ok, ok}, {"stranger", stranger, ok, ok},
		}},
		{"certificate if given", "VerifyClientCertIfGiven", "", "", []want{{"nobody", nobody, ok, ok}, {"member", member, ok, ok}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, Config{WebConfigFile: webConfig(t, ca, tt.clientAuth, tt.password, tt.more)})
			base := "http://" + s.Addr().String()
			if tt.clientAuth != "" {
				base = "https://" + s.Addr().String()
			}
			for _, w := range tt.want {
				for path, want := range map[string]int{"/metrics": w.metrics, "/": w.metrics, "/nowhere": w.metrics, "/healthz": w.health} {
					if path == "/nowhere" && want == ok {
						want = http.StatusNotFound
					}
					code, proto := w.caller.status(t, base+path)
					if code != want {
						t.Errorf("%s, %s: %d, want %d", w.who, path, code, want)
					}
					if http2 := tt.clientAuth != "" && !strings.Contains(tt.more, "http2: false"); code != refused && (proto == 2) != http2 {
						t.Errorf("%s, %s: HTTP/%d", w.who, path, proto)
					}
				}
			}
		})
	}
}

// A resumed session has the same rights as the first one.
func TestResumedSession(t *testing.T) {
	ca := exportertest.NewAuthority(t)
	s := start(t, Config{WebConfigFile: webConfig(t, ca, "RequireAndVerifyClientCert", "", "")})
	for _, tt := range []struct {
		who   string
		certs []tls.Certificate
		want  int
	}{{"nobody", nil, http.StatusForbidden}, {"member", []tls.Certificate{ca.Pair(t, "prometheus.example")}, http.StatusOK}} {
		c := newCaller(ca, tt.certs...)
		c.client.Transport.(*http.Transport).TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		for range 3 { // status closes the connection
			if code, _ := c.status(t, "https://"+s.Addr().String()+"/metrics"); code != tt.want {
				t.Errorf("%s: %d, want %d", tt.who, code, tt.want)
			}
		}
	}
}

// The file is read again: a new password and a new requirement hold at once.
func TestWebConfigReload(t *testing.T) {
	ca := exportertest.NewAuthority(t)
	file := webConfig(t, ca, "NoClientCert", "old", "")
	s := start(t, Config{WebConfigFile: file})
	url := "https://" + s.Addr().String() + "/metrics"
	nobody, member := newCaller(ca), newCaller(ca, ca.Pair(t, "prometheus.example"))

	expect := func(c caller, want int) {
		t.Helper()
		if code, _ := c.status(t, url); code != want {
			t.Errorf("%d, want %d", code, want)
		}
	}
	expect(nobody.as("prometheus", "old"), http.StatusOK)
	webConfig(t, ca, "RequireAndVerifyClientCert", "new", "")
	expect(nobody.as("prometheus", "new"), http.StatusForbidden)
	expect(member.as("prometheus", "old"), http.StatusUnauthorized)
	expect(member.as("prometheus", "new"), http.StatusOK)
	if err := os.WriteFile(file, []byte("no: such key"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(member.as("prometheus", "new"), http.StatusOK) // as before
	expect(nobody.as("prometheus", "new"), http.StatusForbidden)
	expect(member.as("prometheus", "old"), http.StatusUnauthorized)
}

// A file that cannot be used opens no port.
func TestBadWebConfig(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ name, content, want string }{
		{"no YAML", "\t:", "yaml"},
		{"unknown key", "basic_auth: {}", "basic_auth"},
		{"password in the clear", "basic_auth_users:\n  prometheus: secret\n", "hashedSecret"},
		{"no key", "tls_server_config:\n  cert_file: cert.pem\n", "key_file"},
		{"no such certificate", "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n", "cert.pem"},
		{"bad header", "http_server_config:\n  headers:\n    X-Mine: 1\n", "X-Mine"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := exportertest.WriteFile(t, dir, "web.yml", tt.content)
			s, err := Listen(config(Config{WebConfigFile: file}))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), fmt.Sprintf("WithWebConfigFile(%q)", file)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if s != nil {
				t.Errorf("serves on %v", s.Addr())
			}
		})
	}
	if s, err := Listen(config(Config{WebConfigFile: filepath.Join(dir, "none.yml")})); err == nil || s != nil {
		t.Errorf("no such file: %v, serves on %v", err, s.Addr())
	}
}

// Whatever the file holds, nothing panics, and a file with users never leaves the metrics open.
func FuzzWebConfig(f *testing.F) {
	for _, seed := range []string{
		"", "basic_auth_users:\n  a: $2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi\n",
		"tls_server_config:\n  cert: x\n  key: y\n", "tls_server_config: {client_auth_type: RequireAnyClientCert}",
		"rate_limit: {interval: 1s, burst: 0}", "http_server_config: {http2: false}", "a: &a [*a]", "\x00", "basic_auth_users: {a: }",
	} {
		f.Add(seed)
	}
	dir := f.TempDir()
	logger := slog.New(slog.DiscardHandler)
	f.Fuzz(func(t *testing.T, content string) {
		file := exportertest.WriteFile(t, dir, "web.yml", content)
		inner := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "open") })
		srv := &http.Server{Handler: inner}
		if err := protect(srv, file, logger); err != nil {
			return
		}
		rec := httptest.NewRecorder()
		srv.Handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		var c web.Config
		if yaml.UnmarshalStrict([]byte(content), &c) == nil && len(c.Users) > 0 && rec.Body.String() == "open" {
			t.Errorf("open despite users:\n%s", content)
		}
		rec = httptest.NewRecorder()
		withHealth(srv.Handler).ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/healthz", nil))
		if rec.Code != http.StatusOK {
			t.Errorf("/healthz: %d with\n%s", rec.Code, content)
		}
	})
}
