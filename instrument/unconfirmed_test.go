package instrument_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// balanceOf returns what the account of a scope has in a ledger.
func balanceOf(t *testing.T, l budget.Ledger, s budget.Scope) budget.Balance {
	t.Helper()
	a, bal, err := l.Open(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	return bal
}

// What a budget loses for a cost that is not known is unconfirmed in the ledger, in whatever ledger and
// in each of the accounts, and in no total.
func TestUnknownCostIsUnconfirmed(t *testing.T) {
	most := instrument.WithMaxCost(30 * cent)
	for _, tt := range []struct {
		reason            string
		option            instrument.CallOption
		says              func(*instrument.Call)
		err               error
		cost, unconfirmed instrument.USD
		unpriced          float64
	}{
		{"a known cost", most, func(c *instrument.Call) { c.SetCost(10 * cent) }, nil, 10 * cent, 0, 0},
		{"an answer without usage", most, func(c *instrument.Call) { c.SetUnpriced("no_usage") }, nil, 0, 30 * cent, 1},
		{"a failure of which the caller says so", most, func(c *instrument.Call) { c.SetUnpriced("failed") }, errCutOff, 0, 30 * cent, 1},
		{"a failure of which nobody says anything", most, func(*instrument.Call) {}, errCutOff, 0, 0, 1},
		{"an unknown price", instrument.WithUnknownCost("model"), func(*instrument.Call) {}, nil, 0, 40 * cent, 1},
		{"an unknown price that turns up", instrument.WithUnknownCost("model"), func(c *instrument.Call) { c.SetCost(cent) }, nil, cent, 0, 0},
		{"one request", most, func(c *instrument.Call) { c.AddUnpriced("no_usage") }, nil, 0, 30 * cent, 1},
		{"three requests, two of them unknown", most, func(c *instrument.Call) {
			c.AddCost(10 * cent)
			c.AddUnpriced("no_usage")
			c.AddUnpriced("cut_off")
		}, nil, 10 * cent, 60 * cent, 2},
		{"nothing was held", instrument.WithMaxCost(0), func(c *instrument.Call) { c.AddUnpriced("no_usage") }, nil, 0, 0, 1},
	} {
		for where, opts := range map[string][]instrument.Option{
			"near": nil, "far": {}, "slices": {instrument.WithLedgerPolicy(instrument.LedgerLease(dollar))},
		} {
			t.Run(tt.reason+"/"+where, func(t *testing.T) {
				l := budget.NewMemoryLedger()
				used := l
				if opts != nil {
					used = &wire{Ledger: l}
				}
				p, rec := instrumenttest.New(t, append(opts, instrument.WithLedger(used), instrument.WithUnpricedPolicy(instrument.ReserveUnpriced(40*cent)))...)
				outer, album := p.StartJob(t.Context(), "album", instrument.WithBudget(10*dollar), instrument.WithScopes(budget.Scope{Kind: budget.Tenant, ID: "tenant", Limit: 10 * dollar}))
				ctx, track := p.StartJob(outer, "track", instrument.WithBudget(10*dollar))
				_, call, err := instrument.StartCall(ctx, "gpt", tt.option)
				if err != nil {
					t.Fatal(err)
				}
				tt.says(call)
				call.End(&tt.err)
				if got := p.Snapshot(instrument.Query{Job: "track"}).Live[0].Budget; got.Spent != money.Sum(tt.cost, tt.unconfirmed) || got.Unconfirmed != tt.unconfirmed || got.Held != 0 {
					t.Errorf("the job shows %+v, want %s and %s unconfirmed", got, tt.cost, tt.unconfirmed)
				}
				failed := errDecoder // so that the accounts stay
				track.End(&failed)
				album.End(&failed)
				if err := p.Close(t.Context()); err != nil {
					t.Error(err)
				}
				for _, s := range []budget.Scope{
					{Kind: budget.Job, ID: "track", Limit: 10 * dollar}, {Kind: budget.Job, ID: "album", Limit: 10 * dollar}, {Kind: budget.Tenant, ID: "tenant", Limit: 10 * dollar},
				} {
					if bal := balanceOf(t, l, s); bal.Spent != money.Sum(tt.cost, tt.unconfirmed) || bal.Unconfirmed != tt.unconfirmed || bal.Held != 0 {
						t.Errorf("%s %s has %+v, want %s and %s unconfirmed", s.Kind, s.ID, bal, tt.cost, tt.unconfirmed)
					}
				}
				if got := instrument.Dollars(rec.Counter(vp("cost_usd_total"))); got != tt.cost {
					t.Errorf("cost_usd_total is %s, want %s", got, tt.cost)
				}
				if got := rec.Counter(vp("api_unpriced_total")); got != tt.unpriced {
					t.Errorf("%v unpriced, want %v", got, tt.unpriced)
				}
			})
		}
	}
}

// The account of a single job, which needs no hold ids.
func TestUnknownCostIsUnconfirmedWithoutAnID(t *testing.T) {
	p, _ := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
	err := buy(ctx, "gpt", 30*cent, instrument.WithMaxCost(30*cent))
	if err != nil {
		t.Fatal(err)
	}
	_, call, _ := instrument.StartCall(ctx, "gpt", instrument.WithMaxCost(20*cent))
	call.AddCost(cent)
	call.AddUnpriced("no_usage")
	call.End(nil)
	want := instrument.BudgetState{Account: "job-1", Limit: dollar, Spent: 51 * cent, Unconfirmed: 20 * cent}
	if got := *p.Snapshot(instrument.Query{}).Live[0].Budget; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	job.End(nil)
}

// An outage of the ledger delays what is unconfirmed, and does not change it. Whoever hears later what
// the call has cost settles its hold again.
func TestUnconfirmedOutlastsAnOutage(t *testing.T) {
	for _, opts := range [][]instrument.Option{nil, {instrument.WithLedgerPolicy(instrument.LedgerLease(dollar))}} {
		synctest.Test(t, func(t *testing.T) {
			captureReports(t)
			w := newWire()
			p, _ := instrumenttest.New(t, append(opts, instrument.WithLedger(w))...)
			ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(10*dollar))
			_, call, err := instrument.StartCall(ctx, "gpt", instrument.WithMaxCost(30*cent))
			if err != nil {
				t.Fatal(err)
			}
			w.set(storeAway)
			call.AddCost(cent)
			call.AddUnpriced("no_usage")
			call.End(nil)
			failed := errDecoder
			job.End(&failed)
			time.Sleep(time.Minute)
			w.set(nil)
			if err := p.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if bal := w.balance("job-1", 10*dollar); bal.Spent != 31*cent || bal.Unconfirmed != 30*cent || bal.Held != 0 {
				t.Errorf("%+v, want $0.31, of which $0.30 is unconfirmed", bal)
			}
			if opts != nil {
				return
			}
			a, _, err := w.Open(t.Context(), budget.Scope{Kind: budget.Job, ID: "job-1", Limit: 10 * dollar})
			if err != nil {
				t.Fatal(err)
			}
			if bal, err := a.Settle(t.Context(), budget.Hold{ID: w.reserved()[0].ID, Job: "job-1"}, 5*cent); err != nil || bal.Spent != 5*cent || bal.Unconfirmed != 0 {
				t.Errorf("%+v, %v, want $0.05 confirmed", bal, err)
			}
		})
	}
}

// A call that ends after its lease corrects what was booked for it: what is held and not known stays
// unconfirmed.
func TestUnknownCostOfACallThatExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := instrumenttest.New(t)
		ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
		_, call, err := instrument.StartCall(ctx, "gpt", instrument.WithMaxCost(30*cent), instrument.WithMinCost(5*cent), instrument.WithLease(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, spent instrument.USD) {
			t.Helper()
			want := instrument.BudgetState{Account: "job-1", Limit: dollar, Spent: spent, Unconfirmed: spent}
			if got := *p.Snapshot(instrument.Query{}).Live[0].Budget; got != want {
				t.Errorf("%s: %+v, want %+v", what, got, want)
			}
		}
		time.Sleep(2 * time.Minute)
		if err := buy(ctx, "other", 0, instrument.WithMaxCost(cent)); err != nil {
			t.Fatal(err)
		}
		check("expired", 5*cent)
		call.AddUnpriced("no_usage")
		call.End(nil)
		check("ended", 30*cent)
		job.End(nil)
	})
}
