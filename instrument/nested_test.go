package instrument_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// ledgers are those that a nested job is tried with: in memory, and as a ledger of the user's.
var ledgers = map[string]func() []instrument.Option{
	"in memory": func() []instrument.Option { return nil },
	"elsewhere": func() []instrument.Option {
		return []instrument.Option{instrument.WithLedger(disguised{budget.NewMemoryLedger()}), patient}
	},
}

// patient is for tests in real time: on a busy machine a ledger in memory may take its 100 ms.
var patient = instrument.WithLedgerTimeout(time.Minute, time.Minute)

// A dollar that a track spends is one of the track's budget and one of the album's, and one dollar
// in all.
func TestNestedJobSpendsBothBudgets(t *testing.T) {
	for name, opts := range ledgers {
		t.Run(name, func(t *testing.T) {
			p, rec := instrumenttest.New(t, opts()...)
			ctx, album := p.StartJob(t.Context(), "album", instrument.WithBudget(5*dollar))
			inner, track := p.StartJob(ctx, "track", instrument.WithBudget(2*dollar))
			if err := buy(inner, "gpt", 40*cent, instrument.WithMaxCost(50*cent)); err != nil {
				t.Fatal(err)
			}
			instrument.Spend(inner, "gpu", 60*cent)
			if err := instrument.RunCall(inner, "gpt", func(context.Context) error { return rejected }, instrument.WithMaxCost(cent)); err == nil {
				t.Fatal("no error")
			}
			for job, want := range map[*instrument.Job]instrument.USD{album: 4 * dollar, track: dollar} {
				if left, _ := job.BudgetRemaining(); left != want {
					t.Errorf("%s of %s remain, want %s", left, job.ID(), want)
				}
			}
			if left, _ := rec.Gauge(vp("budget_remaining_usd"), label("job_id", "album")); left != 4 {
				t.Errorf("the album's series shows %v, want 4", left)
			}
			if album.Cost() != 0 || track.Cost() != dollar {
				t.Errorf("the album cost %s and the track %s, want $0.00 and $1.00", album.Cost(), track.Cost())
			}
			if got := rec.Counter(vp("cost_usd_total")); got != 1 {
				t.Errorf("cost_usd_total %v, want 1", got)
			}
			track.End(nil)
			album.End(nil)
			if got := rec.Histogram(vp("cost_per_job_usd")); got.Count != 2 || got.Sum != 1 {
				t.Errorf("cost_per_job_usd %+v, want 1 and 0", got)
			}
		})
	}
}

func TestNestedJobIsRefusedByEitherBudget(t *testing.T) {
	for name, opts := range ledgers {
		for _, tt := range []struct {
			reason       string
			outer, inner []instrument.JobOption
			refused      string // whose budget refuses a call of 30 cents
		}{
			{"the inner one has too little", withBudget(dollar), withBudget(20 * cent), "track"},
			{"the outer one has too little", withBudget(20 * cent), withBudget(dollar), "album"},
			{"only the outer one has a budget", withBudget(20 * cent), nil, "album"},
			{"only the inner one has a budget", nil, withBudget(20 * cent), "track"},
			{"both have enough", withBudget(dollar), withBudget(dollar), ""},
			{"they share an account", withBudget(50 * cent), append(withBudget(50*cent), instrument.WithAccount("album")), ""},
		} {
			t.Run(name+": "+tt.reason, func(t *testing.T) {
				p, rec := instrumenttest.New(t, opts()...)
				ctx, album := p.StartJob(t.Context(), "album", tt.outer...)
				inner, track := p.StartJob(ctx, "track", tt.inner...)
				remain := func() (left [2]instrument.USD) {
					for i, job := range []*instrument.Job{album, track} {
						left[i], _ = job.BudgetRemaining()
					}
					return left
				}
				before := remain()
				_, call, err := instrument.StartCall(inner, "gpt", instrument.WithMaxCost(30*cent))
				var refusal *instrument.BudgetError
				errors.As(err, &refusal)
				switch {
				case tt.refused == "":
					if err != nil {
						t.Errorf("%v, want none", err)
					}
					call.End(nil)
					instrument.Spend(inner, "gpu", 20*cent)
					if err := buy(inner, "gpt", 51*cent, instrument.WithMaxCost(51*cent)); err == nil {
						t.Error("a call over both budgets was made")
					}
				case refusal == nil || refusal.Scope != budget.Scope{Kind: budget.Job, ID: tt.refused, Limit: 20 * cent} || refusal.Job != "track" || refusal.Asked != 30*cent:
					t.Errorf("%+v, want a refusal by the budget of %s", refusal, tt.refused)
				case remain() != before:
					t.Errorf("a refused call has changed %s to %s", before, remain())
				}
				if tt.refused == "" {
					return
				}
				// Nothing is held: what is left can be spent to the cent.
				if err := buy(inner, "gpt", 20*cent, instrument.WithMaxCost(20*cent)); err != nil {
					t.Errorf("a call that fits gave %v", err)
				}
				if got := rec.Counter(vp("budget_exceeded_total")); got != 1 {
					t.Errorf("exceeded %v times, want once", got)
				}
			})
		}
	}
}

func withBudget(limit instrument.USD) []instrument.JobOption {
	return []instrument.JobOption{instrument.WithBudget(limit)}
}

