package exporters

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// summary is what a test compares of settings.
func (s settings) summary() map[string]string {
	m := map[string]string{
		"disabled": "false", "prometheus": "off", "metrics": s.metricsOTLP.String(), "traces": s.tracesOTLP.String(), "console": "",
		"interval": s.interval.String(), "timeout": s.exportTimeout.String(), "shutdown": s.shutdownTimeout.String(),
	}
	if s.disabled {
		return map[string]string{"disabled": "true"}
	}
	if s.prometheus {
		m["prometheus"] = "on " + s.addr
	}
	if s.metricsConsole {
		m["console"] += "metrics "
	}
	if s.tracesConsole {
		m["console"] += "traces "
	}
	m["sampler"] = s.sampler.Description()
	m["spans"] = fmt.Sprint(s.spans.size, s.spans.batch, s.spans.delay, s.spans.timeout)
	m["exemplars"] = runtime.FuncForPC(reflect.ValueOf(s.exemplars).Pointer()).Name()
	m["exemplars"] = m["exemplars"][strings.LastIndexByte(m["exemplars"], '.')+1:]
	for signal, d := range map[string]*destination{"metrics": s.metricsOTLP, "traces": s.tracesOTLP} {
		if d != nil {
			m[signal] += " " + d.protocol + " " + d.timeout.String()
		}
	}
	return m
}

var defaults = map[string]string{
	"disabled": "false", "prometheus": "on :9099", "metrics": "off", "traces": "off", "console": "",
	"interval": "1m0s", "timeout": "30s", "shutdown": "5s",
	"spans":   "2048 512 5s 30s",
	"sampler": "ParentBased{root:AlwaysOnSampler,remoteParentSampled:AlwaysOnSampler,remoteParentNotSampled:AlwaysOffSampler,localParentSampled:AlwaysOnSampler,localParentNotSampled:AlwaysOffSampler}",

	"exemplars": "TraceBasedFilter",
}

const (
	endpoint  = "OTEL_EXPORTER_OTLP_ENDPOINT"
	toMetrics = "http://c:4317 grpc 10s"
)

