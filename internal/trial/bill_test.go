package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
)

const price = 7 * money.Cent

// A provider is a paid API that keeps its own bill: it charges every request that it works on, whatever
// becomes of the answer, and none that it refuses.
type provider struct {
	charged atomic.Int64
	hang    chan struct{} // receives when a request hangs
}

func (s *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	how := r.URL.Query().Get("how")
	code, _ := strconv.Atoi(how)
	if code < 400 || code >= 500 || code == 408 || code == 499 {
		s.charged.Add(1)
	}
	switch how {
	case "hang":
		s.hang <- struct{}{}
		<-r.Context().Done()
	case "close":
		panic(http.ErrAbortHandler)
	case "cut": // an answer that ends too early
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
	default:
		w.WriteHeader(code)
	}
}

// What a client books is what the provider charges, whatever happens on the way.
func TestBooksAreTheProvidersBill(t *testing.T) {
	s := &provider{hang: make(chan struct{})}
	server := httptest.NewServer(s)
	defer server.Close()
	refusing := httptest.NewServer(nil)
	closed := refusing.URL
	refusing.Close()
	lost := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Name: "nowhere", IsNotFound: true}}
	}}}

	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(1000*instrument.Dollar))
	rnd := rand.New(rand.NewPCG(1, 2))
	ways := []string{"200", "200", "201", "400", "404", "408", "422", "429", "499", "500", "503", "hang", "close", "cut", "before", "dial", "dns", "cancel wait"}
	calls := 0
	for range 300 {
		how := ways[rnd.IntN(len(ways))]
		in, cancel := context.WithCancel(ctx)
		target, client := server.URL, server.Client()
		switch how {
		case "before", "cancel wait":
			cancel()
		case "dial":
			target = closed
		case "dns":
			client = lost
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = instrument.RunCall(in, "provider", func(ctx context.Context) error { return request(ctx, client, target, how) },
				instrument.WithMaxCost(price), instrument.WithMinCost(price))
		}()
		if how == "hang" {
			<-s.hang
			cancel()
		}
		<-done
		cancel()
		calls++
	}
	bill := money.Mul(price, s.charged.Load())
	if s.charged.Load() < 50 {
		t.Errorf("the provider has charged only %d requests", s.charged.Load())
	}
	if job.Cost() != bill {
		t.Errorf("the job has cost %s, the provider's bill is %s", job.Cost(), bill)
	}
	if left, _ := job.BudgetRemaining(); money.Sum(left, bill) != 1000*instrument.Dollar {
		t.Errorf("%s remain of $1000, the provider's bill is %s", left, bill)
	}
	if got := rec.Counter("video_processing_cost_usd_total", attribute.String("api", "provider")); instrument.Dollars(got) != bill {
		t.Errorf("cost_usd_total is %v, the provider's bill is %s", got, bill)
	}
	if got := rec.Counter("video_processing_api_calls_total"); got != float64(calls) {
		t.Errorf("%v calls, want %d", got, calls)
	}
	job.End(nil)
}

func request(ctx context.Context, client *http.Client, target, how string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target+"?how="+how, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.ReadAll(answer.Body); err != nil {
		return fmt.Errorf("the answer: %w", err)
	}
	if answer.StatusCode >= 300 {
		return errors.Join(status(answer.StatusCode))
	}
	return nil
}
