package sdktest

import (
	"context"
	"errors"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// An attempt that a library makes again is a call of its own outside of RunCall, and a part of the
// one call inside. It costs once what was answered once.
func TestRetries(t *testing.T) {
	for _, a := range answers {
		for _, tt := range []struct {
			name     string
			status   int
			header   string
			unpriced float64
		}{
			{"429 with milliseconds", 429, "Retry-After-Ms: 0", 0},
			{"429 with seconds", 429, "Retry-After: 0", 0},
			{"500", 500, "Retry-After-Ms: 0", 1}, // it may have been charged
		} {
			t.Run(a.name+" "+tt.name, func(t *testing.T) {
				f := newFake(t, inTurn(fails(tt.status, tt.header), a.whole()))
				w := wiring{client: f.client(aihttp.WithPrices(prices(t)))}
				p, rec := instrumenttest.New(t)
				ctx, job := p.StartJob(t.Context(), "job")
				if err := a.call(ctx, w); err != nil || f.tried.Load() != 2 {
					t.Errorf("%v after %d attempts", err, f.tried.Load())
				}
				job.End(nil)
				if nano(rec) != cost || calls(rec) != 2 || unpriced(rec) != tt.unpriced {
					t.Errorf("outside of RunCall: %d nano-dollars, %v calls, %v without a price", nano(rec), calls(rec), unpriced(rec))
				}

				f = newFake(t, inTurn(fails(tt.status, tt.header), a.whole()))
				w = wiring{client: f.client(aihttp.WithPrices(prices(t)))}
				p, rec = instrumenttest.New(t)
				ctx, job = p.StartJob(t.Context(), "job")
				err := instrument.RunCall(ctx, a.api, func(ctx context.Context) error { return a.call(ctx, w) }, instrument.WithMaxCost(instrument.Cent))
				job.End(nil)
				if err != nil || nano(rec) != cost || calls(rec) != 1 || unpriced(rec) != tt.unpriced {
					t.Errorf("in RunCall: %v, %d nano-dollars, %v calls, %v without a price", err, nano(rec), calls(rec), unpriced(rec))
				}
			})
		}
	}
}

// An answer that breaks off was paid as far as it came, and so is the next one.
func TestStreamThatBreaksOffIsPaidTwice(t *testing.T) {
	for _, a := range answers {
		if a.head == 0 {
			continue
		}
		t.Run(a.name, func(t *testing.T) {
			f := newFake(t, inTurn(a.broken(a.head), a.whole()))
			w := wiring{client: f.client(aihttp.WithPrices(prices(t)))}
			p, rec := instrumenttest.New(t)
			ctx, job := p.StartJob(t.Context(), "job")
			if err := a.call(ctx, w); err == nil {
				t.Error("the library does not tell that the stream has broken off")
			}
			if nano(rec) != a.sure || unpriced(rec) != 1 {
				t.Errorf("%d nano-dollars of a stream that broke off, want %d; %v without a price", nano(rec), a.sure, unpriced(rec))
			}
			if err := a.call(ctx, w); err != nil || nano(rec) != a.sure+cost || calls(rec) != 2 {
				t.Errorf("%v: %d nano-dollars, want %d, of %v calls", err, nano(rec), a.sure+cost, calls(rec))
			}
			job.End(nil)

			f = newFake(t, inTurn(a.broken(a.head), a.whole()))
			w = wiring{client: f.client(aihttp.WithPrices(prices(t)))}
			p, rec = instrumenttest.New(t)
			ctx, job = p.StartJob(t.Context(), "job")
			err := instrument.RunCall(ctx, a.api, func(ctx context.Context) error {
				if err := a.call(ctx, w); err == nil {
					return errors.New("the library does not tell that the stream has broken off")
				}
				return a.call(ctx, w)
			}, instrument.WithMaxCost(instrument.Cent))
			job.End(nil)
			if err != nil || nano(rec) != a.sure+cost || calls(rec) != 1 || unpriced(rec) != 1 {
				t.Errorf("in RunCall: %v, %d nano-dollars, %v calls, %v without a price", err, nano(rec), calls(rec), unpriced(rec))
			}
		})
	}
}

// anthropic-sdk-go asks again if an answer breaks off, by itself: each attempt was paid.
func TestAnswerThatBreaksOffIsPaidAgain(t *testing.T) {
	for _, a := range answers {
		if a.name != "anthropic" {
			continue
		}
		f := newFake(t, inTurn(a.broken(len(a.text)-1), a.whole()))
		w := wiring{client: f.client(aihttp.WithPrices(prices(t)))}
		p, rec := instrumenttest.New(t)
		ctx, job := p.StartJob(t.Context(), "job")
		if err := a.call(ctx, w); err != nil || f.seen.Load() != 2 {
			t.Errorf("%v after %d attempts", err, f.seen.Load())
		}
		job.End(nil)
		if nano(rec) != 2*cost || calls(rec) != 2 || unpriced(rec) != 1 {
			t.Errorf("%d nano-dollars, %v calls, %v without a price", nano(rec), calls(rec), unpriced(rec))
		}
	}
}
