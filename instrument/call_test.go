package instrument_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"io/fs"
	"net"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// dialError is what a real connection that is refused gives.
func dialError(t *testing.T) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	_, err = net.Dial("tcp", addr)
	if err == nil {
		t.Fatal("a closed port took the connection")
	}
	return err
}

// spanCost is the cost on a span, or -1 if it has none.
func spanCost(span tracetest.SpanStub) instrument.USD {
	for _, a := range span.Attributes {
		if a.Key == attribute.Key("video.processing.cost_usd") {
			return instrument.Dollars(a.Value.AsFloat64())
		}
	}
	return -1
}

// What a call has cost that did not succeed: providers bill what they processed, also when nobody waits for it any
// more, and do not bill what they rejected or never saw.
func TestCostOfAFailedCall(t *testing.T) {
	const estimate, floor = 30 * cent, 10 * cent
	fails := func(err error) func(*instrument.Call) error { return func(*instrument.Call) error { return err } }
	for _, tt := range []struct {
		reason string
		call   func(*instrument.Call) error
		want   instrument.USD // -1: nothing is booked, and no cost is on the span
	}{
		{"shut out by a handshake", fails(fmt.Errorf("dial: %w", x509.UnknownAuthorityError{})), -1},
		{"no such file", fails(&fs.PathError{Op: "open", Path: "talk.wav", Err: fs.ErrNotExist}), -1},
		{"the answer could not be written to a file", fails(&fs.PathError{Op: "write", Path: "talk.txt", Err: syscall.ENOSPC}), floor},
		{"it succeeded", fails(nil), estimate},
		{"canceled: it may be at work", fails(context.Canceled), floor},
		{"timed out: it may be at work", fails(fmt.Errorf("transcribe: %w", context.DeadlineExceeded)), floor},
		{"500", fails(&statusField{500}), floor},
		{"503", fails(statusMethod(503)), floor},
		{"cut off", fails(io.ErrUnexpectedEOF), floor},
		{"connection reset after it was sent", fails(&net.OpError{Op: "read", Err: syscall.ECONNRESET}), floor},
		{"an error that tells nothing", fails(errDecoder), floor},
		{"a panic", func(*instrument.Call) error { panic("parse") }, floor},
		{"a panic with an error of the API", func(*instrument.Call) error { panic(rejected) }, floor},
		{"the goroutine ended", func(*instrument.Call) error { runtime.Goexit(); return nil }, floor},
		{"400", fails(&statusField{400}), -1},
		{"401", fails(httpMethod(401)), -1},
		{"429", fails(fmt.Errorf("transcribe: %w", rejected)), -1},
		{"a redirect", fails(&statusField{302}), -1},
		{"connection refused", fails(dialError(t)), -1},
		{"no such host, from a resolver", fails(&net.DNSError{IsNotFound: true}), -1},
		{"no such host, from a dialer", fails(&net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}), -1},
		{"a call within was refused by the budget", fails(&instrument.BudgetError{}), -1},
		{"its cost is known, and it failed", func(c *instrument.Call) error { c.SetCost(17 * cent); return errDecoder }, 17 * cent},
		{"its cost is known, and it was rejected", func(c *instrument.Call) error { c.SetCost(2 * cent); return rejected }, 2 * cent},
		{"its cost is known to be 0", func(c *instrument.Call) error { c.SetCost(0); return nil }, 0},
		{"its cost is known, and it panicked", func(c *instrument.Call) error { c.SetCost(17 * cent); panic("parse") }, 17 * cent},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
			status := "error"
			apart(func() {
				defer func() { _ = recover() }()
				err := errDecoder // what a Goexit leaves behind
				ctx, call, refusal := instrument.StartCall(ctx, "whisper", instrument.WithMaxCost(estimate), instrument.WithMinCost(floor))
				if refusal != nil {
					t.Errorf("refused: %v", refusal)
				}
				_ = ctx
				defer call.End(&err)
				switch err = tt.call(call); {
				case err == nil:
					status = "success"
				case err == context.Canceled:
					status = "canceled"
				}
			})
			booked := max(tt.want, 0)
			if got := rec.Counter(vp("cost_usd_total"), label("api", "whisper")); instrument.Dollars(got) != booked {
				t.Errorf("cost_usd_total %v, want %v", got, booked.Float64())
			}
			if got := job.Cost(); got != booked {
				t.Errorf("cost of the job %s, want %s", got, booked)
			}
			if got := spanCost(rec.Span("call whisper")); got != tt.want {
				t.Errorf("cost on the span %s, want %s", got, tt.want)
			}
			if got := rec.Counter(vp("api_calls_total"), label("status", status)); got != 1 {
				t.Errorf("%v calls with status %s, want 1", got, status)
			}
			// The hold has ended: what was not booked can be reserved again.
			if err := buy(ctx, "gpt", 0, instrument.WithMaxCost(dollar-booked)); err != nil {
				t.Errorf("the hold is kept: %v", err)
			}
			job.End(nil)
		})
	}
}

