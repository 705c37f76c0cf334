package instrument_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// However a ledger fails for a while, once it is back and Close gave no error it has what was spent, and holds nothing.
func TestNothingIsLostByALedgerThatFlaps(t *testing.T) {
	for name, way := range slicedWays {
		for seed := range uint64(8) {
			synctest.Test(t, func(t *testing.T) {
				captureReports(t)
				w := newWire()
				var mu sync.Mutex
				random := rand.New(rand.NewPCG(seed, 1))
				draw := func(n int) int {
					mu.Lock()
					defer mu.Unlock()
					return random.IntN(n)
				}
				w.set(func(ctx context.Context, _ string) error {
					switch draw(12) {
					case 0, 1:
						return errStore
					case 2:
						<-ctx.Done()
						return ctx.Err()
					case 3: // it ignores its context, and does what nobody waits for
						time.Sleep(50 * time.Millisecond)
					}
					return nil
				})
				p, rec := instrumenttest.New(t, append(way(w, 5000), instrument.WithLedgerTimeout(20*time.Millisecond, 20*time.Millisecond))...)
				var truth atomic.Int64
				var wg sync.WaitGroup
				for worker := range 10 {
					wg.Go(func() {
						for i := range 10 {
							time.Sleep(time.Duration(draw(20)) * time.Millisecond)
							// Some jobs share their account.
							_ = p.RunJob(t.Context(), fmt.Sprint("job-", worker/2, "-", i), func(ctx context.Context) error {
								for range 3 {
									cost := instrument.USD(draw(1000))
									_ = instrument.RunCall(ctx, "gpt", func(ctx context.Context) error {
										truth.Add(int64(cost))
										instrument.CallFromContext(ctx).SetCost(cost)
										time.Sleep(time.Duration(draw(10)) * time.Millisecond)
										return nil
									}, instrument.WithMaxCost(1000))
								}
								if draw(3) == 0 {
									return errDecoder
								}
								return nil
							}, instrument.WithScopes(budget.Scope{Kind: budget.Tenant, ID: "acme", Limit: 1000 * dollar}))
						}
					})
				}
				wg.Wait()
				time.Sleep(100 * time.Millisecond)
				w.set(nil)
				if err := p.Close(t.Context()); err != nil {
					t.Errorf("%s, seed %d: %v", name, seed, err)
				}
				time.Sleep(100 * time.Millisecond) // what ignores its context, and was left behind
				if bal := tenantOf(t, w.Ledger); int64(bal.Spent) != truth.Load() || bal.Held != 0 || truth.Load() == 0 {
					t.Errorf("%s, seed %d: %dn spent and %dn held, want %dn", name, seed, int64(bal.Spent), int64(bal.Held), truth.Load())
				}
				if got := rec.Counter(vp("ledger_errors_total"), label("op", "given_up")); got != 0 {
					t.Errorf("%s, seed %d: %v given up", name, seed, got)
				}
			})
		}
	}
}
