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
)

// An Option sets up [Start]. Options apply in order: the last one of a kind
// wins. An option always wins over the environment. A value that can't be used
// is an error of Start and the option is left out, unless its comment says
// otherwise.
type Option interface {
	apply(config) config
}

// config is what the options say. Its zero value is "nothing said".
type config struct {
	serviceName     string
	serviceVersion  string
	attributes      []attribute.KeyValue
	prometheus      *bool
	addr            *string
	webConfigFile   string
	endpoint        string
	interval        time.Duration
	sampler         sdktrace.Sampler
	views           []sdkmetric.View
	series          int // of an instrument; 0: as the SDK has it
	globals         bool
	logger          *slog.Logger
	shutdownTimeout time.Duration
	pace            pace // of tests
	errs            []error
}

type option func(config) config

func (o option) apply(c config) config { return o(c) }

func newConfig(opts []Option) config {
	var c config
	for _, o := range opts {
		if o != nil {
			c = o.apply(c)
		}
	}
	return c
}

// reject notes that an option's value can't be used.
func (c config) reject(call, want, used string) config {
	c.errs = append(slices.Clip(c.errs), fmt.Errorf("exporters: %s: want %s; %s", call, want, used))
	return c
}

// WithServiceName sets the resource attribute service.name, which Prometheus
// shows as the label job of data pushed over OTLP.
//
// Environment: OTEL_SERVICE_NAME, then service.name in
// OTEL_RESOURCE_ATTRIBUTES. Default: unknown_service:<executable>.
func WithServiceName(name string) Option {
	return option(func(c config) config {
		if strings.TrimSpace(name) == "" {
			return c.reject(fmt.Sprintf("WithServiceName(%q)", name), "a name", "it is left out")
		}
		c.serviceName = name
		return c
	})
}

// WithServiceVersion sets the resource attribute service.version.
//
// Environment: service.version in OTEL_RESOURCE_ATTRIBUTES. Default: the
// version of the main module, if the build has one.
func WithServiceVersion(version string) Option {
	return option(func(c config) config {
		if strings.TrimSpace(version) == "" {
			return c.reject(fmt.Sprintf("WithServiceVersion(%q)", version), "a version", "it is left out")
		}
		c.serviceVersion = version
		return c
	})
}

// WithResourceAttributes adds attributes of the whole process, such as
// deployment.environment.name. They are sent with everything over OTLP and are
// labels of target_info on a scrape. Several of these options add up; of equal
// keys the last wins.
//
// Environment: OTEL_RESOURCE_ATTRIBUTES. Default: what [Start] detects.
func WithResourceAttributes(attrs ...attribute.KeyValue) Option {
	attrs = slices.Clone(attrs)
	return option(func(c config) config {
		for _, kv := range attrs {
			if !kv.Valid() {
				c = c.reject(fmt.Sprintf("WithResourceAttributes(%q)", string(kv.Key)), "a key and a value", "it is left out")
				continue
			}
			c.attributes = append(slices.Clip(c.attributes), kv)
		}
		return c
	})
}

// WithPrometheusAddr sets where metrics are served for Prometheus to scrape:
// host:port, ":port" for every address of the host, "[::1]:port" for one of
// IPv6. Port 0 takes a free one, which [Telemetry.Addr] tells. It turns the
// scrape on even where OTEL_METRICS_EXPORTER leaves it out.
//
// With the empty address nothing is listened on: the program serves
// [Telemetry.Handler] itself.
//
// After an address that can't be parsed nothing is listened on either: a
// misspelt 127.0.0.1 must not open a port to the network.
//
// Environment: OTEL_EXPORTER_PROMETHEUS_HOST, OTEL_EXPORTER_PROMETHEUS_PORT.
// Default: ":9099".
func WithPrometheusAddr(addr string) Option {
	return option(func(c config) config {
		listen := addr
		if err := checkAddr(addr); err != nil {
			c = c.reject(fmt.Sprintf("WithPrometheusAddr(%q)", addr),
				"host:port, :port or the empty string, with a port from 0 to 65535", "nothing is served")
			listen = ""
		}
		c.prometheus, c.addr = new(true), &listen
		return c
	})
}

// WithoutPrometheus turns the scrape and its server off.
//
// Environment: an OTEL_METRICS_EXPORTER without prometheus. Default: on.
func WithoutPrometheus() Option {
	return option(func(c config) config {
		c.prometheus, c.addr = new(false), nil
		return c
	})
}

// WithWebConfigFile protects the metrics server by a file in the format of
// Prometheus's exporter-toolkit: TLS, client certificates, basic
// authentication, headers, a rate limit. The file and the certificates are
// read again for new connections. If it can't be used, nothing is served.
//
// /healthz answers without a password and without a client certificate.
//
// Environment: none. Default: plain HTTP, open to all who reach the address.
func WithWebConfigFile(path string) Option {
	return option(func(c config) config {
		if path == "" {
			return c.reject(`WithWebConfigFile("")`, "a path", "it is left out")
		}
		c.webConfigFile = path
		return c
	})
}

