package web

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net/http"
	"path/filepath"
	"regexp"

	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v2"
	"golang.org/x/time/rate"

	"github.com/stagemeter/stagemeter/exporters/internal/files"
)

// A protection is what a web config file says. It does not change, but for what it remembers.
type protection struct {
	file     web.Config
	paths    []string // of the file and those that it names
	contents [][]byte // of paths
	tls      *tls.Config
	auth     tls.ClientAuthType // that is required; tls leaves it to admit whether there is a certificate
	limiter  *rate.Limiter      // nil: no limit

	passwords *passwords
}

// readProtection reads the file and those that it names. The toolkit checks what they say.
func readProtection(path string) (*protection, error) {
	content, err := files.Read(path)
	if err != nil {
		return nil, err
	}
	if err := readable(content, filepath.Dir(path)); err != nil {
		return nil, err
	}
	if err := web.Validate(path); err != nil {
		return nil, withoutValues(err)
	}
	p := &protection{paths: []string{path}, contents: [][]byte{content}, passwords: newPasswords()}
	p.file.TLSConfig.MinVersion, p.file.TLSConfig.MaxVersion = tls.VersionTLS12, tls.VersionTLS13 // as the toolkit
	p.file.HTTPConfig.HTTP2 = true
	if err := yaml.UnmarshalStrict(content, &p.file); err != nil {
		return nil, withoutValues(err)
	}
	if limit := p.file.RateLimiterConfig; limit.Interval != 0 {
		p.limiter = rate.NewLimiter(rate.Every(limit.Interval), limit.Burst)
	}
	if p.file.TLSConfig.IsEnabled() {
		if err := p.readTLS(filepath.Dir(path)); err != nil {
			return nil, err
		}
	}
	if now := read(p.paths); !equal(now, p.contents) {
		return nil, errChanges
	}
	return p, nil
}

