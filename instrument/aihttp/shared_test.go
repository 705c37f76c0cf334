package aihttp_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// lateReader is a provider below the Transport that keeps what it was given, as a client's goroutines
// may: it reads the rest of the request's body, and asks for another one, when all is over.
type lateReader struct {
	late sync.WaitGroup
	over chan struct{}
}

// lateScript is a request of lateReader: what the answer says, and how much of the request is read
// before it.
type lateScript struct {
	kind, text string
	sent       int
}

type lateKey struct{}

func (l *lateReader) RoundTrip(r *http.Request) (*http.Response, error) {
	s := r.Context().Value(lateKey{}).(lateScript)
	if _, err := io.ReadFull(r.Body, make([]byte, s.sent)); err != nil {
		return nil, err
	}
	l.late.Go(func() {
		<-l.over
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
		if r.GetBody != nil {
			if again, err := r.GetBody(); err == nil {
				_, _ = io.Copy(io.Discard, again)
			}
		}
		_ = r.Context().Err()
	})
	return &http.Response{
		StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1, Request: r,
		Header: http.Header{"Content-Type": {s.kind}}, Body: io.NopCloser(strings.NewReader(s.text)),
	}, nil
}

// What one attempt has learned is never another's, whoever still holds its request, its context or
// its body: many calls at the same time, each with a price of its own, that end in every way and are
// read, closed and canceled when they are over, cost exactly the sum.
func TestExchangesAreNotMixedUp(t *testing.T) {
	const models, workers, each = 7, 8, 150
	var rows []string
	for m := range models {
		rows = append(rows, fmt.Sprintf(`{"provider":"anthropic","model":"m%d","per_1M":{"input":"%d"}}`, m, m+1))
	}
	table, err := price.Parse([]byte(`{"rows":[` + strings.Join(rows, ",") + `]}`))
	if err != nil {
		t.Fatal(err)
	}
	p, rec := instrumenttest.New(t)
	base := &lateReader{over: make(chan struct{})}
	client := &http.Client{Transport: aihttp.NewTransport(base, aihttp.WithPrices(table))}
	var mu sync.Mutex
	var want money.USD
	var cut float64
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			ctx, random := instrument.ContextWithPipeline(context.Background(), p), rand.New(rand.NewPCG(uint64(worker), 1))
			for range each {
				price, unknown := oneOfMany(t, ctx, client, random, models)
				mu.Lock()
				want = money.Sum(want, price)
				cut += unknown
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	check := func(when string) {
		t.Helper()
		if got := cost(rec); got != want {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
		if got := rec.Counter(vp("api_unpriced_total"), attribute.String("reason", "cut_off")); got != cut {
			t.Errorf("%s: %v calls cut off, want %v: %v", when, got, cut, rec.Snapshot())
		}
		if got := rec.Counter(vp("api_calls_total")); got != workers*each {
			t.Errorf("%s: %v calls", when, got)
		}
		if got, _ := rec.Gauge(vp("api_calls_in_progress")); got != 0 {
			t.Errorf("%s: %v calls in progress", when, got)
		}
	}
	check("at the end")
	close(base.over)
	base.late.Wait()
	check("after the last read")
}

// oneOfMany makes one call, and returns what it costs, and 1 if a part of that is not known.
func oneOfMany(t *testing.T, ctx context.Context, client *http.Client, random *rand.Rand, models int) (exact money.USD, unknown float64) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	model, in := random.IntN(models), 1+random.Int64N(1_000_000)
	exact = money.PerMillion(money.Mul(money.Dollar, int64(model+1))).Of(in)
	asks, late := fmt.Sprintf(`{"model":"m%d","max_tokens":1}`, model), fmt.Sprintf(` {"model":"m%d"}`, (model+1)%models)
	named := ""
	if random.IntN(2) == 0 {
		named = fmt.Sprintf(`"model":"m%d",`, model)
	}
	about := fmt.Sprintf(`{%s"usage":{"input_tokens":%d,"output_tokens":0}}`, named, in)
	first, stream := about, random.IntN(2) == 0
	s := lateScript{"application/json", first, len(asks)}
	if stream {
		first = "data: {\"type\":\"message_start\",\"message\":" + about + "}\n\n"
		s.kind, s.text = "text/event-stream", first+strings.Repeat("data: {\"type\":\"ping\"}\n\n", 1+random.IntN(400))
	}
	var body io.Reader = struct{ io.Reader }{strings.NewReader(asks + late)}
	if random.IntN(2) == 0 { // it is in memory, and read before it is sent
		body = strings.NewReader(asks)
	}
	r, err := http.NewRequestWithContext(context.WithValue(ctx, lateKey{}, s), http.MethodPost, "https://api.anthropic.com/v1/messages", body)
	if err != nil {
		t.Error(err)
		return 0, 0
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Error(err)
		return 0, 0
	}
	switch random.IntN(4) {
	case 0: // not read at all
		exact, unknown = 0, 1
	case 1: // the begin, which tells the usage; and then canceled and closed at the same time
		_, _ = io.ReadFull(resp.Body, make([]byte, len(first)))
		if stream {
			unknown = 1
		}
		gone := make(chan struct{})
		go func() { defer close(gone); cancel() }()
		_ = resp.Body.Close()
		<-gone
	case 2: // the same, and then closed just before the end of the context has done it
		_, _ = io.ReadFull(resp.Body, make([]byte, len(first)))
		cancel()
		if stream {
			unknown = 1
		}
	default:
		_, _ = io.Copy(io.Discard, resp.Body)
	}
	_ = resp.Body.Close() // all of it again
	cancel()
	_, _ = resp.Body.Read(make([]byte, 100))
	return exact, unknown
}