func TestRunCallSeesAGoexit(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1")
	apart(func() {
		_, _ = instrument.RunCallValue(ctx, "whisper", nil, func(context.Context) (string, error) {
			runtime.Goexit()
			return "", nil
		}, instrument.WithMinCost(cent))
	})
	job.End(nil)
	rec.AssertSpanTree(`
		job
		  call whisper (client) error=goexit
	`)
	if got := rec.Counter(vp("cost_usd_total")); got != 0.01 {
		t.Errorf("cost %v, want the floor: 0.01", got)
	}
}

// A test that fails in its price function ends its goroutine there: the call was made, and is paid.
func TestAPriceThatNeverReturnsLeavesTheEstimate(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
	apart(func() {
		_, _ = instrument.RunCallValue(ctx, "whisper", func(int) instrument.USD { runtime.Goexit(); return 0 }, freeCall,
			instrument.WithMaxCost(2*cent))
	})
	if left, _ := job.BudgetRemaining(); left != 98*cent || job.Cost() != 2*cent {
		t.Errorf("spent %s, left %s", job.Cost(), left)
	}
	job.End(nil)
	if got := rec.Counter(vp("api_calls_total"), label("status", "success")); got != 1 {
		t.Errorf("%v calls, want 1", got)
	}
	rec.Span("call whisper")
}

