package aihttp_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// biller is a provider that fails in many ways, and keeps what it bills for each request.
type biller struct {
	mu   sync.Mutex
	bill map[int]money.USD
	left map[int]func() // ends the context of a request
}

func (b *biller) charge(n int, in, out int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bill[n] = money.Sum(money.PerMillion(250*money.Cent).Of(in), money.PerMillion(10*money.Dollar).Of(out))
}

func (b *biller) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	n, _ := strconv.Atoi(r.Header.Get("X-Number"))
	random := rand.New(rand.NewPCG(uint64(n), 7))
	in, out := 1+random.Int64N(int64(len(body))), 1+random.Int64N(100)
	text := fmt.Sprintf(`{"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":%d,"completion_tokens":%d}}`, in, out)
	stream := fmt.Sprintf("data: {\"model\":\"gpt-4o\",\"choices\":[{}]}\n\ndata: %s\n\ndata: [DONE]\n\n", text)
	abort := func() { panic(http.ErrAbortHandler) }
	w.Header().Set("Content-Type", "application/json")
	switch random.IntN(12) {
	default:
		b.charge(n, in, out)
		_, _ = io.WriteString(w, text)
	case 0:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	case 1: // it fails before it has done anything
		w.WriteHeader(http.StatusServiceUnavailable)
	case 2: // or when it is done
		b.charge(n, in, out)
		w.WriteHeader(http.StatusInternalServerError)
	case 3: // or while it answers
		b.charge(n, in, out)
		_, _ = io.WriteString(w, text[:random.IntN(len(text))])
		w.(http.Flusher).Flush()
		abort()
	case 4:
		b.charge(n, in, out)
		_, _ = io.WriteString(w, `{"error":{"message":"overloaded"}}`)
	case 5: // it hangs, until the client gives up
		b.charge(n, in, out)
		b.mu.Lock()
		leave := b.left[n]
		b.mu.Unlock()
		leave()
		<-r.Context().Done()
	case 6: // it resets the connection
		b.charge(n, in, out)
		abort()
	case 7: // a wrong Content-Length
		b.charge(n, in, out)
		w.Header().Set("Content-Length", strconv.Itoa(len(text)+10))
		_, _ = io.WriteString(w, text)
		abort()
	case 8:
		b.charge(n, in, out)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, stream)
	case 9: // a stream that breaks off
		b.charge(n, in, out)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, stream[:random.IntN(len(stream))])
		w.(http.Flusher).Flush()
		abort()
	}
}

type numberKey struct{}

// Whatever a provider does, the counter is its bill less what is shown as unpriced, and the budget
// has lost no less than the bill.
func TestBillOfAProviderThatFails(t *testing.T) {
	b := &biller{bill: make(map[int]money.USD), left: make(map[int]func())}
	var mu sync.Mutex
	counted, unpriced, lost := map[int]money.USD{}, map[int]bool{}, money.USD(0)
	p, rec := instrumenttest.New(t, instrument.WithEvents(instrument.Events{CallEnded: func(ctx context.Context, e instrument.CallEvent) {
		n, _ := ctx.Value(numberKey{}).(int)
		mu.Lock()
		defer mu.Unlock()
		counted[n] = e.Cost
		if unpriced[n] = e.Unpriced != ""; unpriced[n] {
			lost = money.Sum(lost, e.MaxCost)
		}
	}}))
	f := newFake(t, b.ServeHTTP)
	const limit = 1000 * money.Dollar
	ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(limit))
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 250 {
				n := worker*1000 + i
				callCtx, cancel := context.WithCancel(context.WithValue(ctx, numberKey{}, n))
				b.mu.Lock()
				b.left[n] = cancel
				b.mu.Unlock()
				r, _ := http.NewRequestWithContext(callCtx, http.MethodPost, chatURL, strings.NewReader(chatBody))
				r.Header.Set("X-Number", strconv.Itoa(n))
				if resp, err := f.client.Do(r); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
				cancel()
			}
		})
	}
	wg.Wait()
	f.server.Close() // so that no handler runs any more
	bill, shown := money.USD(0), money.USD(0)
	for n, cost := range b.bill {
		bill = money.Sum(bill, cost)
		switch {
		case unpriced[n] && counted[n] <= cost:
			shown = money.Sum(shown, cost, -counted[n])
		case counted[n] != cost:
			t.Errorf("request %d: %v counted, %v billed", n, counted[n], cost)
		}
	}
	if len(counted) != 2000 || len(b.bill) < 1000 {
		t.Fatalf("%d calls ended, %d were billed", len(counted), len(b.bill))
	}
	if got := cost(rec); got != money.Sum(bill, -shown) {
		t.Errorf("%v counted, want the bill of %v less %v that is shown as unpriced", got, bill, shown)
	}
	left, _ := job.BudgetRemaining()
	if booked := money.Sum(limit, -left); booked < bill || booked > money.Sum(bill, lost) {
		t.Errorf("%v booked, want at least the bill of %v, and at most %v more", booked, bill, lost)
	}
	// The bill is no more than what is booked, and that is no more than the bill and what is unconfirmed.
	state := *p.Snapshot(instrument.Query{}).Live[0].Budget
	if confirmed := money.Sum(state.Spent, -state.Unconfirmed); confirmed != cost(rec) || state.Spent < bill || confirmed > bill {
		t.Errorf("the ledger has %+v, want %v confirmed, of a bill of %v", state, cost(rec), bill)
	}
	job.End(nil)
}
