package settings

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/exporters/internal/files"
	"github.com/stagemeter/stagemeter/semconv"
)

// Values of OTEL_EXPORTER_OTLP_PROTOCOL.
const (
	ProtocolGRPC = "grpc"
	ProtocolHTTP = "http/protobuf"
)

const defaultOTLPTimeout = 10 * time.Second

// WantEndpoint says which endpoints are allowed.
const WantEndpoint = "a URL such as http://collector:4317, or https for TLS, without user, query and fragment"

// A Destination is where one signal goes over OTLP.
type Destination struct {
	Signal   semconv.Signal
	Protocol string
	URL      *url.URL      // with the signal's path if Protocol is ProtocolHTTP
	Timeout  time.Duration // of one request
	TLS      *tls.Config   // nil: the host's certificate authorities, no client certificate
	Headers  map[string]string
	Gzip     bool
}

// String returns the URL, or "off" for nil.
func (d *Destination) String() string {
	if d == nil {
		return "off"
	}
	return d.URL.String()
}

// Lengths from which a header's value, or a word of it, may be a secret. Schemes such as Bearer and
// names of tenants are shown, but not a short key in a header that is called so.
const (
	minSecret = 8
	minKey    = 3
)

// keyHeader matches the names of headers that hold keys.
var keyHeader = regexp.MustCompile(`(?i)auth|key|token|secret|pass|cookie|cred|sign|license|dsn`)

// scheme matches the first word of an authorization.
var scheme = regexp.MustCompile(`(?i)^(bearer|basic|digest|token|apikey|api-key|key|negotiate)$`)

