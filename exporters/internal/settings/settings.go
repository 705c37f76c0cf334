package settings

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/stagemeter/stagemeter/exporters/internal/report"
	"github.com/stagemeter/stagemeter/semconv"
)

// Defaults that hold if neither an option nor a variable sets the value.
const (
	defaultPort            = "9099"
	defaultInterval        = time.Minute
	defaultExportTimeout   = 30 * time.Second
	defaultShutdownTimeout = 5 * time.Second
	defaultSeries          = 2000 // the SDK's
)

// Names of exporters in OTEL_METRICS_EXPORTER and OTEL_TRACES_EXPORTER.
const (
	prometheusName = "prometheus"
	otlpName       = "otlp"
	consoleName    = "console"
)

// Settings is what Start builds telemetry from.
type Settings struct {
	Config   Config // as given, for values that only options set: names, attributes, views, globals
	Disabled bool   // OTEL_SDK_DISABLED: everything below but Logger and ShutdownTimeout is zero
	Logger   *slog.Logger

	Prometheus bool   // the handler answers scrapes
	Addr       string // to listen on; empty: no server
	AddrFrom   string // the option or the variables that set Addr, with their values; empty: the default

	MetricsOTLP    *Destination // nil: not pushed
	MetricsConsole bool
	Interval       time.Duration
	Pace           Pace
	ExportTimeout  time.Duration
	Exemplars      exemplar.Filter

	TracesOTLP    *Destination // nil: not pushed
	TracesConsole bool
	Sampler       sdktrace.Sampler
	Spans         SpanQueue

	ShutdownTimeout time.Duration

	// Malformed is set if the exporters cannot read a header or an endpoint of the environment, which
	// they would log with its value. That may be secret.
	Malformed bool
}

// Resolve puts options over the environment, and the environment over the defaults. getenv looks up
// a variable as os.Getenv does. The Settings are usable whatever the error says.
func Resolve(c Config, getenv func(name string) string) (Settings, error) {
	r := &reader{env: getenv}
	s := Settings{
		Config:          c,
		Disabled:        r.flag(envDisabled),
		Logger:          report.NewLogger(c.Logger, r.choice("", report.Levels(), envLogLevel)),
		ShutdownTimeout: cmp.Or(c.ShutdownTimeout, defaultShutdownTimeout),
	}
	if s.Disabled {
		return s, errors.Join(c.err(), r.err())
	}
	r.resource()
	r.metrics(&s)
	r.traces(&s)
	s.Malformed = r.malformed()
	return s, errors.Join(c.err(), r.err())
}

// SeriesLimit returns how many series each instrument may have.
func (s Settings) SeriesLimit() int { return cmp.Or(s.Config.Series, defaultSeries) }

// metrics reads where metrics go.
func (r *reader) metrics(s *Settings) {
	c := s.Config
	listed := r.list(envMetricsExporter, prometheusName, otlpName, consoleName, none)
	s.Prometheus = listed == nil || slices.Contains(listed, prometheusName)
	switch c.Scrape {
	case ScrapeOff:
		s.Prometheus = false
	case ScrapeOnly:
		s.Prometheus = true
	case ScrapeServe:
		s.Prometheus, s.Addr, s.AddrFrom = true, c.Addr, fmt.Sprintf("WithPrometheusAddr(%q)", c.Addr)
	case ScrapeUnset:
		if s.Prometheus {
			s.Addr, s.AddrFrom = r.addr()
		}
	}
	if c.NoWebConfig {
		s.Addr, s.AddrFrom = "", "" // never open to more than was asked for
	}
	r.unprotected(s)
	s.MetricsConsole = slices.Contains(listed, consoleName)
	s.MetricsOTLP = r.destination(semconv.SignalMetrics, c.Endpoint, listed)
	if s.Interval = c.Interval; s.Interval <= 0 {
		s.Interval = r.milliseconds(defaultInterval, envInterval)
	}
	s.Pace = cmp.Or(c.Pace, DefaultPace)
	s.ExportTimeout = r.milliseconds(defaultExportTimeout, envExportTimeout)
	s.Exemplars = r.exemplars()
	r.choice("", []string{"cumulative", "delta", "lowmemory"}, envTemporality)
	r.choice("", []string{"explicit_bucket_histogram", "base2_exponential_bucket_histogram"}, envHistograms)
}

