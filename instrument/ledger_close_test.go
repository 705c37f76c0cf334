package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// slicedWays are the ways to spend from slices of a ledger, and the one without.
var slicedWays = map[string]func(l budget.Ledger, slice instrument.USD) []instrument.Option{
	"LedgerLease": func(l budget.Ledger, slice instrument.USD) []instrument.Option {
		return []instrument.Option{instrument.WithLedger(l), instrument.WithLedgerPolicy(instrument.LedgerLease(slice))}
	},
	"Sliced": func(l budget.Ledger, slice instrument.USD) []instrument.Option {
		return []instrument.Option{instrument.WithLedger(budget.Sliced(l, slice, time.Hour))}
	},
	"LedgerOpen": func(l budget.Ledger, _ instrument.USD) []instrument.Option {
		return []instrument.Option{instrument.WithLedger(l)}
	},
}

func tenantOf(t *testing.T, l budget.Ledger) budget.Balance {
	t.Helper()
	a, bal, err := l.Open(t.Context(), budget.Scope{Kind: budget.Tenant, ID: "acme", Limit: 1000 * dollar})
	if err != nil {
		t.Fatal(err)
	}
	_ = a.Close(t.Context(), false)
	return bal
}

// A job that ends while the ledger is away leaves costs in its slice. They are booked when the ledger is back.
func TestSliceOfAJobThatEndsInAnOutageIsBooked(t *testing.T) {
	for name, way := range slicedWays {
		for _, ends := range []string{"while the pipeline lives", "by Close"} {
			t.Run(name+"/"+ends, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					captureReports(t)
					w := newWire()
					p, rec := instrumenttest.New(t, way(w, 50*cent)...)
					err := p.RunJob(t.Context(), "a", func(ctx context.Context) error {
						return instrument.RunCall(ctx, "gpt", func(context.Context) error {
							w.set(storeAway)
							return nil
						}, instrument.WithMaxCost(20*cent))
					}, instrument.WithScopes(budget.Scope{Kind: budget.Tenant, ID: "acme", Limit: 1000 * dollar}))
					if err != nil {
						t.Fatal(err)
					}
					if pending, _ := rec.Gauge(vp("ledger_pending")); pending != 1 {
						t.Errorf("%v pending, want 1", pending)
					}
					w.set(nil)
					if ends == "while the pipeline lives" {
						time.Sleep(time.Minute)
						synctest.Wait()
						if bal := tenantOf(t, w.Ledger); bal.Spent != 20*cent || bal.Held != 0 {
							t.Errorf("%s spent and %s held, want $0.20 and nothing", bal.Spent, bal.Held)
						}
						if pending, _ := rec.Gauge(vp("ledger_pending")); pending != 0 {
							t.Errorf("%v pending, want none", pending)
						}
					}
					if err := p.Close(t.Context()); err != nil {
						t.Error(err)
					}
					if bal := tenantOf(t, w.Ledger); bal.Spent != 20*cent || bal.Held != 0 {
						t.Errorf("%s spent and %s held, want $0.20 and nothing", bal.Spent, bal.Held)
					}
				})
			})
		}
	}
}

// What Close could not deliver of a slice is in its error, in the metric and in the log, each with the reason and once.
func TestCloseSaysThatASliceIsLost(t *testing.T) {
	for name, way := range slicedWays {
		synctest.Test(t, func(t *testing.T) {
			reports := captureReports(t)
			w := newWire()
			p, rec := instrumenttest.New(t, way(w, 50*cent)...)
			ctx, job := p.StartJob(t.Context(), "a", instrument.WithBudget(dollar))
			if err := buy(ctx, "gpt", 20*cent, instrument.WithMaxCost(20*cent)); err != nil {
				t.Fatal(err)
			}
			w.set(storeAway)
			job.End(nil)
			over, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			err := p.Close(over)
			if !errors.Is(err, budget.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(fmt.Sprint(err), "1 accounts could not be closed") {
				t.Errorf("%s: Close gave %v", name, err)
			}
			if got := rec.Counter(vp("ledger_errors_total"), label("op", "given_up")); got != 1 {
				t.Errorf("%s: %v given up, want 1", name, got)
			}
			for _, text := range append(reports.all(), fmt.Sprint(err)) {
				if strings.Contains(text, "\n") || strings.Count(text, budget.ErrUnavailable.Error()) > 1 || strings.Count(text, errStore.Error()) > 1 {
					t.Errorf("%s: a text says something twice: %q", name, text)
				}
			}
			if all := reports.all(); !strings.Contains(all[len(all)-1], `the account of job "a"`) || !strings.Contains(all[len(all)-1], "context deadline exceeded") {
				t.Errorf("%s: reported %q", name, all)
			}
		})
	}
}

// A call that outlives its job ends while the ledger is away: no other Close books it.
func TestCallThatOutlivesItsJobInAnOutageIsBooked(t *testing.T) {
	for name, way := range slicedWays {
		synctest.Test(t, func(t *testing.T) {
			captureReports(t)
			w := newWire()
			p, _ := instrumenttest.New(t, way(w, 50*cent)...)
			ctx, job := p.StartJob(t.Context(), "a", instrument.WithScopes(budget.Scope{Kind: budget.Tenant, ID: "acme", Limit: 1000 * dollar}))
			_, call, err := instrument.StartCall(ctx, "gpt", instrument.WithMaxCost(20*cent))
			if err != nil {
				t.Fatal(err)
			}
			job.End(nil)
			w.set(storeAway)
			call.End(nil)
			time.Sleep(10 * time.Second)
			w.set(nil)
			if err := p.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if bal := tenantOf(t, w.Ledger); bal.Spent != 20*cent || bal.Held != 0 {
				t.Errorf("%s: %s spent and %s held, want $0.20 and nothing", name, bal.Spent, bal.Held)
			}
		})
	}
}

// A context that is over, as after a SIGTERM, leaves Close some time to deliver what waits.
func TestCloseWithAContextThatIsOver(t *testing.T) {
	for name, back := range map[string]bool{"the ledger is back": true, "it stays away": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				captureReports(t)
				w := newWire()
				p, _ := instrumenttest.New(t, instrument.WithLedger(w))
				ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
				w.set(storeAway)
				for range 9 {
					instrument.Spend(ctx, "gpu", cent)
				}
				failed := errDecoder
				job.End(&failed)
				if back {
					w.set(nil)
				}
				over, cancel := context.WithCancel(t.Context())
				cancel()
				began := time.Now()
				err := p.Close(over)
				if bal := w.balance("job-1", dollar); back && (err != nil || bal.Spent != 9*cent) {
					t.Errorf("error %v, %+v; want $0.09 spent", err, bal)
				}
				if took := time.Since(began); !back && (err == nil || took > 10*time.Second) {
					t.Errorf("error %v after %s", err, took)
				}
			})
		})
	}
}
