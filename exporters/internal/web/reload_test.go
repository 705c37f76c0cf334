package web

import (
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// code returns the status of a path, 0 if the connection fails. It keeps the connection.
func (c caller) code(t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.user != "" {
		req.SetBasicAuth(c.user, c.password)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// A client that loses its rights gets in no more: neither by a session from before, nor on a
// connection that is open.
func TestRevokedClient(t *testing.T) {
	for _, tt := range []struct {
		reason      string
		revoke      func(t *testing.T, ca, strangers *exportertest.Authority)
		http1, tls2 bool
	}{
		{"the name is off the list", func(t *testing.T, ca, _ *exportertest.Authority) {
			webConfig(t, ca, "RequireAndVerifyClientCert", "", "  client_allowed_sans: [other.example]\n")
		}, false, false},
		{"the name is off the list, HTTP/1.1, TLS 1.2", func(t *testing.T, ca, _ *exportertest.Authority) {
			webConfig(t, ca, "RequireAndVerifyClientCert", "", "  client_allowed_sans: [other.example]\nhttp_server_config:\n  http2: false\n")
		}, true, true},
		{"the list is new", func(t *testing.T, ca, _ *exportertest.Authority) {
			webConfig(t, ca, "VerifyClientCertIfGiven", "", "  client_allowed_sans: [other.example]\n")
		}, false, true},
		{"another authority in the same file", func(t *testing.T, ca, strangers *exportertest.Authority) {
			pem, err := os.ReadFile(strangers.File)
			if err != nil {
				t.Fatal(err)
			}
			exportertest.WriteFile(t, ca.Dir, filepath.Base(ca.File), string(pem))
		}, false, false},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			ca, strangers := exportertest.NewAuthority(t), exportertest.NewAuthority(t)
			more := "  client_allowed_sans: [prometheus.example]\n"
			if tt.http1 {
				more += "http_server_config:\n  http2: false\n"
			}
			s := start(t, Config{WebConfigFile: webConfig(t, ca, "RequireAndVerifyClientCert", "", more)})
			url := base(s, true) + "/metrics"
			pair := ca.Pair(t, "prometheus.example")
			open, again := newCaller(ca, pair), newCaller(ca, pair)
			defer open.client.CloseIdleConnections()
			again.client.Transport.(*http.Transport).TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(4)
			if tt.tls2 {
				again.client.Transport.(*http.Transport).TLSClientConfig.MaxVersion = tls.VersionTLS12
			}
			first, _ := again.status(t, url)
			if code := open.code(t, url); code != http.StatusOK || first != http.StatusOK {
				t.Fatalf("before: %d and %d", code, first)
			}
			tt.revoke(t, ca, strangers)
			if code := open.code(t, url); code != http.StatusForbidden {
				t.Errorf("on the open connection: %d, want 403", code)
			}
			for range 2 {
				if code, _ := again.status(t, url); code == http.StatusOK {
					t.Error("a session from before gets in")
				}
			}
			if code, _ := newCaller(ca, pair).status(t, url); code == http.StatusOK {
				t.Error("a new client gets in")
			}
		})
	}
}

// While the file, or one that it names, cannot be used, the last good ones hold: /healthz answers,
// the metrics need what they needed. The log has one line when that begins and one when it ends.
func TestBrokenWebConfig(t *testing.T) {
	replace := func(old, new string) func(t *testing.T, file, content string) {
		return func(t *testing.T, file, content string) {
			if !strings.Contains(content, old) {
				t.Fatalf("no %q in\n%s", old, content)
			}
			exportertest.WriteFile(t, filepath.Dir(file), filepath.Base(file), strings.ReplaceAll(content, old, new))
		}
	}
	whole := func(text string) func(t *testing.T, file, content string) {
		return func(t *testing.T, file, _ string) {
			exportertest.WriteFile(t, filepath.Dir(file), filepath.Base(file), text)
		}
	}
	other := func(name, text string) func(t *testing.T, file, content string) {
		return func(t *testing.T, file, _ string) { exportertest.WriteFile(t, filepath.Dir(file), name, text) }
	}
	breaks := map[string]func(t *testing.T, file, content string){
		"empty":                 whole(""),
		"blank":                 whole("\n\n"),
		"only a comment":        whole("# to do\n"),
		"no YAML":               whole("x: ["),
		"unknown key":           whole("basic: hunter2\n"),
		"password in a section": whole("basic_auth_users: hunter2\n"),
		"password in the clear": whole("basic_auth_users:\n  prometheus: hunter2\n"),
		"gone": func(t *testing.T, file, _ string) {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		},
		"a directory": func(t *testing.T, file, _ string) {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(file, 0o700); err != nil {
				t.Fatal(err)
			}
		},
	}
	breaksTLS := map[string]func(t *testing.T, file, content string){
		"no such certificate":        replace("server.pem", "none.pem"),
		"TLS turned off":             whole("basic_auth_users:\n  nobody: " + fakeHash + "\n"),
		"empty certificate":          other("server.pem", ""),
		"empty key":                  other("server.key", ""),
		"no certificate of a client": other("ca.pem", "-----BEGIN"),
		"bad type":                   replace("RequireAndVerifyClientCert", "Sometimes"),
	}
	for _, clientAuth := range []string{"", "RequireAndVerifyClientCert"} {
		all := map[string]func(t *testing.T, file, content string){}
		for name, b := range breaks {
			all[name] = b
		}
		if clientAuth != "" {
			for name, b := range breaksTLS {
				all["TLS, "+name] = b
			}
		} else {
			all["TLS turned on"] = whole("tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n")
		}
		for name, spoil := range all {
			t.Run(name+" "+clientAuth, func(t *testing.T) {
				ca, book := exportertest.NewAuthority(t), &exportertest.LogBook{}
				ca.Issue(t, "server")
				file := webConfig(t, ca, clientAuth, "secret", "")
				c := config(Config{WebConfigFile: file})
				c.Logger = book.Logger()
				s := listen(t, c)
				files, contents := []string{file, "server.pem", "server.key", "ca.pem"}, []string(nil)
				for i, f := range files {
					if i > 0 {
						files[i] = filepath.Join(ca.Dir, f)
					}
					content, err := os.ReadFile(files[i])
					if err != nil {
						t.Fatal(err)
					}
					contents = append(contents, string(content))
				}
				member := newCaller(ca, ca.Pair(t, "prometheus.example"))
				expect := func(when string) {
					t.Helper()
					for path, want := range map[string][2]int{"/healthz": {http.StatusOK, http.StatusOK}, "/metrics": {http.StatusUnauthorized, http.StatusOK}} {
						wrong, _ := member.as("prometheus", "wrong").status(t, base(s, clientAuth != "")+path)
						right, _ := member.as("prometheus", "secret").status(t, base(s, clientAuth != "")+path)
						if got := [2]int{wrong, right}; got != want {
							t.Errorf("%s, %s: %v with the wrong and the right password, want %v", when, path, got, want)
						}
					}
				}
				expect("before")
				spoil(t, file, contents[0])
				expect("while it is broken")
				expect("while it is still broken")
				const cannot, can = "the web config file cannot be used any more", "the web config file can be used again"
				if book.Lines("level=WARN", cannot, file) != 1 || book.Lines(can) != 0 || strings.Contains(book.String(), "hunter2") {
					t.Errorf("want one line, without values:\n%s", book)
				}
				_ = os.Remove(file)
				for i := len(files) - 1; i >= 0; i-- {
					exportertest.WriteFile(t, ca.Dir, filepath.Base(files[i]), contents[i])
				}
				expect("when it is good again")
				if book.Lines(cannot) != 1 || book.Lines("level=INFO", can, file) != 1 {
					t.Errorf("want one line when it ends:\n%s", book)
				}
			})
		}
	}
}

// Files that cannot be used are read for each request, but are not parsed again before one of them
// changes.
func TestBrokenFilesAreTriedOnce(t *testing.T) {
	ca, book := exportertest.NewAuthority(t), &exportertest.LogBook{}
	file := webConfig(t, ca, "NoClientCert", "", "")
	first, err := readProtection(file)
	if err != nil {
		t.Fatal(err)
	}
	g := &guard{path: file, logger: book.Logger(), good: first}
	attempt := func() *[]byte { // a new one has another address
		if g.current() != first {
			t.Error("what was good does not hold")
		}
		return &g.tried.contents[0]
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	later := strings.ReplaceAll(string(text), "server.pem", "later.pem")
	exportertest.WriteFile(t, ca.Dir, "web.yml", later)
	old := attempt()
	if attempt() != old {
		t.Error("a file that is as broken as before is parsed again")
	}
	exportertest.WriteFile(t, ca.Dir, "web.yml", "x: [")
	if now := attempt(); now == old || attempt() != now {
		t.Error("a file that is broken in another way is not tried, or more than once")
	}
	exportertest.WriteFile(t, ca.Dir, "web.yml", later)
	attempt()
	cert, err := os.ReadFile(filepath.Join(ca.Dir, "server.pem"))
	if err != nil {
		t.Fatal(err)
	}
	exportertest.WriteFile(t, ca.Dir, "later.pem", string(cert))
	if g.current() == first || g.broken {
		t.Errorf("the certificate has come, and is not used:\n%s", book)
	}
}

// A certificate that the file names before it exists is served once it does, and so is a renewed
// one.
func TestRenewedCertificate(t *testing.T) {
	ca := exportertest.NewAuthority(t)
	file := webConfig(t, ca, "NoClientCert", "", "")
	s := start(t, Config{WebConfigFile: file})
	serial := func() string {
		conn, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{RootCAs: ca.Pool})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	first := serial()
	ca.Issue(t, "server")
	second := serial()
	exportertest.WriteFile(t, ca.Dir, "web.yml", "tls_server_config:\n  cert_file: next.pem\n  key_file: next.key\n")
	early := serial()
	ca.Issue(t, "next")
	if third := serial(); first == second || early != second || third == second {
		t.Errorf("serial numbers %s, renewed %s, before the next exists %s, and after %s", first, second, early, third)
	}
}

// Without certificates of clients, sessions are resumed: they carry no rights.
func TestSessionsWithoutRightsAreResumed(t *testing.T) {
	ca := exportertest.NewAuthority(t)
	s := start(t, Config{WebConfigFile: webConfig(t, ca, "NoClientCert", "", "")})
	c := newCaller(ca).client
	c.Transport.(*http.Transport).TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	var resumed []bool
	for range 2 {
		resp, err := c.Get(base(s, true) + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		resumed = append(resumed, resp.TLS.DidResume)
		c.CloseIdleConnections()
	}
	if resumed[0] || !resumed[1] {
		t.Errorf("resumed: %v", resumed)
	}
}