// Every variable, good and bad, and what options make of it. A case lists what
// differs from the defaults.
func TestResolve(t *testing.T) {
	type m = map[string]string
	for _, tt := range []struct {
		reason string
		opts   []Option
		env    m
		want   m
		errs   []string // what the error tells, nil: no error
	}{
		{reason: "nothing said"},
		{reason: "empty is unset", env: m{"OTEL_METRICS_EXPORTER": "", endpoint: " ", "OTEL_SDK_DISABLED": ""}},
		{reason: "nil options are none", opts: []Option{nil}},

		{reason: "off", env: m{"OTEL_SDK_DISABLED": "TRUE", "OTEL_TRACES_EXPORTER": "bad"}, want: m{"disabled": "true"}},
		{reason: "off, whatever the options", opts: []Option{WithPrometheusAddr(":1")}, env: m{"OTEL_SDK_DISABLED": "true"}, want: m{"disabled": "true"}},
		{reason: "not off", env: m{"OTEL_SDK_DISABLED": "false"}},
		{reason: "neither", env: m{"OTEL_SDK_DISABLED": "1"}, errs: []string{`OTEL_SDK_DISABLED="1": want one of true, false; the default, false, is used`}},
		{reason: "bad level", env: m{"OTEL_LOG_LEVEL": "loud"}, errs: []string{`OTEL_LOG_LEVEL="loud": want one of debug, info, warn, error, none`}},

		{reason: "a list decides", env: m{"OTEL_METRICS_EXPORTER": "console", "OTEL_TRACES_EXPORTER": "console", endpoint: "http://c:4317"},
			want: m{"prometheus": "off", "console": "metrics traces "}},
		{reason: "otlp without an endpoint goes to this host", env: m{"OTEL_METRICS_EXPORTER": "prometheus,otlp", "OTEL_TRACES_EXPORTER": "otlp"},
			want: m{"metrics": "http://localhost:4317 grpc 10s", "traces": "http://localhost:4317 grpc 10s"}},
		{reason: "the same over HTTP", env: m{"OTEL_METRICS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
			want: m{"prometheus": "off", "metrics": "http://localhost:4318/v1/metrics http/protobuf 10s"}},
		{reason: "none", env: m{"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "None", endpoint: "http://c:4317"}, want: m{"prometheus": "off"}},
		{reason: "none with others", env: m{"OTEL_METRICS_EXPORTER": "none,prometheus"}, errs: []string{`OTEL_METRICS_EXPORTER="none,prometheus"`, `"none" is left out`}},
		{reason: "one unknown", env: m{"OTEL_METRICS_EXPORTER": "otlp,zipkin", endpoint: "http://c:4317"},
			want: m{"prometheus": "off", "metrics": toMetrics, "traces": toMetrics},
			errs: []string{`OTEL_METRICS_EXPORTER="otlp,zipkin": want a comma list of prometheus, otlp, console, none; ["zipkin"] is left out`}},
		{reason: "all unknown", env: m{"OTEL_METRICS_EXPORTER": "zipkin"}, errs: []string{`OTEL_METRICS_EXPORTER="zipkin"`, "the default is used"}},
		{reason: "traces don't go to Prometheus", env: m{"OTEL_TRACES_EXPORTER": "prometheus"}, errs: []string{`OTEL_TRACES_EXPORTER="prometheus": want a comma list of otlp, console, none`}},

		{reason: "host and port", env: m{"OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1", "OTEL_EXPORTER_PROMETHEUS_PORT": "9464"}, want: m{"prometheus": "on 127.0.0.1:9464"}},
		{reason: "IPv6", env: m{"OTEL_EXPORTER_PROMETHEUS_HOST": "::1"}, want: m{"prometheus": "on [::1]:9099"}},
		{reason: "IPv6 in brackets", env: m{"OTEL_EXPORTER_PROMETHEUS_HOST": "[::1]", "OTEL_EXPORTER_PROMETHEUS_PORT": "0"}, want: m{"prometheus": "on [::1]:0"}},
		{reason: "bad port keeps the host", env: m{"OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1", "OTEL_EXPORTER_PROMETHEUS_PORT": "65536"},
			want: m{"prometheus": "on 127.0.0.1:9099"}, errs: []string{`OTEL_EXPORTER_PROMETHEUS_PORT="65536": want a port from 0 to 65535; the default, 9099, is used`}},
		{reason: "a bad host opens nothing", env: m{"OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1]["}, want: m{"prometheus": "on "},
			errs: []string{`OTEL_EXPORTER_PROMETHEUS_HOST="127.0.0.1][": want a host name or an IP address; nothing is served`}},
		{reason: "the option's address", opts: []Option{WithPrometheusAddr("[::1]:0")}, env: m{"OTEL_EXPORTER_PROMETHEUS_PORT": "1", "OTEL_METRICS_EXPORTER": "otlp"},
			want: m{"prometheus": "on [::1]:0", "metrics": "http://localhost:4317 grpc 10s"}},
		{reason: "no address of our own", opts: []Option{WithPrometheusAddr("")}, want: m{"prometheus": "on "}},
		{reason: "a bad address opens nothing", opts: []Option{WithPrometheusAddr("127.0.0.1")}, want: m{"prometheus": "on "},
			errs: []string{`WithPrometheusAddr("127.0.0.1"): want host:port`, "nothing is served"}},
		{reason: "a bad port opens nothing", opts: []Option{WithPrometheusAddr(":99999")}, want: m{"prometheus": "on "}, errs: []string{`WithPrometheusAddr(":99999")`}},
		{reason: "the option turns off", opts: []Option{WithoutPrometheus()}, env: m{"OTEL_METRICS_EXPORTER": "prometheus"}, want: m{"prometheus": "off"}},
		{reason: "the last option wins", opts: []Option{WithoutPrometheus(), WithPrometheusAddr(":1")}, want: m{"prometheus": "on :1"}},

		{reason: "an endpoint turns OTLP on beside Prometheus", env: m{endpoint: "http://c:4317"}, want: m{"metrics": toMetrics, "traces": toMetrics}},
		{reason: "one signal's endpoint is for it alone", env: m{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c:4317"}, want: m{"metrics": toMetrics}},
		{reason: "and wins", env: m{endpoint: "http://general:4317", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:4317"},
			want: m{"metrics": "http://general:4317 grpc 10s", "traces": "http://t:4317 grpc 10s"}},
		{reason: "the option wins over lists and endpoints", opts: []Option{WithOTLPEndpoint("http://c:4317")},
			env:  m{"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://m:1"},
			want: m{"metrics": toMetrics, "traces": toMetrics}},
		{reason: "bad endpoint", env: m{endpoint: "gopher://c"}, errs: []string{`OTEL_EXPORTER_OTLP_ENDPOINT="gopher://c": want a URL such as http://collector:4317`, "metrics are not pushed", "traces are not pushed"}},
		{reason: "bad option", opts: []Option{WithOTLPEndpoint("gopher://c")}, errs: []string{`WithOTLPEndpoint("gopher://c")`, "nothing is pushed"}},
		{reason: "empty option", opts: []Option{WithOTLPEndpoint("")}, errs: []string{`WithOTLPEndpoint("")`}},

		{reason: "HTTP for both", env: m{endpoint: "http://c:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "HTTP/protobuf"},
			want: m{"metrics": "http://c:4318/v1/metrics http/protobuf 10s", "traces": "http://c:4318/v1/traces http/protobuf 10s"}},
		{reason: "HTTP for one", env: m{endpoint: "http://c:4317", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://p:9090/api/v1/otlp/v1/metrics"},
			want: m{"metrics": "http://p:9090/api/v1/otlp/v1/metrics http/protobuf 10s", "traces": toMetrics}},
		{reason: "JSON isn't there", env: m{endpoint: "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, want: m{"metrics": toMetrics, "traces": toMetrics},
			errs: []string{`OTEL_EXPORTER_OTLP_PROTOCOL="http/json": want one of grpc, http/protobuf; the default, grpc, is used`}},
		{reason: "insecure, for gRPC's own form", env: m{endpoint: "c:4317", "OTEL_EXPORTER_OTLP_INSECURE": "true"}, want: m{"metrics": toMetrics, "traces": toMetrics}},
		{reason: "bad flag", env: m{"OTEL_EXPORTER_OTLP_INSECURE": "yes"}, errs: []string{`OTEL_EXPORTER_OTLP_INSECURE="yes"`}},
		{reason: "timeouts", env: m{endpoint: "http://c:4317", "OTEL_EXPORTER_OTLP_TIMEOUT": "2000", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "1"},
			want: m{"metrics": "http://c:4317 grpc 2s", "traces": "http://c:4317 grpc 1ms"}},
		{reason: "bad timeout", env: m{"OTEL_EXPORTER_OTLP_METRICS_TIMEOUT": "10s"}, errs: []string{`OTEL_EXPORTER_OTLP_METRICS_TIMEOUT="10s": want a whole number of milliseconds above 0; the default, 10000, is used`}},
		{reason: "compression", env: m{"OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}},
		{reason: "bad compression", env: m{"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "zstd"}, errs: []string{`OTEL_EXPORTER_OTLP_TRACES_COMPRESSION="zstd": want one of gzip, none`}},
		{reason: "headers", env: m{"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20x,b=c"}},
		{reason: "bad headers", env: m{"OTEL_EXPORTER_OTLP_HEADERS": "a=b,c,d=e,=f"}, errs: []string{"OTEL_EXPORTER_OTLP_HEADERS: want a comma list of key=value", "number [2 4]"}},
		{reason: "temporality", env: m{"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta"}},
		{reason: "bad temporality", env: m{"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "rate"}, errs: []string{`_TEMPORALITY_PREFERENCE="rate": want one of cumulative, delta, lowmemory`}},
		{reason: "bad aggregation", env: m{"OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION": "native"}, errs: []string{`_HISTOGRAM_AGGREGATION="native": want one of explicit_bucket_histogram, base2_exponential_bucket_histogram`}},

		{reason: "interval and timeout", env: m{"OTEL_METRIC_EXPORT_INTERVAL": "15000", "OTEL_METRIC_EXPORT_TIMEOUT": "500"}, want: m{"interval": "15s", "timeout": "500ms"}},
		{reason: "the option's interval", opts: []Option{WithExportInterval(time.Second)}, env: m{"OTEL_METRIC_EXPORT_INTERVAL": "15000"}, want: m{"interval": "1s"}},
		{reason: "the option in place of a bad variable", opts: []Option{WithExportInterval(time.Second), WithPrometheusAddr(":1"), WithSampler(sdktrace.NeverSample())},
			env:  m{"OTEL_METRIC_EXPORT_INTERVAL": "soon", "OTEL_EXPORTER_PROMETHEUS_HOST": "x][", "OTEL_TRACES_SAMPLER": "some"},
			want: m{"interval": "1s", "prometheus": "on :1", "sampler": "AlwaysOffSampler"}},
		{reason: "no use of a bad variable", opts: []Option{WithoutPrometheus()}, env: m{"OTEL_EXPORTER_PROMETHEUS_PORT": "x"}, want: m{"prometheus": "off"}},
		{reason: "bad interval", env: m{"OTEL_METRIC_EXPORT_INTERVAL": "0"}, errs: []string{`OTEL_METRIC_EXPORT_INTERVAL="0": want a whole number of milliseconds above 0; the default, 60000, is used`}},
		{reason: "too long an interval", env: m{"OTEL_METRIC_EXPORT_INTERVAL": "9223372036854775807"}, errs: []string{"OTEL_METRIC_EXPORT_INTERVAL"}},
		{reason: "bad option", opts: []Option{WithExportInterval(-1)}, errs: []string{"WithExportInterval(-1ns): want more than 0; it is left out"}},
		{reason: "bad timeout", env: m{"OTEL_METRIC_EXPORT_TIMEOUT": "soon"}, errs: []string{"OTEL_METRIC_EXPORT_TIMEOUT"}},
		{reason: "exemplars", env: m{"OTEL_METRICS_EXEMPLAR_FILTER": "always_off"}, want: m{"exemplars": "AlwaysOffFilter"}},
		{reason: "more exemplars", env: m{"OTEL_METRICS_EXEMPLAR_FILTER": "always_on"}, want: m{"exemplars": "AlwaysOnFilter"}},
		{reason: "bad exemplars", env: m{"OTEL_METRICS_EXEMPLAR_FILTER": "on"}, errs: []string{`OTEL_METRICS_EXEMPLAR_FILTER="on": want one of always_on, always_off, trace_based; the default, trace_based, is used`}},

		{reason: "always on", env: m{"OTEL_TRACES_SAMPLER": "always_on"}, want: m{"sampler": "AlwaysOnSampler"}},
		{reason: "always off", env: m{"OTEL_TRACES_SAMPLER": "always_off"}, want: m{"sampler": "AlwaysOffSampler"}},
		{reason: "ratio", env: m{"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25"}, want: m{"sampler": "TraceIDRatioBased{0.25}"}},
		{reason: "the option's sampler", opts: []Option{WithSampler(sdktrace.NeverSample())}, env: m{"OTEL_TRACES_SAMPLER": "always_on"}, want: m{"sampler": "AlwaysOffSampler"}},
		{reason: "the queue of spans", env: m{"OTEL_BSP_MAX_QUEUE_SIZE": "100", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "50", "OTEL_BSP_SCHEDULE_DELAY": "10", "OTEL_BSP_EXPORT_TIMEOUT": "20"},
			want: m{"spans": "100 50 10ms 20ms"}},
		{reason: "batches that the queue has no room for", env: m{"OTEL_BSP_MAX_QUEUE_SIZE": "100"}, want: m{"spans": "100 100 5s 30s"}},
		{reason: "bad queue, for which the SDK panics", env: m{"OTEL_BSP_MAX_QUEUE_SIZE": "-1", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "9999999999999", "OTEL_BSP_SCHEDULE_DELAY": "-1", "OTEL_BSP_EXPORT_TIMEOUT": "soon"},
			errs: []string{`OTEL_BSP_MAX_QUEUE_SIZE="-1": want a whole number from 1 to 1000000; the default, 2048, is used`,
				"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_EXPORT_TIMEOUT"}},
		{reason: "bad ratio", env: m{"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "NaN"}, want: m{"sampler": "TraceIDRatioBased{1}"},
			errs: []string{`OTEL_TRACES_SAMPLER_ARG="NaN": want a number from 0 to 1; the default, 1, is used`}},
		{reason: "bad sampler", env: m{"OTEL_TRACES_SAMPLER": "jaeger_remote"}, errs: []string{`OTEL_TRACES_SAMPLER="jaeger_remote": want one of always_on`, "the default, parentbased_always_on, is used"}},
		{reason: "nil sampler", opts: []Option{WithSampler(nil)}, errs: []string{"WithSampler(nil)"}},

		{reason: "bad resource", env: m{"OTEL_RESOURCE_ATTRIBUTES": "a=b,c,d=%zz"}, errs: []string{`OTEL_RESOURCE_ATTRIBUTES="a=b,c,d=%zz": want a comma list of key=value`, `"c" is left out, "d=%zz" is taken as it is`}},
		{reason: "shutdown", opts: []Option{WithShutdownTimeout(time.Minute)}, want: m{"shutdown": "1m0s"}},
		{reason: "bad shutdown", opts: []Option{WithShutdownTimeout(0)}, errs: []string{"WithShutdownTimeout(0s)"}},
		{reason: "other bad options", opts: []Option{WithServiceName(" "), WithServiceVersion(""), WithWebConfigFile(""), WithLogger(nil), WithView(nil), WithResourceAttributes(attribute.KeyValue{})},
			errs: []string{`WithServiceName(" ")`, `WithServiceVersion("")`, `WithWebConfigFile("")`, "WithLogger(nil)", "WithView(nil)", `WithResourceAttributes("")`}},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			s, err := resolve(newConfig(tt.opts), func(name string) string { return tt.env[name] })
			got := s.summary()
			for key, want := range defaults {
				if w, ok := tt.want[key]; ok {
					want = w
				} else if got["disabled"] == "true" {
					continue
				}
				if got[key] != want {
					t.Errorf("%s = %q, want %q", key, got[key], want)
				}
			}
			if (err == nil) != (tt.errs == nil) {
				t.Fatalf("error %v, want %q", err, tt.errs)
			}
			for _, want := range tt.errs {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q\nlacks %q", err, want)
				}
			}
		})
	}
}

// OTEL_LOG_LEVEL wins over the logger's own level, both ways.
func TestLogLevel(t *testing.T) {
	for _, tt := range []struct {
		level string
		want  string // what of the four levels is shown
	}{
		{"", "IWE"}, {"debug", "DIWE"}, {"info", "IWE"}, {"warn", "WE"}, {"error", "E"}, {"none", ""}, {"DEBUG", "DIWE"},
	} {
		book := &logBook{}
		s, err := resolve(newConfig([]Option{WithLogger(book.logger())}), func(name string) string {
			if name == envLogLevel {
				return tt.level
			}
			return ""
		})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			before := book.lines()
			s.logger.With("a", 1).WithGroup("g").Log(context.Background(), level, "line", "b", 2)
			if book.lines("a=1", "g.b=2") > before {
				got += level.String()[:1]
			}
		}
		if got != tt.want {
			t.Errorf("%q: shows %q, want %q", tt.level, got, tt.want)
		}
	}
}
