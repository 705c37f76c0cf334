package exporters

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/stagemeter/stagemeter/exporters/internal/settings"
)

// An Option configures [Start]. Options apply in order: the last one of a kind wins. An option wins
// over the environment. A value that cannot be used is left out and becomes part of Start's error,
// unless the option's comment says otherwise.
type Option interface {
	apply(settings.Config) settings.Config
}

type option func(settings.Config) settings.Config

func (o option) apply(c settings.Config) settings.Config { return o(c) }

// newConfig applies opts in order. It leaves out nil, with an error.
func newConfig(opts []Option) settings.Config {
	var c settings.Config
	for _, o := range opts {
		if o == nil {
			c = c.Note(errors.New("exporters: Start: a nil Option is ignored"))
			continue
		}
		c = o.apply(c)
	}
	return c
}

// What happens to most values that cannot be used.
const leftOut = "it is left out"

// WithServiceName sets the resource attribute service.name. Prometheus shows it as the label job of
// data that is pushed over OTLP.
//
// Environment: OTEL_SERVICE_NAME, then service.name in OTEL_RESOURCE_ATTRIBUTES. Default:
// unknown_service:<executable>.
func WithServiceName(name string) Option {
	return option(func(c settings.Config) settings.Config {
		if strings.TrimSpace(name) == "" {
			return c.Reject(fmt.Sprintf("WithServiceName(%q)", name), "a name", leftOut)
		}
		c.ServiceName = name
		return c
	})
}

// WithServiceVersion sets the resource attribute service.version.
//
// Environment: service.version in OTEL_RESOURCE_ATTRIBUTES. Default: the version of the main
// module, if the build has one.
func WithServiceVersion(version string) Option {
	return option(func(c settings.Config) settings.Config {
		if strings.TrimSpace(version) == "" {
			return c.Reject(fmt.Sprintf("WithServiceVersion(%q)", version), "a version", leftOut)
		}
		c.ServiceVersion = version
		return c
	})
}

// WithResourceAttributes adds attributes of the whole process, such as deployment.environment.name.
// OTLP sends them with all data; a scrape shows them as labels of target_info. Several of these
// options add up. If two have the same key, the last one wins.
//
// Environment: OTEL_RESOURCE_ATTRIBUTES. Default: the attributes that [Start] detects.
func WithResourceAttributes(attrs ...attribute.KeyValue) Option {
	attrs = slices.Clone(attrs)
	return option(func(c settings.Config) settings.Config {
		for _, kv := range attrs {
			if !kv.Valid() {
				c = c.Reject(fmt.Sprintf("WithResourceAttributes(%s)", keyValue(kv)), "a key and a value", leftOut)
				continue
			}
			c.Attributes = append(slices.Clip(c.Attributes), kv)
		}
		return c
	})
}

// WithPrometheusAddr sets the address on which the metrics server listens: host:port, ":port" for
// every address of the host, "[::1]:port" for IPv6. With port 0 the system chooses a free port,
// which [Telemetry.Addr] returns. The option turns the scrape on even if OTEL_METRICS_EXPORTER does
// not list prometheus.
//
// If addr cannot be used, no port is opened: a misspelt 127.0.0.1 must not open a port to the
// network. The empty address cannot be used either; to open no port on purpose, use
// [WithoutServer].
//
// Of WithPrometheusAddr, [WithoutServer] and [WithoutPrometheus] the last one wins.
//
// Environment: OTEL_EXPORTER_PROMETHEUS_HOST, OTEL_EXPORTER_PROMETHEUS_PORT. Default: ":9099".
func WithPrometheusAddr(addr string) Option {
	return option(func(c settings.Config) settings.Config {
		const want = "host:port or :port, with a port from 0 to 65535"
		call := fmt.Sprintf("WithPrometheusAddr(%q)", addr)
		switch {
		case addr == "":
			c = c.Reject(call, want, "no port is opened; use WithoutServer to say so")
		case settings.CheckAddr(addr) != nil:
			c = c.Reject(call, want, "no port is opened")
		default:
			c.Scrape, c.Addr = settings.ScrapeServe, addr
			return c
		}
		c.Scrape = settings.ScrapeOnly
		return c
	})
}