// readable reports whether the files that a web config file names can be read, before the toolkit
// does, which reads files of any size. It leaves what else may be wrong to the toolkit.
func readable(content []byte, dir string) error {
	for _, path := range namedIn(content, dir) {
		if _, err := files.Read(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// named returns the path of a web config file and those of the files that it names.
func named(path string) []string {
	content, err := files.Read(path)
	if err != nil {
		return []string{path}
	}
	return append([]string{path}, namedIn(content, filepath.Dir(path))...)
}

// namedIn returns the paths of the files that a web config file in dir names, none if it cannot be
// parsed.
func namedIn(content []byte, dir string) (paths []string) {
	var c web.Config
	if yaml.Unmarshal(content, &c) != nil {
		return nil
	}
	c.TLSConfig.SetDirectory(dir)
	for _, path := range []string{c.TLSConfig.TLSCertPath, c.TLSConfig.TLSKeyPath, c.TLSConfig.ClientCAs} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

// readTLS makes the TLS configuration. It reads each file once, so that a later change has no part
// in it.
func (p *protection) readTLS(dir string) error {
	t := p.file.TLSConfig
	t.SetDirectory(dir)
	for _, f := range []struct {
		path *string
		set  func(content []byte)
	}{
		{&t.TLSCertPath, func(c []byte) { t.TLSCert = string(c) }},
		{&t.TLSKeyPath, func(c []byte) { t.TLSKey = promconfig.Secret(c) }},
		{&t.ClientCAs, func(c []byte) { t.ClientCAsText = string(c) }},
	} {
		if *f.path == "" {
			continue
		}
		content, err := files.Read(*f.path)
		if err != nil {
			return err
		}
		p.paths, p.contents = append(p.paths, *f.path), append(p.contents, content)
		f.set(content)
		*f.path = ""
	}
	if t.ClientCAsText != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(t.ClientCAsText)) {
		return errors.New("client_ca_file, client_ca: no certificate in it")
	}
	c, err := web.ConfigToTLSConfig(&t)
	if err != nil {
		return err
	}
	c.NextProtos = []string{"h2", "http/1.1"}
	// A resumed session would keep the rights that the client had when it began.
	c.SessionTicketsDisabled = c.ClientAuth != tls.NoClientCert
	p.auth = c.ClientAuth
	relax(c)
	p.tls = c
	return nil
}

// relax makes c's client certificate optional: in the handshake the path is not known yet, and
// /healthz needs none. A certificate that a client sends is still verified.
func relax(c *tls.Config) {
	switch c.ClientAuth {
	case tls.RequireAnyClientCert:
		c.ClientAuth = tls.RequestClientCert
	case tls.RequireAndVerifyClientCert:
		c.ClientAuth = tls.VerifyClientCertIfGiven
	}
	if verify := c.VerifyPeerCertificate; verify != nil {
		c.VerifyPeerCertificate = func(certs [][]byte, chains [][]*x509.Certificate) error {
			if len(certs) == 0 {
				return nil
			}
			return verify(certs, chains)
		}
	}
}

// replace makes p follow old while the server runs. An error says why it cannot.
func (p *protection) replace(old *protection) error {
	switch {
	case p.tls == nil && p.limiter == nil && len(p.file.Users)+len(p.file.HTTPConfig.Header) == 0:
		return errBlank // an editor may be writing it
	case (p.tls == nil) != (old.tls == nil):
		return errTLSChange
	}
	p.passwords = old.passwords
	if p.file.RateLimiterConfig == old.file.RateLimiterConfig {
		p.limiter = old.limiter
	}
	return nil
}

// admit reports whether a request may pass. If not, it has answered it.
func (p *protection) admit(w http.ResponseWriter, r *http.Request) bool {
	if err := p.checkCert(r.TLS); err != nil {
		w.Header().Set("Connection", "close") // with another certificate the client needs another connection
		http.Error(w, err.Error(), http.StatusForbidden)
		return false
	}
	if p.limiter != nil && !p.limiter.Allow() {
		w.Header().Set("Retry-After", "1")
		http.Error(w, http.StatusText(http.StatusTooManyRequests), http.StatusTooManyRequests)
		return false
	}
	for name, value := range p.file.HTTPConfig.Header {
		w.Header().Set(name, value)
	}
	if len(p.file.Users) == 0 {
		return true
	}
	if user, password, ok := r.BasicAuth(); ok {
		hash, known := p.file.Users[user]
		right, err := p.passwords.check(r.Context(), user, string(hash), password, known)
		if err != nil {
			w.Header().Set("Retry-After", "1")
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
		if right || err != nil {
			return right
		}
	}
	w.Header().Set("WWW-Authenticate", "Basic")
	http.Error(w, http.StatusText(http.StatusUnauthorized), http.StatusUnauthorized)
	return false
}

// Errors of checkCert, for the client.
var (
	errNoCert  = errors.New("a client certificate is required")
	errBadCert = errors.New("the client certificate is not allowed")
)

// checkCert checks the certificate of an open connection: it may have lost its rights since the
// handshake.
func (p *protection) checkCert(conn *tls.ConnectionState) error {
	if p.tls == nil {
		return nil
	}
	if conn == nil || len(conn.PeerCertificates) == 0 {
		if p.auth == tls.RequireAnyClientCert || p.auth == tls.RequireAndVerifyClientCert || conn == nil {
			return errNoCert
		}
		return nil
	}
	certs := conn.PeerCertificates
	if p.auth >= tls.VerifyClientCertIfGiven {
		opts := x509.VerifyOptions{Roots: p.tls.ClientCAs, Intermediates: x509.NewCertPool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
		for _, c := range certs[1:] {
			opts.Intermediates.AddCert(c)
		}
		if _, err := certs[0].Verify(opts); err != nil {
			return errBadCert
		}
	}
	if verify := p.tls.VerifyPeerCertificate; verify != nil && verify([][]byte{certs[0].Raw}, nil) != nil {
		return errBadCert
	}
	return nil
}

// quoted are the values in an error of package yaml.
var quoted = regexp.MustCompile("`[^`]*`")

// withoutValues returns err without values of the file: one may be a password in the wrong place.
func withoutValues(err error) error {
	var typeErr *yaml.TypeError
	if !errors.As(err, &typeErr) {
		return err
	}
	return errors.New(quoted.ReplaceAllString(err.Error(), "…"))
}
