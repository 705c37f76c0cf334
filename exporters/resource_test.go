package exporters

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
)

// describe returns the resource's attributes as text.
func describe(t *testing.T, opts ...Option) map[string]string {
	t.Helper()
	res, err := newResource(t.Context(), newConfig(opts))
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	for _, kv := range res.Attributes() {
		m[string(kv.Key)] = kv.Value.String()
	}
	return m
}

// One byte in the resource that is not UTF-8 would make the receiver refuse every push, as long as
// the program runs.
func TestResourceThatIsNotUTF8(t *testing.T) {
	for _, tt := range []struct {
		reason string
		env    string
		name   string // OTEL_SERVICE_NAME
		opts   []Option
		want   map[string]string
		err    string
	}{
		{"the service's name", "", "", []Option{WithServiceName("a\xffb")}, map[string]string{"service.name": "a\uFFFDb"},
			`exporters: WithServiceName("a\xffb"): want UTF-8; "service.name"="a\uFFFDb" is used`},
		{"the service's name, over the environment's", "service.name=c", "d", []Option{WithServiceName("a\xffb")}, map[string]string{"service.name": "a\uFFFDb"},
			`exporters: WithServiceName("a\xffb")`},
		{"the service's version", "", "", []Option{WithServiceVersion("\xff")}, map[string]string{"service.version": "\uFFFD"},
			`exporters: WithServiceVersion("\xff"): want UTF-8`},
		{"a value", "", "", []Option{WithResourceAttributes(attribute.String("team", "\xff"))}, map[string]string{"team": "\uFFFD"},
			`exporters: WithResourceAttributes("team"="\xff"): want UTF-8`},
		{"a key", "", "", []Option{WithResourceAttributes(attribute.String("te\xffam", "x"))}, map[string]string{"te\uFFFDam": "x"},
			`exporters: WithResourceAttributes("te\xffam"="x"): want UTF-8`},
		{"a list", "", "", []Option{WithResourceAttributes(attribute.StringSlice("teams", []string{"a", "\xff"}))}, nil,
			`exporters: WithResourceAttributes("teams"=`},
		{"a map in a list", "", "", []Option{WithResourceAttributes(attribute.Slice("teams", attribute.MapValue(attribute.String("\xff", "\xfe"))))}, nil,
			`exporters: WithResourceAttributes("teams"=`},
		{"the environment", "team=%ff", "", nil, map[string]string{"team": "\uFFFD"},
			`exporters: OTEL_RESOURCE_ATTRIBUTES="team=%ff": want UTF-8; "team"="\uFFFD" is used`},
		{"a key of the environment, which the SDK brings back", "te\xffam=media", "", nil, map[string]string{"te\uFFFDam": "media"},
			`exporters: OTEL_RESOURCE_ATTRIBUTES="te\xffam=media": want UTF-8`},
		{"the name's variable", "service.name=c", "a\xff", nil, map[string]string{"service.name": "a\uFFFD"},
			`exporters: OTEL_SERVICE_NAME="a\xff": want UTF-8`},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Setenv("OTEL_RESOURCE_ATTRIBUTES", tt.env)
			t.Setenv("OTEL_SERVICE_NAME", tt.name)
			r := receive(t)
			tel, err := Start(t.Context(), append(tt.opts, WithoutGlobals(), WithoutPrometheus(), WithOTLPEndpoint(r.url()), option(quick))...)
			if want := strings.ReplaceAll(tt.err, `\uFFFD`, "\uFFFD"); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Count(err.Error(), "UTF-8") != 1 {
				t.Errorf("error %v\nlacks   %s", err, want)
			}
			count(tel, "jobs", 1)
			span(tel, "render")
			if err := tel.Shutdown(t.Context()); err != nil || r.sum("jobs") != 1 || r.span("render") != 1 {
				t.Errorf("%v jobs, %d spans, Shutdown: %v: want the last pushes to arrive", r.sum("jobs"), r.span("render"), err)
			}
			for key, want := range tt.want {
				if got := r.attribute(key); got != want {
					t.Errorf("%s = %q, want %q", key, got, want)
				}
			}
		})
	}
}

func TestResource(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	byDefault := "unknown_service:" + filepath.Base(exe)
	const attrs = "service.name=from-attributes,service.version=2,service.instance.id=worker-1,team=a%20b"
	for _, tt := range []struct {
		reason string
		env    map[string]string
		opts   []Option
		want   map[string]string
	}{
		{"nothing said", nil, nil, map[string]string{"service.name": byDefault}},
		{"attributes of the environment", map[string]string{"OTEL_RESOURCE_ATTRIBUTES": attrs}, nil,
			map[string]string{"service.name": "from-attributes", "service.version": "2", "service.instance.id": "worker-1", "team": "a b"}},
		{"the name's own variable wins", map[string]string{"OTEL_RESOURCE_ATTRIBUTES": attrs, "OTEL_SERVICE_NAME": "from-name"}, nil,
			map[string]string{"service.name": "from-name", "service.version": "2"}},
		{"options win", map[string]string{"OTEL_RESOURCE_ATTRIBUTES": attrs, "OTEL_SERVICE_NAME": "from-name"},
			[]Option{WithResourceAttributes(attribute.String("service.instance.id", "worker-2")), WithServiceVersion("3"), WithServiceName("from-option")},
			map[string]string{"service.name": "from-option", "service.version": "3", "service.instance.id": "worker-2", "team": "a b"}},
		{"options add up", nil, []Option{WithResourceAttributes(attribute.String("a", "1"), attribute.String("b", "1")), WithResourceAttributes(attribute.String("b", "2"))},
			map[string]string{"a": "1", "b": "2"}},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			got := describe(t, tt.opts...)
			for key, want := range tt.want {
				if got[key] != want {
					t.Errorf("%s = %q, want %q", key, got[key], want)
				}
			}
		})
	}
}

// The detected attributes identify the process and hold no secrets.
func TestDetectedResource(t *testing.T) {
	first, second := describe(t), describe(t)
	for _, key := range []string{
		"service.name", "service.instance.id", "host.name", "process.pid", "process.executable.name",
		"process.runtime.name", "process.runtime.version", "telemetry.sdk.name", "telemetry.sdk.language", "telemetry.sdk.version",
	} {
		if first[key] == "" {
			t.Errorf("no %s", key)
		}
	}
	if first["service.instance.id"] == second["service.instance.id"] {
		t.Error("two starts have one service.instance.id")
	}
	for key, value := range first {
		if strings.HasPrefix(key, "process.command") || key == "process.owner" || key == "process.executable.path" {
			t.Errorf("%s = %q may hold a secret or a person's name", key, value)
		}
	}
}

// WithResourceAttributes copies the caller's slice.
func TestResourceAttributesAreCopied(t *testing.T) {
	attrs := []attribute.KeyValue{attribute.String("b", "1"), attribute.String("a", "1")}
	o := WithResourceAttributes(attrs...)
	attrs[0] = attribute.String("c", "9")
	got := describe(t, o)
	if got["b"] != "1" || got["c"] != "" {
		t.Errorf("b = %q, c = %q; want what was given", got["b"], got["c"])
	}
}