// WithoutServer opens no port for metrics. [Telemetry.Handler] still answers scrapes: the program
// serves it on a server of its own. The option turns the scrape on even if OTEL_METRICS_EXPORTER
// does not list prometheus.
//
// [WithoutPrometheus] goes further: there is no scrape at all, and Handler answers 404. Of
// [WithPrometheusAddr], WithoutServer and WithoutPrometheus the last one wins.
//
// Environment: none. Default: a server on ":9099".
func WithoutServer() Option {
	return option(func(c settings.Config) settings.Config {
		c.Scrape = settings.ScrapeOnly
		return c
	})
}

// WithoutPrometheus turns the scrape off: no port is opened, and [Telemetry.Handler] answers 404.
// Without a scrape and a push, metrics are not collected.
//
// [WithoutServer] opens no port either, but Handler still answers scrapes. Of [WithPrometheusAddr],
// WithoutServer and WithoutPrometheus the last one wins.
//
// Environment: an OTEL_METRICS_EXPORTER without prometheus. Default: on.
func WithoutPrometheus() Option {
	return option(func(c settings.Config) settings.Config {
		c.Scrape = settings.ScrapeOff
		return c
	})
}

// WithWebConfigFile protects the metrics server with a file in the format of Prometheus's
// exporter-toolkit: TLS, client certificates, basic authentication, headers, a rate limit. If Start
// cannot use the file, or path is empty, no port is opened. If there are several of these options, the
// last one wins.
//
// The server reads the file and the certificates again for each connection and request, so a client
// that loses its rights is refused at once. If they cannot be used any more, what they said before
// holds: the log has a line then, and another when they can be used again. Only a restart turns TLS on
// or off, or removes all protection.
//
// The file also protects the handlers of [Telemetry.Handle], but not [Telemetry.Handler]. Without a
// server, as after [WithoutServer], it is not read, and Start returns an error.
//
// /healthz needs neither a password nor a client certificate.
//
// Environment: none. Default: plain HTTP, open to everyone who can reach the address.
func WithWebConfigFile(path string) Option {
	return option(func(c settings.Config) settings.Config {
		c.WebConfigFile, c.NoWebConfig = path, path == ""
		if c.NoWebConfig {
			return c.Reject(`WithWebConfigFile("")`, "a path", "no port is opened")
		}
		return c
	})
}

// WithOTLPEndpoint pushes metrics and traces to a receiver: a URL such as http://collector:4317, or
// https for TLS. If OTEL_EXPORTER_OTLP_PROTOCOL is http/protobuf, /v1/metrics and /v1/traces are
// appended to it. The option turns OTLP on for both signals, whatever OTEL_METRICS_EXPORTER and
// OTEL_TRACES_EXPORTER list.
//
// A URL without a scheme, such as collector:4317, is only for gRPC. It means https, unless
// OTEL_EXPORTER_OTLP_INSECURE is true.
//
// Environment: OTEL_EXPORTER_OTLP_METRICS_ENDPOINT and OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, each
// before OTEL_EXPORTER_OTLP_ENDPOINT. Default: nothing is pushed.
func WithOTLPEndpoint(url string) Option {
	return option(func(c settings.Config) settings.Config {
		if strings.TrimSpace(url) == "" {
			return c.Reject(fmt.Sprintf("WithOTLPEndpoint(%q)", url), settings.WantEndpoint, leftOut)
		}
		c.Endpoint = strings.TrimSpace(url)
		return c
	})
}

// WithExportInterval sets the time between two pushes of metrics. Metrics are also pushed about a
// second after the start, every few seconds while the receiver fails, and at [Telemetry.Shutdown],
// whatever the interval.
//
// Environment: OTEL_METRIC_EXPORT_INTERVAL, in milliseconds. Default: 1 minute.
func WithExportInterval(d time.Duration) Option {
	return option(func(c settings.Config) settings.Config {
		if d <= 0 {
			return c.Reject(fmt.Sprintf("WithExportInterval(%v)", d), "more than 0", leftOut)
		}
		c.Interval = d
		return c
	})
}

