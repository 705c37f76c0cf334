//go:build !race

// The race detector allocates where the program does not, so these gates are for a run without it.

package aihttp_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"runtime"
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

// The metrics of gen_ai record with attributes that are kept.
func TestGenAIMetricsDoNotAllocate(t *testing.T) {
	for name, base := range map[string]canned{
		"unary":  {chatText, "application/json"},
		"stream": {"data: {\"choices\":[]}\n\ndata: " + chatText + "\n\ndata: [DONE]\n\n", "text/event-stream"},
	} {
		allocs := func(on bool) float64 {
			ctx, client := metered(t, base, aihttp.WithGenAIMetrics(on))
			return testing.AllocsPerRun(1000, oneCall(t, ctx, client, chatURL))
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

// oneCall is one request of a client, read to its end.
func oneCall(t testing.TB, ctx context.Context, client *http.Client, url string) func() {
	return func() {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(chatBody))
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

// allocated returns how many allocations and bytes one call of f makes in the whole process, at the
// least of several rounds: the collector empties pools, and net/http starts a timer if an answer is
// very quick.
func allocated(f func(), calls int) (allocs, size float64) {
	allocs, size = math.Inf(1), math.Inf(1)
	for range 5 {
		f()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range calls {
			f()
		}
		runtime.ReadMemStats(&after)
		allocs = min(allocs, float64(after.Mallocs-before.Mallocs)/float64(calls))
		size = min(size, float64(after.TotalAlloc-before.TotalAlloc)/float64(calls))
	}
	return allocs, size
}

// A call costs no more than 8 allocations and 2 KiB beside the same client without a Transport,
// whatever is below it. What it costs with a base that makes no timers is held exactly.
func TestAllocationsOfACall(t *testing.T) {
	local := canned{chatText, "application/json"}
	host := plainServer(t, response("application/json", chatText))
	net := &http.Transport{DisableCompression: true}
	t.Cleanup(net.CloseIdleConnections)
	for _, tt := range []struct {
		name   string
		base   http.RoundTripper
		url    string
		cancel bool
		most   float64
	}{
		{"local", local, chatURL, false, 3}, // a call, what it cost, and an attempt
		{"local, a context that may end", local, chatURL, true, 5},
		{"net/http", net, "http://" + host + "/v1/chat/completions", false, 8},
		{"net/http, a context that may end", net, "http://" + host + "/v1/chat/completions", true, 8},
	} {
		of := func(ctx context.Context, client *http.Client) (float64, float64) {
			if tt.cancel {
				var stop func()
				ctx, stop = context.WithCancel(ctx)
				defer stop()
			}
			return allocated(oneCall(t, ctx, client, tt.url), 300)
		}
		plain, plainSize := of(context.Background(), &http.Client{Transport: tt.base})
		ctx, client := metered(t, tt.base, aihttp.WithHost(host, "openai"))
		allocs, size := of(ctx, client)
		if allocs, size = allocs-plain, size-plainSize; allocs > tt.most+0.5 || size > 2<<10 {
			t.Errorf("%s: %.1f allocations and %.0f bytes more than without", tt.name, allocs, size)
		}
	}
}

// A stream of 10 MB costs no more than 16 allocations and 2 KiB, also if each event tells usage.
func TestAllocationsOfAStream(t *testing.T) {
	for _, s := range longStreams {
		text := streamText(s.each, s.last)
		host := plainServer(t, response("text/event-stream", text))
		base := &http.Transport{DisableCompression: true}
		t.Cleanup(base.CloseIdleConnections)
		r := bufio.NewReader(nil)
		of := func(ctx context.Context, client *http.Client) (float64, float64) {
			return allocated(func() {
				if n := lines(t, ctx, client, "http://"+host+s.path, r); n != len(text) {
					t.Fatalf("%d bytes of %d", n, len(text))
				}
			}, 3)
		}
		plain, plainSize := of(context.Background(), &http.Client{Transport: base})
		ctx, client := metered(t, base, aihttp.WithHost(host, s.provider))
		allocs, size := of(ctx, client)
		if allocs, size = allocs-plain, size-plainSize; allocs > 16 || size > 2<<10 {
			t.Errorf("%s: %.1f allocations and %.0f bytes more than without", s.name, allocs, size)
		}
	}
}

// A request to another host costs nothing.
func TestAllocationsOfAnotherHost(t *testing.T) {
	base := roundTripper(func(*http.Request) (*http.Response, error) { return nil, nil })
	tr := aihttp.NewTransport(base, aihttp.WithPrices(table(t)), aihttp.WithHost("llm.internal", "openai"))
	for _, url := range []string{"https://example.com/x", "http://127.0.0.1:8080/v1/chat/completions", "https://api.openai.com/v1/models"} {
		r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(chatBody))
		if err != nil {
			t.Fatal(err)
		}
		for name, f := range map[string]func(){
			"RoundTrip":  func() { _, _ = tr.RoundTrip(r) },
			"Middleware": func() { _, _ = tr.Middleware(r, base) },
		} {
			if n := testing.AllocsPerRun(100, f); n != 0 {
				t.Errorf("%s of %s: %v allocations", name, url, n)
			}
		}
	}
}

func BenchmarkUnary(b *testing.B) {
	host := plainServer(b, response("application/json", chatText))
	base := &http.Transport{DisableCompression: true}
	b.Cleanup(base.CloseIdleConnections)
	for _, bb := range []struct {
		name string
		make func() (context.Context, *http.Client)
	}{
		{"plain", func() (context.Context, *http.Client) { return context.Background(), &http.Client{Transport: base} }},
		{"metered", func() (context.Context, *http.Client) { return metered(b, base, aihttp.WithHost(host, "openai")) }},
		{"metered without gen_ai", func() (context.Context, *http.Client) {
			return metered(b, base, aihttp.WithHost(host, "openai"), aihttp.WithGenAIMetrics(false))
		}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			ctx, client := bb.make()
			call := oneCall(b, ctx, client, "http://"+host+"/v1/chat/completions")
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
	}
}