// traces reads where traces go.
func (r *reader) traces(s *Settings) {
	listed := r.list(envTracesExporter, otlpName, consoleName, none)
	s.TracesConsole = slices.Contains(listed, consoleName)
	s.TracesOTLP = r.destination(semconv.SignalTraces, s.Config.Endpoint, listed)
	if s.Sampler = s.Config.Sampler; s.Sampler == nil {
		s.Sampler = r.sampler()
	}
	s.Spans = r.spanQueue()
}

// unprotected rejects a web config file that nothing reads: somebody may rely on its protection.
func (r *reader) unprotected(s *Settings) {
	file := s.Config.WebConfigFile
	if file == "" || s.Addr != "" {
		return
	}
	used := "nothing is served, and the file is not read"
	if s.Prometheus {
		used = "no port is opened, the file is not read, and Telemetry.Handler is not protected"
	}
	r.note(fmt.Errorf("exporters: WithWebConfigFile(%q): want a server, which is all that the file protects; %s", file, used))
}

// addr returns the address to listen on, and the variables that set it. The address is empty if the
// host cannot be one: the host was meant to keep others out.
func (r *reader) addr() (addr, from string) {
	var set []string
	value := r.env.get(envPrometheusHost)
	host := value
	if inner, ok := strings.CutPrefix(host, "["); ok {
		host = strings.TrimSuffix(inner, "]")
	}
	if value != "" {
		set = append(set, fmt.Sprintf("%s=%q", envPrometheusHost, value))
	}
	port := r.env.get(envPrometheusPort)
	switch {
	case port == "":
		port = defaultPort
	case checkPort(port) != nil:
		r.reject(envPrometheusPort, port, "a port from 0 to 65535", "the default, "+defaultPort+", is used")
		port = defaultPort
	default:
		set = append(set, fmt.Sprintf("%s=%q", envPrometheusPort, port))
	}
	addr = net.JoinHostPort(host, port)
	if CheckAddr(addr) != nil {
		r.reject(envPrometheusHost, value, "a host name or an IP address", "no port is opened")
		return "", ""
	}
	return addr, strings.Join(set, ", ")
}

// CheckAddr returns an error if the server cannot listen on an address of this form.
func CheckAddr(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if strings.Contains(host, ":") { // no host name
		if _, err := netip.ParseAddr(host); err != nil {
			return err
		}
	}
	return checkPort(port)
}

func checkPort(port string) error {
	_, err := strconv.ParseUint(port, 10, 16)
	return err
}

// resource checks the variable that the SDK reads into the resource.
func (r *reader) resource() {
	value := r.env.get(envResource)
	var used []string
	for _, p := range pairs(value) {
		switch _, _, isPair := strings.Cut(p.item, "="); {
		case p.err == nil:
		case isPair && p.key != "":
			used = append(used, fmt.Sprintf("%q is used as it is", p.item))
		default:
			used = append(used, fmt.Sprintf("%q is left out", p.item))
		}
	}
	if used != nil {
		r.reject(envResource, value, "a comma list of key=value, values percent-encoded", strings.Join(used, ", "))
	}
}

// exemplars reads which measurements may become exemplars.
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

// sampler reads the sampler of traces.
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

// ratio reads which share of traces traceidratio keeps.
func (r *reader) ratio() float64 {
	value := r.env.get(envSamplerArg)
	if value == "" {
		return 1
	}
	ratio, err := strconv.ParseFloat(value, 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) { // out of range, or NaN
		r.reject(envSamplerArg, value, "a number from 0 to 1", "the default, 1, is used")
		return 1
	}
	return ratio
}
