package exporters

import (
	"context"
	"fmt"
	"net"
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
)

// How a receiver that fails is tried again. The SDK's own bounds, 30 seconds
// between tries and 2 minutes between connections, leave the data out long
// after the receiver is back.
const (
	retryFirst   = 500 * time.Millisecond
	retryMax     = 2 * time.Second
	dialTimeout  = 5 * time.Second
	unackTimeout = 10 * time.Second // of bytes that the peer doesn't acknowledge
)

// metricExporter returns an exporter to d. New connects lazily: a receiver
// that is down is no error.
func (d *destination) metricExporter(ctx context.Context) (sdkmetric.Exporter, error) {
	if d.protocol == protocolHTTP {
		client := d.httpClient()
		compression := otlpmetrichttp.NoCompression
		if d.gzip {
			compression = otlpmetrichttp.GzipCompression
		}
		e, err := otlpmetrichttp.New(ctx,
			otlpmetrichttp.WithHeaders(d.headers),
			otlpmetrichttp.WithCompression(compression),
			otlpmetrichttp.WithEndpointURL(d.url.String()),
			otlpmetrichttp.WithTLSClientConfig(nil), // the client has it
			otlpmetrichttp.WithHTTPClient(client),
			otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{
				Enabled: true, InitialInterval: retryFirst, MaxInterval: retryMax, MaxElapsedTime: d.timeout,
			}),
		)
		if err != nil {
			return nil, d.wrap(err)
		}
		return idleMetricExporter{e, client}, nil
	}
	opts := []otlpmetricgrpc.Option{
		otlpmetricgrpc.WithEndpoint(d.target()),
		otlpmetricgrpc.WithHeaders(d.headers),
		otlpmetricgrpc.WithTLSCredentials(d.credentials()),
		otlpmetricgrpc.WithTimeout(d.timeout),
		otlpmetricgrpc.WithDialOption(dialOptions()...),
		otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{
			Enabled: true, InitialInterval: retryFirst, MaxInterval: retryMax, MaxElapsedTime: d.timeout,
		}),
	}
	if d.gzip {
		opts = append(opts, otlpmetricgrpc.WithCompressor("gzip"))
	}
	e, err := otlpmetricgrpc.New(ctx, opts...)
	if err != nil {
		return nil, d.wrap(err)
	}
	return e, nil
}

// spanExporter returns an exporter to d. New connects lazily: a receiver that
// is down is no error.
func (d *destination) spanExporter(ctx context.Context) (sdktrace.SpanExporter, error) {
	if d.protocol == protocolHTTP {
		client := d.httpClient()
		compression := otlptracehttp.NoCompression
		if d.gzip {
			compression = otlptracehttp.GzipCompression
		}
		e, err := otlptracehttp.New(ctx,
			otlptracehttp.WithHeaders(d.headers),
			otlptracehttp.WithCompression(compression),
			otlptracehttp.WithEndpointURL(d.url.String()),
			otlptracehttp.WithTLSClientConfig(nil), // the client has it
			otlptracehttp.WithHTTPClient(client),
			otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
				Enabled: true, InitialInterval: retryFirst, MaxInterval: retryMax, MaxElapsedTime: d.timeout,
			}),
		)
		if err != nil {
			return nil, d.wrap(err)
		}
		return idleSpanExporter{e, client}, nil
	}
	opts := []otlptracegrpc.Option{
		otlptracegrpc.WithEndpoint(d.target()),
		otlptracegrpc.WithHeaders(d.headers),
		otlptracegrpc.WithTLSCredentials(d.credentials()),
		otlptracegrpc.WithTimeout(d.timeout),
		otlptracegrpc.WithDialOption(dialOptions()...),
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{
			Enabled: true, InitialInterval: retryFirst, MaxInterval: retryMax, MaxElapsedTime: d.timeout,
		}),
	}
	if d.gzip {
		opts = append(opts, otlptracegrpc.WithCompressor("gzip"))
	}
	e, err := otlptracegrpc.New(ctx, opts...)
	if err != nil {
		return nil, d.wrap(err)
	}
	return e, nil
}

func (d *destination) wrap(err error) error {
	return fmt.Errorf("exporters: %s over OTLP to %s: %w; they are not pushed", d.signal, d, err)
}

// credentials returns what secures a gRPC connection. It is always given, for
// a certificate in the environment would turn TLS on for an http URL.
func (d *destination) credentials() credentials.TransportCredentials {
	if d.url.Scheme == "https" {
		return credentials.NewTLS(d.tls)
	}
	return insecure.NewCredentials()
}

// dialOptions bound what a lost connection costs: its successor is tried at
// least every other second, and one whose peer is gone without a word is given
// up. The pings of keepalive itself are too rare to be sent: it is there for
// the kernel's timeout that comes with it.
func dialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: retryFirst, Multiplier: 1.6, Jitter: 0.2, MaxDelay: retryMax},
			MinConnectTimeout: dialTimeout,
		}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: time.Minute, Timeout: unackTimeout}),
	}
}

// httpClient returns a client of d's own: the exporters share one per process,
// whose idle connections would outlive Shutdown.
func (d *destination) httpClient() *http.Client {
	return &http.Client{
		Timeout: d.timeout,
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSHandshakeTimeout: dialTimeout,
			TLSClientConfig:     d.tls.Clone(),
			ForceAttemptHTTP2:   true,
			MaxIdleConns:        2,
			IdleConnTimeout:     90 * time.Second,
		},
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