func TestPriceOfACall(t *testing.T) {
	price := func(u instrument.USD) func(string) instrument.USD {
		return func(string) instrument.USD { return u }
	}
	for _, tt := range []struct {
		reason  string
		price   func(string) instrument.USD
		options []instrument.CallOption
		want    instrument.USD
		invalid map[string]float64 // of the metric cost, by reason
		reports int
	}{
		{reason: "the price of the result", price: price(6 * cent), options: []instrument.CallOption{instrument.WithMaxCost(9 * cent)}, want: 6 * cent},
		{reason: "free is a price", price: price(0), options: []instrument.CallOption{instrument.WithMaxCost(9 * cent)}, want: 0},
		{reason: "no price function: the estimate", options: []instrument.CallOption{instrument.WithMaxCost(9 * cent)}, want: 9 * cent},
		{reason: "neither: nothing", want: 0},
		{reason: "the floor is for failures", options: []instrument.CallOption{instrument.WithMinCost(9 * cent)}, want: 0},
		{reason: "negative: the estimate", price: price(-cent), options: []instrument.CallOption{instrument.WithMaxCost(9 * cent)},
			want: 9 * cent, invalid: map[string]float64{"negative": 1}},
		{reason: "NaN: the estimate", price: price(notANumber), options: []instrument.CallOption{instrument.WithMaxCost(9 * cent)},
			want: 9 * cent, invalid: map[string]float64{"nan": 1}},
		{reason: "infinite: the estimate", price: price(infinite), options: []instrument.CallOption{instrument.WithMaxCost(9 * cent)},
			want: 9 * cent, invalid: map[string]float64{"inf": 1}},
		{reason: "Unlimited is no price", price: price(instrument.Unlimited), want: 0, invalid: map[string]float64{"inf": 1}},
		{reason: "a price function that panics: the estimate", price: func(string) instrument.USD { panic("price") },
			options: []instrument.CallOption{instrument.WithMaxCost(9 * cent)}, want: 9 * cent, invalid: map[string]float64{"bad_format": 1}, reports: 1},
		{reason: "a floor that cannot be booked", price: price(cent),
			options: []instrument.CallOption{instrument.WithMinCost(notANumber), nil},
			want:    cent, invalid: map[string]float64{"nan": 1}},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			reports := captureReports(t)
			p, rec := instrumenttest.New(t)
			ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
			text, err := instrument.RunCallValue(ctx, "whisper", tt.price,
				func(context.Context) (string, error) { return "hello", nil }, tt.options...)
			if text != "hello" || err != nil {
				t.Errorf("result %q, %v", text, err)
			}
			if got := job.Cost(); got != tt.want {
				t.Errorf("cost %s, want %s", got, tt.want)
			}
			total := 0.0
			for reason, want := range tt.invalid {
				total += want
				if got := rec.Counter(vp("invalid_values_total"), label("metric", "video.processing.cost"), label("reason", reason)); got != want {
					t.Errorf("%v invalid costs of reason %s, want %v", got, reason, want)
				}
			}
			if got := rec.Counter(vp("invalid_values_total")); got != total {
				t.Errorf("%v invalid values, want %v", got, total)
			}
			if got := reports.all(); len(got) != tt.reports {
				t.Errorf("otel.Handle was told %q, want %d", got, tt.reports)
			}
			job.End(nil)
		})
	}
}

func TestSpendOfWhatCannotBeBooked(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
	for _, u := range []instrument.USD{-1, notANumber, infinite, instrument.Unlimited} {
		instrument.Spend(ctx, "gpu", u)
	}
	if got := job.Cost(); got != 0 {
		t.Errorf("cost %s", got)
	}
	for reason, want := range map[string]float64{"negative": 1, "nan": 1, "inf": 2} {
		if got := rec.Counter(vp("invalid_values_total"), label("metric", "video.processing.cost"), label("reason", reason)); got != want {
			t.Errorf("%v invalid costs of reason %s, want %v", got, reason, want)
		}
	}
	job.End(nil)
}

func TestSetCost(t *testing.T) {
	for _, tt := range []struct {
		reason string
		use    func(*instrument.Call)
		want   instrument.USD
	}{
		{"the last one holds", func(c *instrument.Call) { c.SetCost(9 * cent); c.SetCost(4 * cent); c.End(nil) }, 4 * cent},
		{"one that cannot be booked does not undo the one before", func(c *instrument.Call) { c.SetCost(4 * cent); c.SetCost(-1); c.End(nil) }, 4 * cent},
		{"after the End it is too late", func(c *instrument.Call) { c.End(nil); c.SetCost(9 * cent) }, 2 * cent},
		{"the first End holds", func(c *instrument.Call) { c.End(nil); c.SetCost(9 * cent); c.End(nil) }, 2 * cent},
		{"many at once end it once", func(c *instrument.Call) {
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() { c.SetCost(4 * cent); c.End(nil) })
			}
			wg.Wait()
		}, 4 * cent},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
			_, call, err := instrument.StartCall(ctx, "whisper", instrument.WithMaxCost(2*cent))
			if err != nil {
				t.Fatal(err)
			}
			tt.use(call)
			job.End(nil)
			if job.Cost() != tt.want {
				t.Errorf("cost %s, want %s", job.Cost(), tt.want)
			}
			if got := rec.Counter(vp("api_calls_total"), label("status", "success")); got != 1 {
				t.Errorf("%v calls, want 1", got)
			}
		})
	}
}
