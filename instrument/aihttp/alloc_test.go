//go:build !race

// The race detector allocates where the program does not, so these gates are for a run without it.

package aihttp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
)

// canned answers every request with the same text, and allocates as little as it can.
type canned struct{ text, kind string }

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	_ = r.Body.Close()
	return &http.Response{
		StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(c.text)), Request: r,
		Header: http.Header{"Content-Type": {c.kind}}, Body: io.NopCloser(strings.NewReader(c.text)),
	}, nil
}

// metered is a client over a pipeline with the SDK's meters and no tracer, as a program without tracing has it.
func metered(t testing.TB, base http.RoundTripper, opts ...aihttp.Option) (context.Context, *http.Client) {
	t.Helper()
	meters := metric.NewMeterProvider(metric.WithReader(metric.NewManualReader()))
	p, err := instrument.New(instrument.WithMeterProvider(meters), instrument.WithTracerProvider(noop.NewTracerProvider()))
	if err != nil {
		t.Fatal(err)
	}
	opts = append([]aihttp.Option{aihttp.WithPrices(table(t))}, opts...)
	return instrument.ContextWithPipeline(context.Background(), p), &http.Client{Transport: aihttp.NewTransport(base, opts...)}
}

func unary(t testing.TB, ctx context.Context, client *http.Client) func() {
	return func() {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, chatURL, strings.NewReader(chatBody))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}

// The metrics of gen_ai record with attributes that are kept.
func TestGenAIMetricsDoNotAllocate(t *testing.T) {
	for name, base := range map[string]canned{
		"unary":  {chatText, "application/json"},
		"stream": {"data: {\"choices\":[]}\n\ndata: " + chatText + "\n\ndata: [DONE]\n\n", "text/event-stream"},
	} {
		allocs := func(on bool) float64 {
			ctx, client := metered(t, base, aihttp.WithGenAIMetrics(on))
			return testing.AllocsPerRun(1000, unary(t, ctx, client))
		}
		if with, without := allocs(true), allocs(false); with > without {
			t.Errorf("%s: %v allocations, and %v without the metrics of gen_ai", name, with, without)
		}
	}
}

// plainServer answers each request on its connections with the same bytes, and allocates nothing
// meanwhile. A request is one of chatBody.
func plainServer(t testing.TB, answer []byte) (host string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				p := make([]byte, 4096)
				for n := 0; ; {
					k, err := c.Read(p[n:])
					if err != nil {
						return
					}
					if n += k; bytes.HasSuffix(p[:n], []byte(chatBody)) {
						n = 0
						if _, err := c.Write(answer); err != nil {
							return
						}
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// response is the text of a response.
func response(kind, text string) []byte {
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", kind, len(text), text)
}

func BenchmarkReal(b *testing.B) {
	host := plainServer(b, response("application/json", chatText))
	base := &http.Transport{DisableCompression: true}
	for _, cancel := range []bool{false, true} {
		for _, bb := range []struct {
			name string
			make func() (context.Context, *http.Client)
		}{
			{"plain", func() (context.Context, *http.Client) { return context.Background(), &http.Client{Transport: base} }},
			{"metered", func() (context.Context, *http.Client) { return metered(b, base, aihttp.WithHost(host, "openai")) }},
		} {
			b.Run(fmt.Sprint(bb.name, cancel), func(b *testing.B) {
				ctx, client := bb.make()
				if cancel {
					var stop func()
					ctx, stop = context.WithCancel(ctx)
					defer stop()
				}
				b.ReportAllocs()
				for b.Loop() {
					r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+host+"/v1/chat/completions", strings.NewReader(chatBody))
					if err != nil {
						b.Fatal(err)
					}
					resp, err := client.Do(r)
					if err != nil {
						b.Fatal(err)
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			})
		}
	}
}

func BenchmarkUnary(b *testing.B) {
	base := canned{chatText, "application/json"}
	for _, bb := range []struct {
		name string
		make func() (context.Context, *http.Client)
	}{
		{"plain", func() (context.Context, *http.Client) { return context.Background(), &http.Client{Transport: base} }},
		{"metered", func() (context.Context, *http.Client) { return metered(b, base) }},
		{"metered without gen_ai", func() (context.Context, *http.Client) { return metered(b, base, aihttp.WithGenAIMetrics(false)) }},
	} {
		b.Run(bb.name, func(b *testing.B) {
			ctx, client := bb.make()
			call := unary(b, ctx, client)
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
	}
}
