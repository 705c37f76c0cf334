package settings

import (
	"slices"
	"strings"
	"testing"
)

func TestParseList(t *testing.T) {
	allowed := []string{"prometheus", "otlp", "console", "none"}
	for _, tt := range []struct {
		value          string
		known, unknown []string
		reason         string
	}{
		{"prometheus,otlp", []string{"prometheus", "otlp"}, nil, "the usual"},
		{" OTLP , Prometheus ", []string{"otlp", "prometheus"}, nil, "space and case do not count"},
		{"otlp,,otlp,", []string{"otlp"}, nil, "empty and repeated items do not count"},
		{"otlp,zipkin,Jaeger,zipkin", []string{"otlp"}, []string{"zipkin", "Jaeger"}, "unknown ones as written"},
		{"prometheus;otlp", nil, []string{"prometheus;otlp"}, "the separator is a comma"},
		{",", nil, nil, "nothing"},
		{"", nil, nil, "nothing"},
	} {
		known, unknown := parseList(tt.value, allowed)
		if !slices.Equal(known, tt.known) || !slices.Equal(unknown, tt.unknown) {
			t.Errorf("%q: %q and %q, want %q and %q (%s)", tt.value, known, unknown, tt.known, tt.unknown, tt.reason)
		}
	}
}

func FuzzParseList(f *testing.F) {
	for _, seed := range []string{"", "otlp", "prometheus, OTLP,none", ",,", "zipkin\x00,ſ", "İ,K"} {
		f.Add(seed)
	}
	allowed := []string{"prometheus", "otlp", "console", "none"}
	f.Fuzz(func(t *testing.T, value string) {
		known, unknown := parseList(value, allowed)
		for i, k := range known {
			if !slices.Contains(allowed, k) || slices.Contains(known[:i], k) {
				t.Errorf("%q: known %q", value, known)
			}
		}
		for i, u := range unknown {
			if u == "" || !strings.Contains(value, u) || slices.Contains(allowed, strings.ToLower(u)) || slices.Contains(unknown[:i], u) {
				t.Errorf("%q: unknown %q", value, unknown)
			}
		}
		again, rest := parseList(strings.Join(known, ","), allowed)
		if !slices.Equal(again, known) || rest != nil {
			t.Errorf("%q: %q parsed again is %q and %q", value, known, again, rest)
		}
	})
}

// Whatever the environment holds, the settings are usable, and an error names the variable.
func FuzzEnvironment(f *testing.F) {
	f.Add(envMetricsExporter, "prometheus,otlp")
	f.Add(envOTLP+otlpEndpoint, "http://[::1]:4317")
	f.Add(envOTLP+otlpEndpoint, "u:p@h:1?#%zz")
	f.Add(envOTLP+otlpHeaders, "a=b,c=%20,=,%")
	f.Add(envResource, "a=b,c=%zz,d")
	f.Add(envInterval, "9223372036854775807")
	f.Add(envSamplerArg, "NaN")
	f.Add(envPrometheusPort, "-1")
	f.Add(envPrometheusHost, "[fe80::1%eth0]")
	f.Add(envLogLevel, "NONE")
	f.Fuzz(func(t *testing.T, name, value string) {
		s, err := Resolve(Config{}, func(n string) string {
			switch n {
			case name:
				return value
			case envSampler:
				return "traceidratio"
			}
			return ""
		})
		if s.Logger == nil || s.ShutdownTimeout <= 0 {
			t.Errorf("%s=%q: %+v", name, value, s)
		}
		if !s.Disabled && (s.Interval <= 0 || s.ExportTimeout <= 0 || s.Sampler == nil || s.Exemplars == nil || s.Addr != "" && CheckAddr(s.Addr) != nil) {
			t.Errorf("%s=%q: %+v", name, value, s)
		}
		for _, d := range []*Destination{s.MetricsOTLP, s.TracesOTLP} {
			if d != nil && (d.Target() == "" || d.Timeout <= 0) {
				t.Errorf("%s=%q: to %q in %v", name, value, d.Target(), d.Timeout)
			}
		}
		if err != nil && !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%q: the error does not name it: %v", name, value, err)
		}
	})
}
