package push

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"

	"github.com/stagemeter/stagemeter/exporters/internal/settings"
)

// How soon a failed receiver is tried again within a request. With the SDK's own bounds, 30 seconds
// between attempts and 2 minutes between connections, data would be missing long after the receiver
// is back.
const (
	retryFirst   = 500 * time.Millisecond
	retryMax     = 2 * time.Second
	dialTimeout  = 5 * time.Second
	unackTimeout = 10 * time.Second // until the connection is closed, if the peer acknowledges nothing
)

// MetricExporter returns an exporter of metrics to d. It connects at the first export: a receiver
// that is down is no error.
func MetricExporter(ctx context.Context, d *settings.Destination) (sdkmetric.Exporter, error) {
	if d.Protocol == settings.ProtocolHTTP {
		client := httpClient(d)
		compression := otlpmetrichttp.NoCompression
		if d.Gzip {
			compression = otlpmetrichttp.GzipCompression
		}
		e, err := otlpmetrichttp.New(ctx,
			otlpmetrichttp.WithHeaders(d.Headers),
			otlpmetrichttp.WithCompression(compression),
			otlpmetrichttp.WithEndpointURL(d.URL.String()),
			otlpmetrichttp.WithTLSClientConfig(nil), // client has the configuration
			otlpmetrichttp.WithHTTPClient(client),
			otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{}), // a sender retries
		)
		if err != nil {
			return nil, unusable(d, err)
		}
		return idleMetricExporter{e, client}, nil
	}
	opts := []otlpmetricgrpc.Option{
		otlpmetricgrpc.WithEndpoint(d.Target()),
		otlpmetricgrpc.WithHeaders(d.Headers),
		otlpmetricgrpc.WithTLSCredentials(transport(d)),
		otlpmetricgrpc.WithTimeout(d.Timeout),
		otlpmetricgrpc.WithDialOption(dialOptions()...),
		otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{}), // a sender retries
	}
	if d.Gzip {
		opts = append(opts, otlpmetricgrpc.WithCompressor("gzip"))
	}
	e, err := otlpmetricgrpc.New(ctx, opts...)
	if err != nil {
		return nil, unusable(d, err)
	}
	return e, nil
}

// SpanExporter returns an exporter of spans to d. It connects at the first export: a receiver that
// is down is no error.
func SpanExporter(ctx context.Context, d *settings.Destination) (sdktrace.SpanExporter, error) {
	if d.Protocol == settings.ProtocolHTTP {
		client := httpClient(d)
		compression := otlptracehttp.NoCompression
		if d.Gzip {
			compression = otlptracehttp.GzipCompression
		}
		e, err := otlptracehttp.New(ctx,
			otlptracehttp.WithHeaders(d.Headers),
			otlptracehttp.WithCompression(compression),
			otlptracehttp.WithEndpointURL(d.URL.String()),
			otlptracehttp.WithTLSClientConfig(nil), // client has the configuration
			otlptracehttp.WithHTTPClient(client),
			otlptracehttp.WithRetry(otlptracehttp.RetryConfig{}), // a sender retries
		)
		if err != nil {
			return nil, unusable(d, err)
		}
		return idleSpanExporter{e, client}, nil
	}
	opts := []otlptracegrpc.Option{
		otlptracegrpc.WithEndpoint(d.Target()),
		otlptracegrpc.WithHeaders(d.Headers),
		otlptracegrpc.WithTLSCredentials(transport(d)),
		otlptracegrpc.WithTimeout(d.Timeout),
		otlptracegrpc.WithDialOption(dialOptions()...),
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{}), // a sender retries
	}
	if d.Gzip {
		opts = append(opts, otlptracegrpc.WithCompressor("gzip"))
	}
	e, err := otlptracegrpc.New(ctx, opts...)
	if err != nil {
		return nil, unusable(d, err)
	}
	return e, nil
}

// unusable adds the signal and the destination to err.
func unusable(d *settings.Destination, err error) error {
	return fmt.Errorf("exporters: %s over OTLP to %s: %w; they are not pushed", d.Signal, d, err)
}

// transport returns the transport security of gRPC connections to d. It is always set: otherwise a
// certificate in the environment would turn TLS on for an http URL.
func transport(d *settings.Destination) credentials.TransportCredentials {
	if d.URL.Scheme == "https" {
		return credentials.NewTLS(d.TLS)
	}
	return insecure.NewCredentials()
}

// dialOptions bound the cost of a lost connection: a new one is tried at least every 2 seconds, and
// one whose peer has vanished is closed. The keepalive parameters are there for the kernel's
// timeout that comes with them; the pings themselves are too rare to be sent.
func dialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: retryFirst, Multiplier: 1.6, Jitter: 0.2, MaxDelay: retryMax},
			MinConnectTimeout: dialTimeout,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: unackTimeout}),
	}
}

// An idleMetricExporter closes its client's connections when it is shut down.
type idleMetricExporter struct {
	sdkmetric.Exporter
	client *http.Client
}

func (e idleMetricExporter) Shutdown(ctx context.Context) error {
	defer e.client.CloseIdleConnections()
	return e.Exporter.Shutdown(ctx)
}

// An idleSpanExporter closes its client's connections when it is shut down.
type idleSpanExporter struct {
	sdktrace.SpanExporter
	client *http.Client
}

func (e idleSpanExporter) Shutdown(ctx context.Context) error {
	defer e.client.CloseIdleConnections()
	return e.SpanExporter.Shutdown(ctx)
}
