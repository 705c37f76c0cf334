package exporters

import (
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/exporters/internal/settings"
)

// resolve returns the settings and the error of options in an empty environment.
func resolve(opts ...Option) (settings.Settings, error) {
	return settings.Resolve(newConfig(opts), func(string) string { return "" })
}

// Every value that cannot be used is an error that names the option, and changes nothing else.
func TestRejectedOptions(t *testing.T) {
	for _, tt := range []struct {
		opt  Option
		want []string
	}{
		{WithPrometheusAddr(""), []string{`WithPrometheusAddr(""): want host:port or :port`, "no port is opened", "WithoutServer"}},
		{WithPrometheusAddr("127.0.0.1"), []string{`WithPrometheusAddr("127.0.0.1"): want host:port`, "no port is opened"}},
		{WithPrometheusAddr(":99999"), []string{`WithPrometheusAddr(":99999")`, "0 to 65535"}},
		{WithOTLPEndpoint(" "), []string{`WithOTLPEndpoint(" "): want a URL`, "it is left out"}},
		{WithExportInterval(-1), []string{"WithExportInterval(-1ns): want more than 0; it is left out"}},
		{WithSampler(nil), []string{"WithSampler(nil): want a sampler"}},
		{WithShutdownTimeout(0), []string{"WithShutdownTimeout(0s): want more than 0"}},
		{WithCardinalityLimit(-1), []string{"WithCardinalityLimit(-1): want more than 0"}},
		{WithServiceName(" "), []string{`WithServiceName(" "): want a name`}},
		{WithServiceVersion(""), []string{`WithServiceVersion(""): want a version`}},
		{WithWebConfigFile(""), []string{`WithWebConfigFile(""): want a path; no port is opened`}},
		{WithLogger(nil), []string{"WithLogger(nil): want a logger"}},
		{WithView(nil), []string{"WithView(nil): want a view"}},
		{WithResourceAttributes(attribute.KeyValue{}), []string{`WithResourceAttributes(""=""): want a key and a value`}},
		{WithResourceAttributes(attribute.String("", "x")), []string{`WithResourceAttributes(""="x"): want a key and a value`}},
		{WithPrometheusAddr("[bad:host]:1"), []string{`WithPrometheusAddr("[bad:host]:1"): want host:port`, "no port is opened"}},
		{nil, []string{"exporters: Start: a nil Option is ignored"}},
	} {
		s, err := resolve(WithServiceName("kept"), tt.opt)
		if err == nil {
			t.Errorf("no error, want %q", tt.want)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("error %q\nlacks %q", err, want)
			}
		}
		if s.Config.ServiceName != "kept" || !s.Prometheus || s.Interval != time.Minute || s.Sampler == nil {
			t.Errorf("%v: the rest has changed: %+v", err, s)
		}
		if closed := strings.Contains(err.Error(), "no port is opened"); closed != (s.Addr == "") {
			t.Errorf("%v: listens on %q", err, s.Addr)
		}
	}
}

// Nobody believes that a web config file protects what it does not: without a server it is an error.
func TestWebConfigFileWithoutServer(t *testing.T) {
	file := WithWebConfigFile("/nonexistent.yml")
	const prefix = `exporters: WithWebConfigFile("/nonexistent.yml"): want a server`
	for _, tt := range []struct {
		reason string
		list   string // OTEL_METRICS_EXPORTER
		opts   []Option
		want   string
	}{
		{"a handler", "", []Option{WithoutServer(), file}, "Telemetry.Handler is not protected"},
		{"a handler, in the other order", "", []Option{file, WithoutServer()}, "Telemetry.Handler is not protected"},
		{"no scrape", "", []Option{WithoutPrometheus(), file}, "nothing is served"},
		{"no scrape, by the environment", "otlp", []Option{file}, "nothing is served"},
		{"a bad address", "", []Option{WithPrometheusAddr("x"), file}, "Telemetry.Handler is not protected"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Setenv("OTEL_METRICS_EXPORTER", tt.list)
			tel, err := Start(t.Context(), append(tt.opts, WithoutGlobals())...)
			defer shutdown(tel)
			if err == nil || !strings.Contains(err.Error(), prefix) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v\nlacks %q or %q", err, prefix, tt.want)
			}
		})
	}
	if s, err := resolve(WithPrometheusAddr(":1"), file); err != nil || s.Config.WebConfigFile != "/nonexistent.yml" {
		t.Errorf("with a server: %v, file %q", err, s.Config.WebConfigFile)
	}
}

// Of the options of a kind the last one wins.
func TestLastOptionWins(t *testing.T) {
	type want struct {
		prometheus bool
		addr       string
	}
	for _, tt := range []struct {
		reason string
		opts   []Option
		want   want
		err    bool
	}{
		{"nothing", nil, want{true, ":9099"}, false},
		{"an address", []Option{WithPrometheusAddr(":1")}, want{true, ":1"}, false},
		{"no server", []Option{WithoutServer()}, want{true, ""}, false},
		{"no scrape", []Option{WithoutPrometheus()}, want{false, ""}, false},
		{"an address after no scrape", []Option{WithoutPrometheus(), WithPrometheusAddr(":1")}, want{true, ":1"}, false},
		{"an address after no server", []Option{WithoutServer(), WithPrometheusAddr(":1")}, want{true, ":1"}, false},
		{"no server after an address", []Option{WithPrometheusAddr(":1"), WithoutServer()}, want{true, ""}, false},
		{"no server after no scrape", []Option{WithoutPrometheus(), WithoutServer()}, want{true, ""}, false},
		{"no scrape after no server", []Option{WithoutServer(), WithoutPrometheus()}, want{false, ""}, false},
		{"a bad address after a good one", []Option{WithPrometheusAddr(":1"), WithPrometheusAddr("")}, want{true, ""}, true},
		{"a good address after a bad one", []Option{WithPrometheusAddr(""), WithPrometheusAddr(":1")}, want{true, ":1"}, true},
	} {
		s, err := resolve(tt.opts...)
		if got := (want{s.Prometheus, s.Addr}); got != tt.want || (err != nil) != tt.err {
			t.Errorf("%s: %+v, want %+v; error %v", tt.reason, got, tt.want, err)
		}
	}
	for _, tt := range []struct {
		opts []Option
		want settings.Globals
	}{
		{nil, settings.GlobalsIfUnset},
		{[]Option{WithGlobals(), WithoutGlobals()}, settings.GlobalsKeep},
		{[]Option{WithoutGlobals(), WithGlobals()}, settings.GlobalsReplace},
	} {
		if s, err := resolve(tt.opts...); s.Config.Globals != tt.want || err != nil {
			t.Errorf("globals %v, want %v; error %v", s.Config.Globals, tt.want, err)
		}
	}
}

// An option neither keeps nor changes the caller's slice, and may be used twice.
func TestOptionsAreCopied(t *testing.T) {
	attrs := []attribute.KeyValue{attribute.String("a", "1")}
	o := WithResourceAttributes(attrs...)
	attrs[0] = attribute.String("b", "2")
	for range 2 {
		if s, _ := resolve(o, WithResourceAttributes(attribute.String("c", "3"))); len(s.Config.Attributes) != 2 || s.Config.Attributes[0].Key != "a" {
			t.Errorf("attributes %v", s.Config.Attributes)
		}
	}
}
