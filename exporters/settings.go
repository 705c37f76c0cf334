package exporters

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/stagemeter/stagemeter/semconv"
)

// Defaults of what neither an option nor a variable sets.
const (
	defaultPort            = "9099"
	defaultInterval        = time.Minute
	defaultExportTimeout   = 30 * time.Second
	defaultShutdownTimeout = 5 * time.Second
)

// Names of exporters in OTEL_METRICS_EXPORTER and OTEL_TRACES_EXPORTER.
const (
	prometheusName = "prometheus"
	otlpName       = "otlp"
	consoleName    = "console"
)

// settings is what Start builds from: options over environment over defaults.
type settings struct {
	disabled bool
	config   config // the options that stand as they are: names, attributes, views, globals
	logger   *slog.Logger

	prometheus bool
	addr       string // where to listen; empty: nowhere

	metricsOTLP    *destination // nil: not pushed
	metricsConsole bool
	interval       time.Duration
	pace           pace
	exportTimeout  time.Duration
	exemplars      exemplar.Filter

	tracesOTLP    *destination // nil: not pushed
	tracesConsole bool
	sampler       sdktrace.Sampler
	spans         spanQueue

	shutdownTimeout time.Duration
}

// resolve puts options over the environment over the defaults. The settings
// are usable whatever the error says.
func resolve(c config, env environ) (settings, error) {
	r := &reader{env: env}
	s := settings{
		config:          c,
		disabled:        r.flag(envDisabled),
		logger:          newLogger(c.logger, r.choice("", logLevels, envLogLevel)),
		pace:            defaultPace,
		shutdownTimeout: defaultShutdownTimeout,
	}
	if c.pace != (pace{}) {
		s.pace = c.pace
	}
	if c.shutdownTimeout > 0 {
		s.shutdownTimeout = c.shutdownTimeout
	}
	if s.disabled {
		return s, errors.Join(c.err(), r.err())
	}

	r.resource()
	metrics := r.list(envMetricsExporter, prometheusName, otlpName, consoleName, none)
	s.prometheus = metrics == nil || slices.Contains(metrics, prometheusName)
	if c.prometheus != nil {
		s.prometheus = *c.prometheus
	}
	if c.addr != nil {
		s.addr = *c.addr
	} else if s.prometheus {
		s.addr = r.addr()
	}
	s.metricsConsole = slices.Contains(metrics, consoleName)
	s.metricsOTLP = r.destination(semconv.SignalMetrics, c.endpoint, metrics)
	if s.interval = c.interval; s.interval <= 0 {
		s.interval = r.milliseconds(defaultInterval, envInterval)
	}
	s.exportTimeout = r.milliseconds(defaultExportTimeout, envExportTimeout)
	s.exemplars = r.exemplars()
	r.choice("", []string{"cumulative", "delta", "lowmemory"}, envTemporality)
	r.choice("", []string{"explicit_bucket_histogram", "base2_exponential_bucket_histogram"}, envHistograms)

	traces := r.list(envTracesExporter, otlpName, consoleName, none)
	s.tracesConsole = slices.Contains(traces, consoleName)
	s.tracesOTLP = r.destination(semconv.SignalTraces, c.endpoint, traces)
	if s.sampler = c.sampler; s.sampler == nil {
		s.sampler = r.sampler()
	}
	s.spans = r.spanQueue()
	return s, errors.Join(c.err(), r.err())
}

// addr reads where to listen: nowhere after a host that can't be one, for it
// was meant to keep others out.
func (r *reader) addr() string {
	host := r.env.get(envPrometheusHost)
	if inner, ok := strings.CutPrefix(host, "["); ok {
		host = strings.TrimSuffix(inner, "]")
	}
	port := r.env.get(envPrometheusPort)
	if port == "" {
		port = defaultPort
	} else if checkPort(port) != nil {
		r.reject(envPrometheusPort, port, "a port from 0 to 65535", "the default, "+defaultPort+", is used")
		port = defaultPort
	}
	addr := net.JoinHostPort(host, port)
	if checkAddr(addr) != nil {
		r.reject(envPrometheusHost, host, "a host name or an IP address", "nothing is served")
		return ""
	}
	return addr
}

// checkAddr checks an address to listen on; empty is one too.
func checkAddr(addr string) error {
	if addr == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	return checkPort(port)
}

func checkPort(port string) error {
	_, err := strconv.ParseUint(port, 10, 16)
	return err
}

// resource checks what the SDK reads into the resource.
func (r *reader) resource() {
	value := r.env.get(envResource)
	var used []string
	for _, p := range pairs(value) {
		switch _, _, isPair := strings.Cut(p.item, "="); {
		case p.err == nil:
		case isPair && p.key != "":
			used = append(used, fmt.Sprintf("%q is taken as it is", p.item))
		default:
			used = append(used, fmt.Sprintf("%q is left out", p.item))
		}
	}
	if used != nil {
		r.reject(envResource, value, "a comma list of key=value, values percent-encoded", strings.Join(used, ", "))
	}
}

// exemplars reads which measurements may leave a trace id with their metric.
func (r *reader) exemplars() exemplar.Filter {
	switch r.choice("trace_based", []string{"always_on", "always_off", "trace_based"}, envExemplars) {
	case "always_on":
		return exemplar.AlwaysOnFilter
	case "always_off":
		return exemplar.AlwaysOffFilter
	default:
		return exemplar.TraceBasedFilter
	}
}

// sampler reads which traces are kept.
func (r *reader) sampler() sdktrace.Sampler {
	name := r.choice("parentbased_always_on", []string{
		"always_on", "always_off", "traceidratio",
		"parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio",
	}, envSampler)
	root, parentBased := strings.CutPrefix(name, "parentbased_")
	var s sdktrace.Sampler
	switch root {
	case "always_off":
		s = sdktrace.NeverSample()
	case "traceidratio":
		s = sdktrace.TraceIDRatioBased(r.ratio())
	default:
		s = sdktrace.AlwaysSample()
	}
	if parentBased {
		s = sdktrace.ParentBased(s)
	}
	return s
}

// ratio reads the share of traces that traceidratio keeps.
func (r *reader) ratio() float64 {
	value := r.env.get(envSamplerArg)
	if value == "" {
		return 1
	}
	ratio, err := strconv.ParseFloat(value, 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) { // not in the range, or NaN
		r.reject(envSamplerArg, value, "a number from 0 to 1", "the default, 1, is used")
		return 1
	}
	return ratio
}

// meterOptions are the provider's settings that have nothing to do with where
// the metrics go.
func (s settings) meterOptions() []sdkmetric.Option {
	opts := []sdkmetric.Option{
		sdkmetric.WithExemplarFilter(s.exemplars),
		sdkmetric.WithView(validTexts(withReservoirs(s.config.views))...),
	}
	if s.config.series > 0 {
		opts = append(opts, sdkmetric.WithCardinalityLimit(s.config.series))
	}
	return opts
}
