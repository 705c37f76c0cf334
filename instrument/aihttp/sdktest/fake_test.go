package sdktest

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/aihttp"
)

// fake is a server to which every host name leads, over TLS and HTTP/2 as to a vendor.
type fake struct {
	server    *httptest.Server
	transport *http.Transport
	seen      atomic.Int32 // requests that came
	tried     atomic.Int32 // requests that a client made of the transport or the middleware
}

func newFake(t testing.TB, h http.HandlerFunc) *fake {
	t.Helper()
	f := new(fake)
	f.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.seen.Add(1)
		w.Header()["Date"] = nil // so that the answers to two requests are the same
		h(w, r)
	}))
	f.server.EnableHTTP2 = true
	f.server.StartTLS()
	t.Cleanup(f.server.Close)
	trusted := f.server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	f.transport = &http.Transport{
		Proxy: nil, ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{RootCAs: trusted, ServerName: "example.com"},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, f.server.Listener.Addr().String())
		},
	}
	t.Cleanup(f.transport.CloseIdleConnections)
	return f
}

// base sends a request to the server, whatever its host and scheme.
func (f *fake) base(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "http" {
		r = r.Clone(r.Context())
		r.URL.Scheme = "https"
	}
	return f.transport.RoundTrip(r)
}

// plain returns a client that is not metered.
func (f *fake) plain() *http.Client { return &http.Client{Transport: roundTripper(f.base)} }

// client returns a client that is metered, and counts its attempts.
func (f *fake) client(opts ...aihttp.Option) *http.Client {
	metered := aihttp.NewTransport(roundTripper(f.base), opts...)
	return &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		f.tried.Add(1)
		return metered.RoundTrip(r)
	})}
}

type middleware = func(*http.Request, func(*http.Request) (*http.Response, error)) (*http.Response, error)

// middleware returns a middleware that meters, and counts its attempts.
func (f *fake) middleware(opts ...aihttp.Option) middleware {
	metered := aihttp.NewTransport(nil, opts...)
	return func(r *http.Request, next func(*http.Request) (*http.Response, error)) (*http.Response, error) {
		f.tried.Add(1)
		return metered.Middleware(r, next)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// says answers with a text.
func says(status int, kind, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// inTurn answers the first request with the first handler, and so on; the last one again.
func inTurn(handlers ...http.HandlerFunc) http.HandlerFunc {
	var n atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		handlers[min(int(n.Add(1)), len(handlers))-1](w, r)
	}
}
