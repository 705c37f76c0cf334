package instrument_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// A call books nothing if its request never left this machine or was refused unprocessed, whatever
// its error looks like.
func TestCostOfAnHTTPCallThatFails(t *testing.T) {
	const floor = 2 * cent
	for _, tt := range []struct {
		reason string
		start  func(*httptest.Server)
		call   func(t *testing.T, ctx context.Context, r *remote) error
		want   instrument.USD
	}{
		{"its context was canceled before the request", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return post(ctx, r.client, r.URL)
		}, 0},
		{"canceled because another request was answered by 503", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			ctx, cancel := context.WithCancelCause(ctx)
			cancel(&statusField{503})
			return post(ctx, r.client, r.URL)
		}, 0},
		{"canceled while it waited for a connection", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			r.client.Transport.(*http.Transport).MaxConnsPerHost = 1
			other, stop := context.WithCancel(context.Background())
			defer stop()
			go func() { _ = post(other, r.client, r.URL+"/wait") }()
			<-r.arrived
			ctx, cancel := context.WithCancel(ctx)
			ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GetConn: func(string) { cancel() }})
			return post(ctx, r.client, r.URL)
		}, 0},
		{"connection refused", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			return post(ctx, r.client, closedServer(t))
		}, 0},
		{"a certificate of an unknown authority", http2, func(t *testing.T, ctx context.Context, r *remote) error {
			return post(ctx, freshClient(t, nil), r.URL)
		}, 0},
		{"a certificate for another name", http2, func(t *testing.T, ctx context.Context, r *remote) error {
			r.client.Transport.(*http.Transport).TLSClientConfig.ServerName = "elsewhere.test"
			return post(ctx, r.client, r.URL)
		}, 0},
		{"no certificate of its own, TLS 1.3", wantsCertificate(tls.VersionTLS13), func(t *testing.T, ctx context.Context, r *remote) error {
			return post(ctx, r.client, r.URL)
		}, 0},
		{"no certificate of its own, TLS 1.2", wantsCertificate(tls.VersionTLS12), func(t *testing.T, ctx context.Context, r *remote) error {
			return post(ctx, r.client, r.URL)
		}, 0},
		{"TLS to a server without it", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			return post(ctx, r.client, strings.Replace(r.URL, "http:", "https:", 1))
		}, 0},
		{"no proxy there", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			return post(ctx, freshClient(t, proxyAt(closedServer(t))), r.URL)
		}, 0},
		{"a proxy that refuses the tunnel", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			return post(ctx, freshClient(t, proxyAt(r.URL)), "https://api.test/") // CONNECT is answered by 200, then speaks no TLS
		}, 0},
		{"a scheme that there is not", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			return post(ctx, r.client, "gopher"+strings.TrimPrefix(r.URL, "http"))
		}, 0},
		{"a URL that is none", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			return post(ctx, r.client, "http://[::1")
		}, 0},
		{"a file that is not there", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			f, err := os.Open(t.TempDir() + "/none.wav")
			if err != nil {
				return err
			}
			return send(ctx, r.client, r.URL, f)
		}, 0},
		{"a file that cannot be read, before anything was sent", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			body, err := os.ReadFile(t.TempDir()) // a folder
			if err != nil {
				return err
			}
			return send(ctx, r.client, r.URL, strings.NewReader(string(body)))
		}, 0},
		{"a file that fails in the middle", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			return send(ctx, r.client, r.URL+"/wait", io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), iotest.ErrReader(os.ErrInvalid)))
		}, floor},
		{"a file that fails in the middle, HTTP/2", http2, func(t *testing.T, ctx context.Context, r *remote) error {
			return send(ctx, r.client, r.URL+"/wait", io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)), iotest.ErrReader(os.ErrInvalid)))
		}, floor},
		{"canceled while it was at work", plainHTTP, cancelAtWork, floor},
		{"canceled while it was at work, HTTP/2", http2, cancelAtWork, floor},
		{"no answer", plainHTTP, at("/lose"), floor},
		{"half an answer", plainHTTP, at("/cut"), floor},
		{"half an answer, HTTP/2", http2, at("/cut"), floor},
		{"a full disk after the answer", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			if err := post(ctx, r.client, r.URL); err != nil {
				return err
			}
			_, err := os.Open(t.TempDir() + "/none")
			return err
		}, floor},
		{"400", plainHTTP, at("/400"), 0},
		{"429, HTTP/2", http2, at("/429"), 0},
		{"408", plainHTTP, at("/408"), floor},
		{"499", plainHTTP, at("/499"), floor},
		{"500", plainHTTP, at("/500"), floor},
		{"503, HTTP/2", http2, at("/503"), floor},
		{"429 after a redirect", plainHTTP, at("/redirect"), 0},
		{"429 twice", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			_ = post(ctx, r.client, r.URL+"/429")
			return post(ctx, r.client, r.URL+"/429")
		}, 0},
		{"429 after one that was never answered", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			_ = post(ctx, r.client, r.URL+"/lose-then-429")
			return post(ctx, r.client, r.URL+"/lose-then-429")
		}, floor},
		{"no connection after one that was never answered", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			_ = post(ctx, r.client, r.URL+"/lose")
			return post(ctx, r.client, closedServer(t))
		}, floor},
		{"429 before the body was sent", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			r.client.Transport.(*http.Transport).ExpectContinueTimeout = time.Minute // else the body is sent at once
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL+"/429", strings.NewReader(strings.Repeat("x", 1<<20)))
			if err != nil {
				return err
			}
			req.Header.Set("Expect", "100-continue")
			resp, err := r.client.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			return statusError(resp)
		}, 0},
		{"a request of a stage in the call", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			return instrument.RunStage(ctx, "upload", func(ctx context.Context) error {
				_ = post(ctx, r.client, r.URL)
				return context.Canceled
			})
		}, floor},
		{"a request of a call in the call", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			return instrument.RunCall(ctx, "gpt", func(ctx context.Context) error {
				_ = post(ctx, r.client, r.URL)
				return &net.OpError{Op: "dial", Err: io.EOF}
			}, instrument.Free())
		}, floor},
		{"a panic before the request", plainHTTP, func(t *testing.T, ctx context.Context, r *remote) error {
			_ = post(ctx, r.client, closedServer(t))
			panic("no answer")
		}, 0},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			r := newRemote(t, tt.start)
			p, rec := instrumenttest.New(t, instrument.WithRecover())
			ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
			err := instrument.RunCall(ctx, "api", func(ctx context.Context) error { return tt.call(t, ctx, r) },
				instrument.WithMaxCost(floor), instrument.WithMinCost(floor))
			if err == nil {
				t.Fatal("no error")
			}
			left, _ := job.BudgetRemaining()
			if got := job.Cost(); got != tt.want || left != dollar-tt.want {
				t.Errorf("%v: booked %s and %s left, want %s booked (the server saw %d requests)", err, got, left, tt.want, r.requests.Load())
			}
			if got := rec.Counter(vp("api_unpriced_total")); got != 0 {
				t.Errorf("%v unpriced calls", got)
			}
			job.End(nil)
		})
	}
}

