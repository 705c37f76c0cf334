package instrument_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// statusError is what an API's client makes of an answer that is no success.
func statusError(resp *http.Response) error {
	if resp.StatusCode < 300 {
		_, err := io.Copy(io.Discard, resp.Body)
		return err
	}
	return &statusField{resp.StatusCode}
}

// send makes a POST, and returns what went wrong, a status included.
func send(ctx context.Context, client *http.Client, to string, body io.Reader) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, body)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return statusError(resp)
}

func post(ctx context.Context, client *http.Client, to string) error {
	return send(ctx, client, to, strings.NewReader("{}"))
}

// remote is an API that answers its paths with their number as the status, and some in other ways.
type remote struct {
	*httptest.Server
	client   *http.Client
	requests atomic.Int64
	arrived  chan struct{} // a request to /wait
}

func newRemote(t *testing.T, start func(*httptest.Server)) *remote {
	r := &remote{arrived: make(chan struct{}, 10)}
	var lost atomic.Bool
	r.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.requests.Add(1)
		switch req.URL.Path {
		case "/wait":
			r.arrived <- struct{}{}
			_, _ = io.Copy(io.Discard, req.Body)
			<-req.Context().Done()
		case "/cut": // in the middle of the answer
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("half"))
			panic(http.ErrAbortHandler)
		case "/lose":
			panic(http.ErrAbortHandler)
		case "/lose-then-429":
			if lost.CompareAndSwap(false, true) {
				panic(http.ErrAbortHandler)
			}
			w.WriteHeader(429)
		case "/redirect":
			http.Redirect(w, req, "/429", http.StatusTemporaryRedirect)
		default:
			status := 200
			_, _ = fmt.Sscanf(req.URL.Path, "/%d", &status)
			w.WriteHeader(status)
		}
	}))
	r.Config.ErrorLog = log.New(io.Discard, "", 0)
	start(r.Server)
	r.client = r.Client()
	t.Cleanup(func() {
		r.client.CloseIdleConnections()
		r.Close()
	})
	return r
}

func plainHTTP(s *httptest.Server) { s.Start() }
func http2(s *httptest.Server)     { s.EnableHTTP2 = true; s.StartTLS() }

func at(path string) func(*testing.T, context.Context, *remote) error {
	return func(_ *testing.T, ctx context.Context, r *remote) error { return post(ctx, r.client, r.URL+path) }
}

func cancelAtWork(_ *testing.T, ctx context.Context, r *remote) error {
	ctx, cancel := context.WithCancel(ctx)
	go func() { <-r.arrived; cancel() }()
	return post(ctx, r.client, r.URL+"/wait")
}

func wantsCertificate(version uint16) func(*httptest.Server) {
	return func(s *httptest.Server) {
		s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MinVersion: version, MaxVersion: version}
		s.StartTLS()
	}
}

// closedServer is the URL of a port that nothing listens at.
func closedServer(t *testing.T) string {
	s := httptest.NewServer(nil)
	s.Close()
	return s.URL
}

func proxyAt(to string) func(*http.Request) (*url.URL, error) {
	return func(*http.Request) (*url.URL, error) { return url.Parse(to) }
}

func freshClient(t *testing.T, proxy func(*http.Request) (*url.URL, error)) *http.Client {
	transport := &http.Transport{Proxy: proxy}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}
