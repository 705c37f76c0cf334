package aihttp

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
)

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A bug in what this package does for a provider costs a price, and never the call.
func TestABugOfOursIsContained(t *testing.T) {
	before := otel.GetErrorHandler()
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
	t.Cleanup(func() { otel.SetErrorHandler(before) })
	tree := wire.NewTree("usage")
	bug := func(*exchange) { panic("a bug") }
	for name, of := range map[string]func(*http.Request) *endpoint{
		"to find the endpoint": func(*http.Request) *endpoint { panic("a bug") },
		"to read the request":  func(*http.Request) *endpoint { return &endpoint{provider: "p", request: tree, asked: bug} },
		"to read the head": func(*http.Request) *endpoint {
			return &endpoint{provider: "p", head: func(x *exchange, _ http.Header) { bug(x) }}
		},
		"to read the answer": func(*http.Request) *endpoint {
			return &endpoint{provider: "p", answer: tree, read: func(x *exchange, _ *wire.JSON) { bug(x) }}
		},
	} {
		t.Run(name, func(t *testing.T) {
			base := tripper(func(r *http.Request) (*http.Response, error) {
				_, _ = io.Copy(io.Discard, r.Body)
				return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(`{"usage":1}`)), Request: r}, nil
			})
			transport := NewTransport(base)
			transport.addHost("p.internal", &provider{name: "p", endpoint: of})
			p, rec := instrumenttest.New(t, instrument.WithUnpricedPolicy(instrument.AllowUnpriced()))
			ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(money.Dollar))
			r, _ := http.NewRequestWithContext(ctx, http.MethodPost, "https://p.internal/", strings.NewReader(`{}`))
			resp, err := transport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if string(text) != `{"usage":1}` || err != nil {
				t.Errorf("%q, %v", text, err)
			}
			if n, _ := rec.Gauge("video_processing_api_calls_in_progress"); n != 0 {
				t.Errorf("%v calls in progress", n)
			}
			job.End(nil)
		})
	}
}

// A RoundTripper below that breaks its contract is not hidden, and leaves no call behind.
func TestARoundTripperThatDoesNotReturn(t *testing.T) {
	for name, broken := range map[string]tripper{
		"panics":              func(*http.Request) (*http.Response, error) { panic("mine") },
		"ends its goroutine":  func(*http.Request) (*http.Response, error) { runtime.Goexit(); return nil, nil },
		"returns no response": func(*http.Request) (*http.Response, error) { return nil, nil },
	} {
		t.Run(name, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			r, _ := http.NewRequestWithContext(instrument.ContextWithPipeline(t.Context(), p), http.MethodPost, "https://api.openai.com/v1/chat/completions", strings.NewReader(`{}`))
			over := make(chan any)
			go func() {
				defer close(over)
				defer func() {
					if v := recover(); v != nil {
						over <- v
					}
				}()
				_, _ = NewTransport(broken).RoundTrip(r)
			}()
			if v := <-over; (v == "mine") != (name == "panics") {
				t.Errorf("panicked with %v", v)
			}
			if n, _ := rec.Gauge("video_processing_api_calls_in_progress"); n != 0 {
				t.Errorf("%v calls in progress", n)
			}
			if n := rec.Counter("video_processing_api_calls_total", attribute.String("api", "openai")); n != 1 {
				t.Errorf("%v calls, want 1", n)
			}
		})
	}
}