// One of many calls fails, their context is canceled, and the others start all the same.
func TestCallsWhoseContextWasOverBookNothing(t *testing.T) {
	broken := errors.New("the client gave up")
	for _, tt := range []struct {
		reason string
		over   func(context.Context) (context.Context, context.CancelFunc)
		call   func(ctx context.Context, r *remote) error
		want   instrument.USD
	}{
		{"canceled", canceledNow, func(ctx context.Context, r *remote) error { return post(ctx, r.client, r.URL) }, 0},
		{"its deadline has passed", expiredNow, func(ctx context.Context, r *remote) error { return post(ctx, r.client, r.URL) }, 0},
		{"the client does not say why", canceledNow, func(context.Context, *remote) error { return broken }, 0},
		{"the client does not use HTTP", canceledNow, func(ctx context.Context, _ *remote) error { return ctx.Err() }, 0},
		{"canceled by the failure of another", canceledByA503, func(ctx context.Context, _ *remote) error { return context.Cause(ctx) }, 0},
		{"it was sent all the same", canceledNow, func(ctx context.Context, r *remote) error {
			return post(context.WithoutCancel(ctx), r.client, r.URL+"/503")
		}, 2 * cent},
		{"it was answered all the same", canceledNow, func(context.Context, *remote) error { return &statusField{503} }, 2 * cent},
		{"it was cut off all the same", canceledNow, func(context.Context, *remote) error { return io.ErrUnexpectedEOF }, 2 * cent},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			r := newRemote(t, plainHTTP)
			p, _ := instrumenttest.New(t)
			ctx, job := p.StartJob(t.Context(), "fan", instrument.WithBudget(dollar))
			over, cancel := tt.over(ctx)
			defer cancel()
			const calls = 30
			for range calls {
				if err := instrument.RunCall(over, "api", func(ctx context.Context) error { return tt.call(ctx, r) },
					instrument.WithMaxCost(2*cent), instrument.WithMinCost(2*cent)); err == nil {
					t.Fatal("no error")
				}
			}
			left, _ := job.BudgetRemaining()
			if want := money.Mul(tt.want, calls); job.Cost() != want || left != dollar-want {
				t.Errorf("booked %s for %d requests and %s left, want %s booked", job.Cost(), r.requests.Load(), left, want)
			}
			job.End(nil)
		})
	}
}