// 1,000 calls at once in jobs inside of one job spend no more than that has.
func TestNestedBudgetsAreStrict(t *testing.T) {
	for name, opts := range ledgers {
		t.Run(name, func(t *testing.T) {
			p, rec := instrumenttest.New(t, opts()...)
			ctx, album := p.StartJob(t.Context(), "album", instrument.WithBudget(100*cent))
			done := make(chan struct{})
			for i := range 10 {
				inner, track := p.StartJob(ctx, string(rune('a'+i)), instrument.WithBudget(15*cent))
				for range 20 {
					go func() {
						defer func() { done <- struct{}{} }()
						_ = buy(inner, "gpt", cent, instrument.WithMaxCost(cent))
					}()
				}
				defer track.End(nil)
			}
			for range 200 {
				<-done
			}
			if left, _ := album.BudgetRemaining(); left != 0 {
				t.Errorf("%s of the album remain, want $0.00", left)
			}
			if got := rec.Counter(vp("cost_usd_total")); instrument.Dollars(got) != dollar {
				t.Errorf("cost %v, want 1", got)
			}
			album.End(nil)
		})
	}
}

// A ledger may forget a job that is completed as soon as it is closed, while jobs in it still spend
// its budget.
func TestJobThatOutlivesTheOneAroundItSpendsItsBudget(t *testing.T) {
	w := newWire()
	p, _ := instrumenttest.New(t, instrument.WithLedger(w))
	ctx, album := p.StartJob(t.Context(), "album", instrument.WithBudget(dollar))
	inner, track := p.StartJob(ctx, "track")
	instrument.Spend(inner, "gpu", 60*cent)
	album.End(nil)
	if n := w.ops("close"); n != 0 {
		t.Errorf("closed %d times while a job in it lives", n)
	}
	if err := buy(inner, "gpt", 50*cent, instrument.WithMaxCost(50*cent)); !errors.Is(err, instrument.ErrBudgetExceeded) {
		t.Errorf("%v, want a refusal: $0.40 remain", err)
	}
	if err := buy(inner, "gpt", 30*cent, instrument.WithMaxCost(40*cent)); err != nil {
		t.Errorf("a call that fits: %v", err)
	}
	if spent := w.balance("album", dollar).Spent; spent != 90*cent {
		t.Errorf("spent %s of the album, want $0.90", spent)
	}
	track.End(nil)
	last, late := p.StartJob(ctx, "bonus track")
	late.End(nil)
	if w.ops("close") != 1 || w.ops("close for good") != 1 {
		t.Errorf("closed %d times, %d of them for good, want once", w.ops("close"), w.ops("close for good"))
	}
	instrument.Spend(last, "gpu", cent) // in nobody's account any more; it must not crash
}

// Crossings of each account are told once, on the span of the job whose budget it is.
func TestNestedThresholds(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, album := p.StartJob(t.Context(), "album", instrument.WithBudget(dollar), instrument.WithScopes(budget.Scope{Kind: budget.Tenant, ID: "acme", Limit: dollar}))
	inner, track := p.StartJob(ctx, "track", instrument.WithBudget(10*dollar), instrument.WithScopes(budget.Scope{Kind: budget.Tenant, ID: "acme", Limit: dollar}))
	instrument.Spend(inner, "gpu", 50*cent)
	track.End(nil)
	album.End(nil)
	const figures = " video.processing.budget.percent=50 video.processing.budget.limit_usd=1 video.processing.budget.spent_usd=0.5\n"
	want := "budget threshold reached video.processing.budget.scope=job video.processing.budget.id=album" + figures +
		"budget threshold reached video.processing.budget.scope=tenant video.processing.budget.id=acme" + figures
	spans := rec.Spans()
	if got := eventsOf(spans[1]); got != want {
		t.Errorf("the album's events\n%swant\n%s", got, want)
	}
	if got := eventsOf(spans[0]); got != "" {
		t.Errorf("the track's events\n%swant none", got)
	}
}

// The limit of a tenant that was given last holds, also if a nested job gives it.
func TestNestedJobMovesTheLimitOfASharedScope(t *testing.T) {
	tenant := func(limit instrument.USD) instrument.JobOption {
		return instrument.WithScopes(budget.Scope{Kind: budget.Tenant, ID: "acme", Limit: limit})
	}
	for name, opts := range ledgers {
		t.Run(name, func(t *testing.T) {
			p, _ := instrumenttest.New(t, opts()...)
			ctx, album := p.StartJob(t.Context(), "album", tenant(instrument.Unlimited))
			lower, track := p.StartJob(ctx, "track", tenant(dollar))
			if err := buy(lower, "gpt", 2*dollar, instrument.WithMaxCost(2*dollar)); !errors.Is(err, instrument.ErrBudgetExceeded) {
				t.Errorf("beyond the lower limit: %v, want a refusal", err)
			}
			if err := buy(lower, "gpt", cent, instrument.WithUnknownCost("unknown_model")); !errors.Is(err, instrument.ErrBudgetExceeded) {
				t.Errorf("of an unknown price under the lower limit: %v, want a refusal", err)
			}
			higher, other := p.StartJob(ctx, "other", tenant(3*dollar))
			if err := buy(higher, "gpt", 2*dollar, instrument.WithMaxCost(2*dollar)); err != nil {
				t.Errorf("within the higher limit: %v", err)
			}
			if err := buy(lower, "gpt", dollar, instrument.WithMaxCost(dollar)); err != nil {
				t.Errorf("within the higher limit, which was given last: %v", err)
			}
			other.End(nil)
			track.End(nil)
			album.End(nil)
		})
	}
}
