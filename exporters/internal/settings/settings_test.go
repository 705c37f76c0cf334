package settings

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// summary returns the parts of s that a test compares.
func (s Settings) summary() map[string]string {
	m := map[string]string{
		"disabled": "false", "prometheus": "off", "metrics": s.MetricsOTLP.String(), "traces": s.TracesOTLP.String(), "console": "",
		"interval": s.Interval.String(), "timeout": s.ExportTimeout.String(), "shutdown": s.ShutdownTimeout.String(),
	}
	if s.Disabled {
		return map[string]string{"disabled": "true"}
	}
	if s.Prometheus {
		m["prometheus"] = "on " + s.Addr
	}
	if s.MetricsConsole {
		m["console"] += "metrics "
	}
	if s.TracesConsole {
		m["console"] += "traces "
	}
	m["sampler"] = s.Sampler.Description()
	m["spans"] = fmt.Sprint(s.Spans.size, s.Spans.batch, s.Spans.delay, s.Spans.timeout)
	m["exemplars"] = runtime.FuncForPC(reflect.ValueOf(s.Exemplars).Pointer()).Name()
	m["exemplars"] = m["exemplars"][strings.LastIndexByte(m["exemplars"], '.')+1:]
	for signal, d := range map[string]*Destination{"metrics": s.MetricsOTLP, "traces": s.TracesOTLP} {
		if d != nil {
			m[signal] += " " + d.Protocol + " " + d.Timeout.String()
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

// Every variable, good and bad, alone and under options. A case lists the differences from the
// defaults.
func TestResolve(t *testing.T) {
	type m = map[string]string
	for _, tt := range []struct {
		reason string
		config Config
		env    m
		want   m
		errs   []string // parts of the error; nil: no error
	}{
		{reason: "nothing said"},
		{reason: "empty is unset", env: m{"OTEL_METRICS_EXPORTER": "", endpoint: " ", "OTEL_SDK_DISABLED": ""}},

		{reason: "off", env: m{"OTEL_SDK_DISABLED": "TRUE", "OTEL_TRACES_EXPORTER": "bad"}, want: m{"disabled": "true"}},
		{reason: "off, whatever the options", config: Config{Scrape: ScrapeServe, Addr: ":1"}, env: m{"OTEL_SDK_DISABLED": "true"}, want: m{"disabled": "true"}},
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
		{reason: "traces cannot go to Prometheus", env: m{"OTEL_TRACES_EXPORTER": "prometheus"}, errs: []string{`OTEL_TRACES_EXPORTER="prometheus": want a comma list of otlp, console, none`}},

		{reason: "host and port", env: m{"OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1", "OTEL_EXPORTER_PROMETHEUS_PORT": "9464"}, want: m{"prometheus": "on 127.0.0.1:9464"}},
		{reason: "IPv6", env: m{"OTEL_EXPORTER_PROMETHEUS_HOST": "::1"}, want: m{"prometheus": "on [::1]:9099"}},
		{reason: "IPv6 in brackets", env: m{"OTEL_EXPORTER_PROMETHEUS_HOST": "[::1]", "OTEL_EXPORTER_PROMETHEUS_PORT": "0"}, want: m{"prometheus": "on [::1]:0"}},
		{reason: "bad port keeps the host", env: m{"OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1", "OTEL_EXPORTER_PROMETHEUS_PORT": "65536"},
			want: m{"prometheus": "on 127.0.0.1:9099"}, errs: []string{`OTEL_EXPORTER_PROMETHEUS_PORT="65536": want a port from 0 to 65535; the default, 9099, is used`}},
		{reason: "a bad host opens nothing", env: m{"OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1]["}, want: m{"prometheus": "on "},
			errs: []string{`OTEL_EXPORTER_PROMETHEUS_HOST="127.0.0.1][": want a host name or an IP address; no port is opened`}},
		{reason: "a host with a colon is no IP address", env: m{"OTEL_EXPORTER_PROMETHEUS_HOST": "bad:host"}, want: m{"prometheus": "on "},
			errs: []string{`OTEL_EXPORTER_PROMETHEUS_HOST="bad:host": want a host name or an IP address; no port is opened`}},
		{reason: "an IPv6 address with a zone", env: m{"OTEL_EXPORTER_PROMETHEUS_HOST": "fe80::1%eth0"}, want: m{"prometheus": "on [fe80::1%eth0]:9099"}},
		{reason: "the option's address", config: Config{Scrape: ScrapeServe, Addr: "[::1]:0"}, env: m{"OTEL_EXPORTER_PROMETHEUS_PORT": "1", "OTEL_METRICS_EXPORTER": "otlp"},
			want: m{"prometheus": "on [::1]:0", "metrics": "http://localhost:4317 grpc 10s"}},
		{reason: "no server", config: Config{Scrape: ScrapeOnly}, env: m{"OTEL_METRICS_EXPORTER": "none", "OTEL_EXPORTER_PROMETHEUS_PORT": "x"}, want: m{"prometheus": "on "}},
		{reason: "the option turns off", config: Config{Scrape: ScrapeOff}, env: m{"OTEL_METRICS_EXPORTER": "prometheus"}, want: m{"prometheus": "off"}},

		{reason: "an endpoint turns OTLP on beside Prometheus", env: m{endpoint: "http://c:4317"}, want: m{"metrics": toMetrics, "traces": toMetrics}},
		{reason: "the endpoint of a signal is only for that signal", env: m{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c:4317"}, want: m{"metrics": toMetrics}},
		{reason: "and wins", env: m{endpoint: "http://general:4317", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:4317"},
			want: m{"metrics": "http://general:4317 grpc 10s", "traces": "http://t:4317 grpc 10s"}},
		{reason: "the option wins over lists and endpoints", config: Config{Endpoint: "http://c:4317"},
			env:  m{"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://m:1"},
			want: m{"metrics": toMetrics, "traces": toMetrics}},
		{reason: "bad endpoint", env: m{endpoint: "gopher://c"}, errs: []string{`OTEL_EXPORTER_OTLP_ENDPOINT="gopher://c": want a URL such as http://collector:4317`, "metrics are not pushed", "traces are not pushed"}},
		{reason: "bad option", config: Config{Endpoint: "gopher://c"}, errs: []string{`WithOTLPEndpoint("gopher://c")`, "nothing is pushed"}},

		{reason: "HTTP for both", env: m{endpoint: "http://c:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "HTTP/protobuf"},
			want: m{"metrics": "http://c:4318/v1/metrics http/protobuf 10s", "traces": "http://c:4318/v1/traces http/protobuf 10s"}},
		{reason: "HTTP for one", env: m{endpoint: "http://c:4317", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://p:9090/api/v1/otlp/v1/metrics"},
			want: m{"metrics": "http://p:9090/api/v1/otlp/v1/metrics http/protobuf 10s", "traces": toMetrics}},
		{reason: "JSON is not supported", env: m{endpoint: "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, want: m{"metrics": toMetrics, "traces": toMetrics},
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
		{reason: "the option's interval", config: Config{Interval: time.Second}, env: m{"OTEL_METRIC_EXPORT_INTERVAL": "15000"}, want: m{"interval": "1s"}},
		{reason: "the option in place of a bad variable", config: Config{Interval: time.Second, Scrape: ScrapeServe, Addr: ":1", Sampler: sdktrace.NeverSample()},
			env:  m{"OTEL_METRIC_EXPORT_INTERVAL": "soon", "OTEL_EXPORTER_PROMETHEUS_HOST": "x][", "OTEL_TRACES_SAMPLER": "some"},
			want: m{"interval": "1s", "prometheus": "on :1", "sampler": "AlwaysOffSampler"}},
		{reason: "no use of a bad variable", config: Config{Scrape: ScrapeOff}, env: m{"OTEL_EXPORTER_PROMETHEUS_PORT": "x"}, want: m{"prometheus": "off"}},
		{reason: "bad interval", env: m{"OTEL_METRIC_EXPORT_INTERVAL": "0"}, errs: []string{`OTEL_METRIC_EXPORT_INTERVAL="0": want a whole number of milliseconds above 0; the default, 60000, is used`}},
		{reason: "too long an interval", env: m{"OTEL_METRIC_EXPORT_INTERVAL": "9223372036854775807"}, errs: []string{"OTEL_METRIC_EXPORT_INTERVAL"}},
		{reason: "bad timeout", env: m{"OTEL_METRIC_EXPORT_TIMEOUT": "soon"}, errs: []string{"OTEL_METRIC_EXPORT_TIMEOUT"}},
		{reason: "exemplars", env: m{"OTEL_METRICS_EXEMPLAR_FILTER": "always_off"}, want: m{"exemplars": "AlwaysOffFilter"}},
		{reason: "more exemplars", env: m{"OTEL_METRICS_EXEMPLAR_FILTER": "always_on"}, want: m{"exemplars": "AlwaysOnFilter"}},
		{reason: "bad exemplars", env: m{"OTEL_METRICS_EXEMPLAR_FILTER": "on"}, errs: []string{`OTEL_METRICS_EXEMPLAR_FILTER="on": want one of always_on, always_off, trace_based; the default, trace_based, is used`}},

		{reason: "always on", env: m{"OTEL_TRACES_SAMPLER": "always_on"}, want: m{"sampler": "AlwaysOnSampler"}},
		{reason: "always off", env: m{"OTEL_TRACES_SAMPLER": "always_off"}, want: m{"sampler": "AlwaysOffSampler"}},
		{reason: "ratio", env: m{"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25"}, want: m{"sampler": "TraceIDRatioBased{0.25}"}},
		{reason: "the option's sampler", config: Config{Sampler: sdktrace.NeverSample()}, env: m{"OTEL_TRACES_SAMPLER": "always_on"}, want: m{"sampler": "AlwaysOffSampler"}},
		{reason: "the queue of spans", env: m{"OTEL_BSP_MAX_QUEUE_SIZE": "100", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "50", "OTEL_BSP_SCHEDULE_DELAY": "10", "OTEL_BSP_EXPORT_TIMEOUT": "20"},
			want: m{"spans": "100 50 10ms 20ms"}},
		{reason: "batches larger than the queue", env: m{"OTEL_BSP_MAX_QUEUE_SIZE": "100"}, want: m{"spans": "100 100 5s 30s"}},
		{reason: "bad queue, for which the SDK panics", env: m{"OTEL_BSP_MAX_QUEUE_SIZE": "-1", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "9999999999999", "OTEL_BSP_SCHEDULE_DELAY": "-1", "OTEL_BSP_EXPORT_TIMEOUT": "soon"},
			errs: []string{`OTEL_BSP_MAX_QUEUE_SIZE="-1": want a whole number from 1 to 1000000; the default, 2048, is used`,
				"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_EXPORT_TIMEOUT"}},
		{reason: "bad ratio", env: m{"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "NaN"}, want: m{"sampler": "TraceIDRatioBased{1}"},
			errs: []string{`OTEL_TRACES_SAMPLER_ARG="NaN": want a number from 0 to 1; the default, 1, is used`}},
		{reason: "bad sampler", env: m{"OTEL_TRACES_SAMPLER": "jaeger_remote"}, errs: []string{`OTEL_TRACES_SAMPLER="jaeger_remote": want one of always_on`, "the default, parentbased_always_on, is used"}},

		{reason: "bad resource", env: m{"OTEL_RESOURCE_ATTRIBUTES": "a=b,c,d=%zz"}, errs: []string{`OTEL_RESOURCE_ATTRIBUTES="a=b,c,d=%zz": want a comma list of key=value`, `"c" is left out, "d=%zz" is used as it is`}},
		{reason: "shutdown", config: Config{ShutdownTimeout: time.Minute}, want: m{"shutdown": "1m0s"}},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			s, err := Resolve(tt.config, func(name string) string { return tt.env[name] })
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