func canceledNow(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx, cancel
}

func expiredNow(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, -1)
}

func canceledByA503(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	cancel(&statusField{503})
	return ctx, func() { cancel(nil) }
}

// What is known of a request when the client is canceled: one that got a connection may have sent
// it and not told yet.
func TestCanceledByHowFarTheRequestCame(t *testing.T) {
	for _, tt := range []struct {
		came string
		tell func(*httptrace.ClientTrace)
		want instrument.USD
	}{
		{"no connection was looked for", func(*httptrace.ClientTrace) {}, 0},
		{"no connection was got", func(c *httptrace.ClientTrace) { c.GetConn("") }, 0},
		{"a connection was got", func(c *httptrace.ClientTrace) { c.GetConn(""); c.GotConn(httptrace.GotConnInfo{}) }, cent},
		{"it was written", func(c *httptrace.ClientTrace) { c.GetConn(""); c.GotConn(httptrace.GotConnInfo{}); c.WroteHeaders() }, cent},
	} {
		client := &http.Client{Transport: transportFunc(func(req *http.Request) (*http.Response, error) {
			tt.tell(httptrace.ContextClientTrace(req.Context()))
			return nil, context.Canceled
		})}
		p, _ := instrumenttest.New(t)
		ctx, job := p.StartJob(t.Context(), "job-1")
		_ = instrument.RunCall(ctx, "api", func(ctx context.Context) error { return post(ctx, client, "http://api.test/") },
			instrument.WithMinCost(cent))
		if job.Cost() != tt.want {
			t.Errorf("%s: booked %s, want %s", tt.came, job.Cost(), tt.want)
		}
		job.End(nil)
	}
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// The call's trace keeps none from a program's own, around the call and in it.
func TestTraceOfACallIsComposed(t *testing.T) {
	r := newRemote(t, plainHTTP)
	p, _ := instrumenttest.New(t)
	var around, within atomic.Int64 // the client writes in a goroutine of its own
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteHeaders: func() { around.Add(1) }})
	ctx, job := p.StartJob(ctx, "job-1")
	_ = instrument.RunCall(ctx, "api", func(ctx context.Context) error {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { within.Add(1) }})
		_ = post(ctx, r.client, r.URL)
		return context.Canceled
	}, instrument.WithMinCost(cent))
	if around.Load() != 1 || within.Load() != 1 || job.Cost() != cent {
		t.Errorf("the program's traces saw %d and %d requests, want 1 and 1; cost %s, want $0.01",
			around.Load(), within.Load(), job.Cost())
	}
	job.End(nil)
}

// noKeyVariable names the variable that makes this program forget the key of package httptrace.
const noKeyVariable = "STAGEMETER_TEST_NO_CLIENT_TRACE_KEY"

// A Go version whose httptrace looks for its trace in another way changes nothing but the cost.
func TestTraceOfACallWithoutTheKey(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^(TestCostOfAnHTTPCallThatFails|TestCallsWhoseContextWasOverBookNothing|TestTraceOfACallIsComposed)$", "-test.v")
	cmd.Env = append(os.Environ(), noKeyVariable+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: TestTraceOfACallIsComposed") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestKeyOfClientTraceIsFound(t *testing.T) {
	key := instrument.ClientTraceKey()
	want := new(httptrace.ClientTrace)
	if got := httptrace.ContextClientTrace(context.WithValue(t.Context(), key, want)); key == nil || got != want {
		t.Errorf("key %v: package httptrace finds %v with it", key, got)
	}
}