// WithOTLPEndpoint pushes metrics and traces to a receiver: a URL such as
// http://collector:4317, or https for TLS. With OTEL_EXPORTER_OTLP_PROTOCOL=
// http/protobuf it is the base URL to which /v1/metrics and /v1/traces are
// added. It turns OTLP on for both signals, whatever OTEL_METRICS_EXPORTER and
// OTEL_TRACES_EXPORTER list.
//
// Environment: OTEL_EXPORTER_OTLP_METRICS_ENDPOINT and
// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, each before OTEL_EXPORTER_OTLP_ENDPOINT.
// Default: nothing is pushed.
func WithOTLPEndpoint(url string) Option {
	return option(func(c config) config {
		if strings.TrimSpace(url) == "" {
			return c.reject(fmt.Sprintf("WithOTLPEndpoint(%q)", url), wantEndpoint, "it is left out")
		}
		c.endpoint = strings.TrimSpace(url)
		return c
	})
}

// WithExportInterval sets the time between two pushes of metrics. Whatever it
// is, there is also a push right after the start, one every few seconds while
// the receiver fails, and one at [Telemetry.Shutdown].
//
// Environment: OTEL_METRIC_EXPORT_INTERVAL, in milliseconds. Default: 1 minute.
func WithExportInterval(d time.Duration) Option {
	return option(func(c config) config {
		if d <= 0 {
			return c.reject(fmt.Sprintf("WithExportInterval(%v)", d), "more than 0", "it is left out")
		}
		c.interval = d
		return c
	})
}

// WithCardinalityLimit sets how many series an instrument may have. What is
// past it goes into one that is marked otel_metric_overflow="true", for ever. A
// pipeline with instrument.WithLiveJobLimit(n) above 1,000 needs 2n.
//
// Default: 2,000, the SDK's.
func WithCardinalityLimit(series int) Option {
	return option(func(c config) config {
		if series <= 0 {
			return c.reject(fmt.Sprintf("WithCardinalityLimit(%d)", series), "more than 0", "it is left out")
		}
		c.series = series
		return c
	})
}

// WithSampler decides which traces are kept. Metrics don't depend on it, their
// exemplars do: they point to kept traces alone.
//
// Environment: OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG. Default:
// parentbased_always_on.
func WithSampler(s sdktrace.Sampler) Option {
	return option(func(c config) config {
		if s == nil {
			return c.reject("WithSampler(nil)", "a sampler", "it is left out")
		}
		c.sampler = s
		return c
	})
}

// WithView changes how some instruments are aggregated, as other buckets for a
// histogram. Several of these options add up. A view is asked more than once for
// an instrument. One that makes an exponential histogram makes every scrape in
// text or OpenMetrics slow, see the package comment.
//
// Environment: none. Default: what the instruments advise.
func WithView(views ...sdkmetric.View) Option {
	views = slices.Clone(views)
	return option(func(c config) config {
		for _, v := range views {
			if v == nil {
				c = c.reject("WithView(nil)", "a view", "it is left out")
				continue
			}
			c.views = append(slices.Clip(c.views), v)
		}
		return c
	})
}

// WithGlobals makes the providers, the propagator, the error handler and the
// internal logger those of package otel, so that libraries use them too.
// Shutdown doesn't undo it: package otel has no way back.
//
// Environment: none. Default: package otel is left alone, and what the SDK
// itself has to report goes to otel's own error handler, which prints to stderr.
func WithGlobals() Option {
	return option(func(c config) config {
		c.globals = true
		return c
	})
}

// WithLogger sets where this package logs what happens after Start: an export
// that begins to fail or recovers, a scrape with errors.
//
// OTEL_LOG_LEVEL sets what level of these lines is shown, whatever the logger's
// own level. Default: [slog.Default].
func WithLogger(l *slog.Logger) Option {
	return option(func(c config) config {
		if l == nil {
			return c.reject("WithLogger(nil)", "a logger (slog.New(slog.DiscardHandler) is silent)", "it is left out")
		}
		c.logger = l
		return c
	})
}

// WithShutdownTimeout bounds [Telemetry.Shutdown] and [Telemetry.ForceFlush]
// where their context has no deadline or is over already. On Kubernetes keep it
// below terminationGracePeriodSeconds.
//
// Environment: none. Default: 5 seconds.
func WithShutdownTimeout(d time.Duration) Option {
	return option(func(c config) config {
		if d <= 0 {
			return c.reject(fmt.Sprintf("WithShutdownTimeout(%v)", d), "more than 0", "it is left out")
		}
		c.shutdownTimeout = d
		return c
	})
}

// err returns what was wrong with the options, or nil.
func (c config) err() error { return errors.Join(c.errs...) }