// Secrets returns what no text may show: the values of headers, and their words, because a receiver
// may repeat a token without its scheme. Longer ones come first.
func (d *Destination) Secrets() []string {
	var all []string
	for name, v := range d.Headers {
		least := minSecret
		if keyHeader.MatchString(name) {
			least = minKey
		}
		for _, s := range append(strings.Fields(v), v) {
			if len(s) >= least && !scheme.MatchString(s) {
				all = append(all, s)
			}
		}
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(all)
}

// Target returns the address that gRPC dials. The dialer resolves the name at each attempt. gRPC's
// own resolver would wait up to 2 minutes before it asks again for an unknown name, such as that of
// a container that is down.
func (d *Destination) Target() string {
	if d.URL.Scheme == "unix" {
		return d.URL.String()
	}
	host := d.URL.Host
	if d.URL.Port() == "" {
		port := "4317"
		if d.URL.Scheme == "https" {
			port = "443"
		}
		host = net.JoinHostPort(d.URL.Hostname(), port)
	}
	return "passthrough:///" + host
}

// names returns the variables of a signal: its own before the one for both.
func names(signal semconv.Signal, suffix string) []string {
	return []string{envOTLP + strings.ToUpper(string(signal)) + "_" + suffix, envOTLP + suffix}
}

// destination reads where signal goes. listed is the signal's list of exporters, nil if there is
// none. The result is nil unless
//
//   - the option gives an endpoint,
//   - listed has otlp, or
//   - there is no list and a variable gives an endpoint.
//
// The exporters themselves read temporality and histogram aggregation, and do not report a value
// that they ignore: Resolve checks those two.
func (r *reader) destination(signal semconv.Signal, option string, listed []string) *Destination {
	d := &Destination{
		Signal:   signal,
		Protocol: r.choice(ProtocolGRPC, []string{ProtocolGRPC, ProtocolHTTP}, names(signal, otlpProtocol)...),
		Timeout:  r.milliseconds(defaultOTLPTimeout, names(signal, otlpTimeout)...),
	}
	d.Gzip = r.choice("", []string{"gzip", none}, names(signal, otlpCompression)...) == "gzip"
	d.Headers = r.headers(names(signal, otlpHeaders)...)
	insecure := r.flag(names(signal, otlpInsecure)...)

	var err error
	switch name, value := r.env.first(names(signal, otlpEndpoint)...); {
	case option != "":
		if d.URL, err = parseEndpoint(option, d.Protocol, insecure); err != nil {
			r.note(fmt.Errorf("exporters: WithOTLPEndpoint(%q): want %s; nothing is pushed", redact(option), WantEndpoint))
			return nil
		}
		d.addPath()
	case listed != nil && !slices.Contains(listed, otlpName):
		return nil
	case value != "":
		if d.URL, err = parseEndpoint(value, d.Protocol, insecure); err != nil {
			r.reject(name, redact(value), WantEndpoint, string(signal)+" are not pushed")
			return nil
		}
		if name == envOTLP+otlpEndpoint {
			d.addPath()
		}
	case listed != nil:
		d.URL = &url.URL{Scheme: "http", Host: "localhost:4317"}
		if d.Protocol == ProtocolHTTP {
			d.URL.Host = "localhost:4318"
			d.addPath()
		}
	default:
		return nil
	}

	if d.URL.Scheme != "https" {
		return d
	}
	if d.TLS, err = r.tls(signal); err != nil {
		r.note(fmt.Errorf("%w; %s are not pushed", err, signal))
		return nil
	}
	return d
}

// addPath appends the signal's path to the base URL of OTLP over HTTP.
func (d *Destination) addPath() {
	if d.Protocol == ProtocolHTTP {
		d.URL = d.URL.JoinPath("v1", string(d.Signal))
	}
}

// parseEndpoint parses an endpoint. For gRPC it may also be a unix socket, or host:port without a
// scheme, which means https unless insecure is set.
func parseEndpoint(value, protocol string, insecure bool) (*url.URL, error) {
	if protocol == ProtocolGRPC && !strings.Contains(value, "://") && !strings.HasPrefix(value, "unix:") {
		scheme := "https"
		if insecure {
			scheme = "http"
		}
		value = scheme + "://" + value
	}
	u, err := url.Parse(value)
	if err != nil {
		return nil, err
	}
	switch {
	case u.Scheme == "unix" && protocol == ProtocolGRPC && (u.Opaque != "" || u.Path != ""):
	case (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "":
	default:
		return nil, errors.New("no http or https URL with a host")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("more than an endpoint: set credentials as headers")
	}
	if port := u.Port(); port != "" {
		return u, checkPort(port)
	}
	return u, nil
}

// redact returns an endpoint without the parts that may be secret.
func redact(value string) string {
	if i := strings.LastIndexByte(value, '@'); i >= 0 {
		scheme, _, found := strings.Cut(value[:i], "://")
		if found {
			value = scheme + "://…" + value[i:]
		} else {
			value = "…" + value[i:]
		}
	}
	if i := strings.IndexAny(value, "?#"); i >= 0 {
		value = value[:i] + "…"
	}
	if host, port, found := strings.Cut(value, ":"); found && !strings.HasPrefix(port, "//") && host != "unix" && checkPort(port) != nil {
		value = host + ":…"
	}
	return value
}

// headers reads headers. Its errors do not show their values, which may be tokens.
func (r *reader) headers(names ...string) map[string]string {
	name, value := r.env.first(names...)
	headers := make(map[string]string)
	var bad []int
	for i, p := range pairs(value) {
		if p.err != nil || !validHeader(p.key) || !validHeaderValue(p.value) {
			bad = append(bad, i+1)
			continue
		}
		headers[p.key] = p.value
	}
	if len(bad) > 0 {
		r.note(fmt.Errorf("exporters: %s: want a comma list of key=value, values of printable ASCII, percent-encoded; number %d is none and is left out",
			name, bad))
	}
	return headers
}

// malformed reports whether the exporters cannot read a header or an endpoint of the environment,
// whether or not it is used.
func (r *reader) malformed() bool {
	for _, signal := range []string{"", "METRICS_", "TRACES_"} {
		if _, err := url.Parse(r.env.get(envOTLP + signal + otlpEndpoint)); err != nil {
			return true
		}
		for _, p := range pairs(r.env.get(envOTLP + signal + otlpHeaders)) {
			if p.err != nil || !validHeader(p.key) {
				return true
			}
		}
	}
	return false
}

func validHeader(key string) bool {
	return key != "" && !strings.ContainsFunc(key, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}

// validHeaderValue reports whether both gRPC and HTTP can carry value.
func validHeaderValue(value string) bool {
	return !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' })
}

// tls reads the certificates of a signal, once. A file that cannot be used is an error: without the
// file the host's authorities would be trusted.
func (r *reader) tls(signal semconv.Signal) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	for _, suffix := range []string{otlpCA, otlpCert, otlpKey} {
		if name, file := r.env.first(names(signal, suffix)...); strings.Contains(file, "-----BEGIN") {
			return nil, fmt.Errorf("exporters: %s: want the path of a file in PEM, not its content", name)
		}
	}
	if name, file := r.env.first(names(signal, otlpCA)...); file != "" {
		pem, err := files.Read(file)
		if err != nil {
			return nil, fmt.Errorf("exporters: %s=%q: %w", name, file, err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("exporters: %s=%q: want a file with certificates in PEM", name, file)
		}
	}
	certName, cert := r.env.first(names(signal, otlpCert)...)
	keyName, key := r.env.first(names(signal, otlpKey)...)
	switch {
	case cert == "" && key == "":
	case cert == "":
		return nil, fmt.Errorf("exporters: %s=%q: want %s too", keyName, key, certName)
	case key == "":
		return nil, fmt.Errorf("exporters: %s=%q: want %s too", certName, cert, keyName)
	default:
		pair, err := keyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("exporters: %s=%q, %s=%q: %w", certName, cert, keyName, key, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// keyPair is tls.LoadX509KeyPair for files of a bounded size.
func keyPair(cert, key string) (tls.Certificate, error) {
	certPEM, err := files.Read(cert)
	if err != nil {
		return tls.Certificate{}, err
	}
	keyPEM, err := files.Read(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(certPEM, keyPEM)
}