// WithCardinalityLimit sets how many series each instrument may have. Measurements of further
// series are added to one series that is marked otel_metric_overflow="true", until the program
// ends. A pipeline with instrument.WithLiveJobLimit(n) needs a limit of 2n if n is above 1,000.
//
// Environment: none. Default: 2,000, as in the OpenTelemetry SDK.
func WithCardinalityLimit(series int) Option {
	return option(func(c settings.Config) settings.Config {
		if series <= 0 {
			return c.Reject(fmt.Sprintf("WithCardinalityLimit(%d)", series), "more than 0", leftOut)
		}
		c.Series = series
		return c
	})
}

// WithSampler sets the sampler, which chooses the traces to keep. Metrics do not depend on it;
// their exemplars point only to kept traces.
//
// Environment: OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG. Default: parentbased_always_on.
func WithSampler(s sdktrace.Sampler) Option {
	return option(func(c settings.Config) settings.Config {
		if s == nil {
			return c.Reject("WithSampler(nil)", "a sampler", leftOut)
		}
		c.Sampler = s
		return c
	})
}

// WithView adds views of the OpenTelemetry SDK, which change how instruments are aggregated, for
// example with other buckets for a histogram. Several of these options add up. A view may be called
// more than once for an instrument. A view that selects an exponential histogram makes every scrape
// in text or OpenMetrics slow; see the package comment.
//
// Environment: none. Default: the aggregation that each instrument advises.
func WithView(views ...sdkmetric.View) Option {
	views = slices.Clone(views)
	return option(func(c settings.Config) settings.Config {
		for _, v := range views {
			if v == nil {
				c = c.Reject("WithView(nil)", "a view", leftOut)
				continue
			}
			c.Views = append(slices.Clip(c.Views), v)
		}
		return c
	})
}

// WithGlobals replaces the globals of package otel, also those that somebody has set: the meter
// provider, the tracer provider, the propagator, the error handler and the logger. Shutdown does
// not undo it: package otel has no way back.
//
// Of WithGlobals and [WithoutGlobals] the last one wins.
//
// Environment: none. Default: Start sets the providers and the propagator, each only where nobody
// has set one, and logs those that it left unchanged. It sets neither the error handler nor the
// logger: the SDK reports its own errors to otel's error handler, which prints to stderr.
func WithGlobals() Option {
	return option(func(c settings.Config) settings.Config {
		c.Globals = settings.GlobalsReplace
		return c
	})
}

// WithoutGlobals leaves every global of package otel unchanged. The program passes
// [Telemetry.MeterProvider] and [Telemetry.TracerProvider] to its instrumentation.
//
// With or without it, package otel logs to the logger of Start from then on if a header or an
// endpoint of the environment is malformed: the SDK would log its value, which may be a key.
//
// Of [WithGlobals] and WithoutGlobals the last one wins.
//
// Environment: none. Default: see [WithGlobals].
func WithoutGlobals() Option {
	return option(func(c settings.Config) settings.Config {
		c.Globals = settings.GlobalsKeep
		return c
	})
}

// WithLogger sets the logger of this package, which reports what happens during and after Start: a
// global that Start left unchanged, an export that begins to fail or recovers, a scrape with
// errors.
//
// OTEL_LOG_LEVEL sets the level of these lines and replaces the logger's own level. Default:
// [slog.Default].
func WithLogger(l *slog.Logger) Option {
	return option(func(c settings.Config) settings.Config {
		if l == nil {
			return c.Reject("WithLogger(nil)", "a logger (slog.New(slog.DiscardHandler) is silent)", leftOut)
		}
		c.Logger = l
		return c
	})
}

// WithShutdownTimeout bounds [Telemetry.Shutdown] and [Telemetry.ForceFlush] if their context has
// no deadline or is over already. On Kubernetes keep it below terminationGracePeriodSeconds.
//
// Environment: none. Default: 5 seconds.
func WithShutdownTimeout(d time.Duration) Option {
	return option(func(c settings.Config) settings.Config {
		if d <= 0 {
			return c.Reject(fmt.Sprintf("WithShutdownTimeout(%v)", d), "more than 0", leftOut)
		}
		c.ShutdownTimeout = d
		return c
	})
}
