package exporters

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/semconv"
)

// Values of OTEL_EXPORTER_OTLP_PROTOCOL.
const (
	protocolGRPC = "grpc"
	protocolHTTP = "http/protobuf"
)

const (
	defaultOTLPTimeout = 10 * time.Second
	wantEndpoint       = "a URL such as http://collector:4317, or https for TLS, without user, query and fragment"
)

// A destination is where one signal goes over OTLP.
type destination struct {
	signal   semconv.Signal
	protocol string
	url      *url.URL      // with the signal's path if the protocol is HTTP
	timeout  time.Duration // of one request
	tls      *tls.Config   // nil: the host's certificate authorities, no client certificate
	headers  map[string]string
	gzip     bool
}

// String returns the URL for people to read.
func (d *destination) String() string {
	if d == nil {
		return "off"
	}
	return d.url.String()
}

// target returns what gRPC dials. The dialer resolves the name with each try:
// gRPC's own resolver would wait up to 2 minutes before it asks again for one
// that is unknown, as that of a container is while it is down.
func (d *destination) target() string {
	if d.url.Scheme == "unix" {
		return d.url.String()
	}
	host := d.url.Host
	if d.url.Port() == "" {
		port := "4317"
		if d.url.Scheme == "https" {
			port = "443"
		}
		host = net.JoinHostPort(d.url.Hostname(), port)
	}
	return "passthrough:///" + host
}

// names returns the variables of a signal, the particular one before the
// general one.
func names(signal semconv.Signal, suffix string) []string {
	return []string{envOTLP + strings.ToUpper(string(signal)) + "_" + suffix, envOTLP + suffix}
}

// destination reads where signal goes. It goes nowhere, which is nil, unless
// the option gives an endpoint, or listed names otlp, or there is no list and a
// variable gives an endpoint. listed is nil if there is no list.
//
// Temporality and histogram aggregation are read by the exporters themselves,
// which don't report what they leave out: resolve checks them.
func (r *reader) destination(signal semconv.Signal, option string, listed []string) *destination {
	d := &destination{
		signal:   signal,
		protocol: r.choice(protocolGRPC, []string{protocolGRPC, protocolHTTP}, names(signal, otlpProtocol)...),
		timeout:  r.milliseconds(defaultOTLPTimeout, names(signal, otlpTimeout)...),
	}
	d.gzip = r.choice("", []string{"gzip", none}, names(signal, otlpCompression)...) == "gzip"
	d.headers = r.headers(names(signal, otlpHeaders)...)
	insecure := r.flag(names(signal, otlpInsecure)...)

	var err error
	switch name, value := r.env.first(names(signal, otlpEndpoint)...); {
	case option != "":
		if d.url, err = parseEndpoint(option, d.protocol, insecure); err != nil {
			r.note(fmt.Errorf("exporters: WithOTLPEndpoint(%q): want %s; nothing is pushed", redact(option), wantEndpoint))
			return nil
		}
		d.addPath()
	case listed != nil && !slices.Contains(listed, otlpName):
		return nil
	case value != "":
		if d.url, err = parseEndpoint(value, d.protocol, insecure); err != nil {
			r.reject(name, redact(value), wantEndpoint, string(signal)+" are not pushed")
			return nil
		}
		if name == envOTLP+otlpEndpoint {
			d.addPath()
		}
	case listed != nil:
		d.url = &url.URL{Scheme: "http", Host: "localhost:4317"}
		if d.protocol == protocolHTTP {
			d.url.Host = "localhost:4318"
			d.addPath()
		}
	default:
		return nil
	}

	if d.url.Scheme != "https" {
		return d
	}
	if d.tls, err = r.tls(signal); err != nil {
		r.note(fmt.Errorf("%w; %s are not pushed", err, signal))
		return nil
	}
	return d
}

// addPath adds the signal's path to the base URL of OTLP over HTTP.
func (d *destination) addPath() {
	if d.protocol == protocolHTTP {
		d.url = d.url.JoinPath("v1", string(d.signal))
	}
}

// parseEndpoint parses an endpoint. With gRPC it may be host:port without a
// scheme, which is then https unless insecure, and a unix socket.
func parseEndpoint(value, protocol string, insecure bool) (*url.URL, error) {
	if protocol == protocolGRPC && !strings.Contains(value, "://") && !strings.HasPrefix(value, "unix:") {
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
	case u.Scheme == "unix" && protocol == protocolGRPC && (u.Opaque != "" || u.Path != ""):
	case (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "":
	default:
		return nil, errors.New("no http or https URL with a host")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("more than an endpoint: credentials go into the headers")
	}
	if port := u.Port(); port != "" {
		return u, checkPort(port)
	}
	return u, nil
}

// redact returns an endpoint without what may be a secret in it.
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
	return value
}

// headers reads headers without ever telling their values: they hold tokens.
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
		r.note(fmt.Errorf("exporters: %s: want a comma list of key=value, values of printable ASCII, percent-encoded; number %d is not and is left out",
			name, bad))
	}
	return headers
}

func validHeader(key string) bool {
	return key != "" && !strings.ContainsFunc(key, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}

// validHeaderValue tells what gRPC and HTTP both carry.
func validHeaderValue(value string) bool {
	return !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' })
}

// tls reads the certificates of a signal. They are read once. A file that
// can't be used is an error: without it the host's authorities would be trusted.
func (r *reader) tls(signal semconv.Signal) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if name, file := r.env.first(names(signal, otlpCA)...); file != "" {
		pem, err := os.ReadFile(file)
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
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("exporters: %s=%q, %s=%q: %w", certName, cert, keyName, key, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
