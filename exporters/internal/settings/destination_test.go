package settings

import (
	"slices"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
	"github.com/stagemeter/stagemeter/exporters/internal/files"
)

func TestParseEndpoint(t *testing.T) {
	for _, tt := range []struct {
		value, protocol string
		insecure        bool
		want            string // empty: refused
		reason          string
	}{
		{"http://collector:4317", ProtocolGRPC, false, "http://collector:4317", "plain"},
		{"https://collector:4317", ProtocolGRPC, true, "https://collector:4317", "the scheme wins over INSECURE"},
		{"https://otlp.example.com", ProtocolGRPC, false, "https://otlp.example.com", "the port may be left out"},
		{"http://[::1]:4317", ProtocolGRPC, false, "http://[::1]:4317", "IPv6"},
		{"collector:4317", ProtocolGRPC, false, "https://collector:4317", "gRPC's own form, secure by default"},
		{"collector:4317", ProtocolGRPC, true, "http://collector:4317", "gRPC's own form with INSECURE"},
		{"[::1]:4317", ProtocolGRPC, true, "http://[::1]:4317", "gRPC's own form, IPv6"},
		{"unix:///run/otel.sock", ProtocolGRPC, false, "unix:///run/otel.sock", "a sidecar's socket"},
		{"unix:otel.sock", ProtocolGRPC, false, "unix:otel.sock", "a relative one"},
		{"https://collector/otlp/", ProtocolHTTP, false, "https://collector/otlp/", "a base path"},
		{"collector:4318", ProtocolHTTP, true, "", "HTTP takes only URLs"},
		{"unix:///run/otel.sock", ProtocolHTTP, false, "", "not over HTTP"},
		{"ftp://collector:4317", ProtocolGRPC, false, "", "scheme"},
		{"http://", ProtocolGRPC, false, "", "no host"},
		{"http://:4317", ProtocolGRPC, false, "", "no host"},
		{"http://collector:99999", ProtocolGRPC, false, "", "port"},
		{"http://collector:port", ProtocolGRPC, false, "", "port"},
		{"http://user:secret@collector:4317", ProtocolGRPC, false, "", "would be dropped in silence"},
		{"https://collector/?key=secret", ProtocolHTTP, false, "", "would be dropped in silence"},
		{"http://collector:4317/#here", ProtocolHTTP, false, "", "would be dropped in silence"},
		{"http://colle ctor", ProtocolGRPC, false, "", "space"},
		{"\x00", ProtocolGRPC, false, "", "control character"},
	} {
		u, err := parseEndpoint(tt.value, tt.protocol, tt.insecure)
		switch {
		case tt.want == "" && err == nil:
			t.Errorf("%q over %s: taken as %q, want an error (%s)", tt.value, tt.protocol, u, tt.reason)
		case tt.want != "" && err != nil:
			t.Errorf("%q over %s: %v (%s)", tt.value, tt.protocol, err, tt.reason)
		case tt.want != "" && u.String() != tt.want:
			t.Errorf("%q over %s: %q, want %q (%s)", tt.value, tt.protocol, u, tt.want, tt.reason)
		}
	}
}

// Tokens are secret, also without their scheme. Schemes and short values are not.
func TestSecrets(t *testing.T) {
	s, err := Resolve(Config{}, func(name string) string {
		return map[string]string{
			"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector",
			"OTEL_EXPORTER_OTLP_HEADERS":  "authorization=Bearer%20abcdefgh,x-tenant=acme,x-key=0123456789",
		}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	got := s.TracesOTLP.Secrets()
	slices.Sort(got)
	if want := []string{"0123456789", "Bearer abcdefgh", "abcdefgh"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// The address for gRPC has a default port, and its name is resolved at each attempt.
func TestTarget(t *testing.T) {
	for endpoint, want := range map[string]string{
		"http://collector:4317":    "passthrough:///collector:4317",
		"http://collector":         "passthrough:///collector:4317",
		"https://otlp.example.com": "passthrough:///otlp.example.com:443",
		"http://[::1]":             "passthrough:///[::1]:4317",
		"http://[::1]:1":           "passthrough:///[::1]:1",
		"unix:///run/otel.sock":    "unix:///run/otel.sock",
	} {
		u, err := parseEndpoint(endpoint, ProtocolGRPC, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&Destination{URL: u}).Target(); got != want {
			t.Errorf("%s: %q, want %q", endpoint, got, want)
		}
	}
}

// No error shows a secret.
func TestErrorsKeepSecrets(t *testing.T) {
	const secret = "s3cr3t"
	for _, tt := range []struct{ name, value string }{
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:" + secret + "@collector:4317"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "user:" + secret + "@collector"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://us@er:" + secret + "@collector:4317"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317?token=" + secret},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317#" + secret},
		{"OTEL_EXPORTER_OTLP_HEADERS", "authorization " + secret},
		{"OTEL_EXPORTER_OTLP_HEADERS", secret + " bad key=x"},
		{"OTEL_EXPORTER_OTLP_METRICS_HEADERS", "api-key=" + secret + "%zz"},
	} {
		_, err := Resolve(Config{}, func(name string) string {
			if name == tt.name {
				return tt.value
			}
			return ""
		})
		if err == nil {
			t.Errorf("%s=%s: no error", tt.name, tt.value)
		} else if strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), tt.name) {
			t.Errorf("%s=%s: %v", tt.name, tt.value, err)
		}
	}
}

// A certificate that cannot be used turns the push off: the host's authorities must not be trusted
// in its place.
func TestBadCertificates(t *testing.T) {
	ca := exportertest.NewAuthority(t)
	certFile, keyFile := ca.Issue(t, "pipeline")
	text := exportertest.WriteFile(t, ca.Dir, "text", "no certificate")
	large := exportertest.WriteFile(t, ca.Dir, "large", strings.Repeat("\n", files.Most+1))
	for _, tt := range []struct {
		name string
		env  map[string]string
		want string
	}{
		{"no such file", map[string]string{"OTEL_EXPORTER_OTLP_CERTIFICATE": "/no/such.pem"}, `OTEL_EXPORTER_OTLP_CERTIFICATE="/no/such.pem"`},
		{"not PEM", map[string]string{"OTEL_EXPORTER_OTLP_CERTIFICATE": text}, "certificates in PEM"},
		{"large", map[string]string{"OTEL_EXPORTER_OTLP_CERTIFICATE": large}, "more than"},
		{"large certificate", map[string]string{"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": large, "OTEL_EXPORTER_OTLP_CLIENT_KEY": keyFile}, "more than"},
		{"large key", map[string]string{"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": certFile, "OTEL_EXPORTER_OTLP_CLIENT_KEY": large}, "more than"},
		{"certificate without key", map[string]string{"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": certFile}, "want OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY too"},
		{"key without certificate", map[string]string{"OTEL_EXPORTER_OTLP_CLIENT_KEY": keyFile}, "want OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE too"},
		{"key is no key", map[string]string{"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": certFile, "OTEL_EXPORTER_OTLP_CLIENT_KEY": text}, "OTEL_EXPORTER_OTLP_CLIENT_KEY"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.env["OTEL_EXPORTER_OTLP_ENDPOINT"] = "https://localhost:4317"
			s, err := Resolve(Config{}, func(name string) string { return tt.env[name] })
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "metrics are not pushed") {
				t.Errorf("%v, want %q", err, tt.want)
			}
			if s.MetricsOTLP != nil || s.TracesOTLP != nil {
				t.Error("pushed nevertheless")
			}
		})
	}
}
