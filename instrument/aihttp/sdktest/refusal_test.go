package sdktest

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// A call that the budget does not allow reaches its caller as the typed error, after one attempt, of
// which nothing was sent, whichever library makes it.
func TestRefusal(t *testing.T) {
	for _, c := range callers {
		for _, layer := range []bool{false, true} {
			name := c.name
			if layer {
				if !c.layers {
					continue
				}
				name += " by middleware"
			}
			t.Run(name, func(t *testing.T) {
				f := newFake(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })
				w := wiring{client: f.client(aihttp.WithPrices(prices(t)))}
				if layer {
					w = wiring{client: f.plain(), middleware: f.middleware(aihttp.WithPrices(prices(t)))}
				}
				p, rec := instrumenttest.New(t)
				ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(1))
				err := c.call(ctx, w)
				job.End(nil)
				var refusal *instrument.BudgetError
				if !errors.As(err, &refusal) || refusal.Asked <= 1 {
					t.Errorf("the caller's error is %T %v", err, err)
				}
				if tried, seen := f.tried.Load(), f.seen.Load(); tried != 1 || seen != 0 {
					t.Errorf("%d attempts, of which %d were sent", tried, seen)
				}
				if refused := rec.Counter("video_processing_api_calls_total", status("refused")); refused != 1 {
					t.Errorf("%v calls refused", refused)
				}
			})
		}
	}
}
