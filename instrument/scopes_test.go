package instrument_test

import (
	"errors"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

func TestScopes(t *testing.T) {
	acme := budget.Scope{Kind: budget.Tenant, ID: "acme", Limit: dollar}
	today := budget.Scope{Kind: budget.Day, ID: "all", Limit: 150 * cent}
	for name, opts := range ledgers {
		t.Run(name, func(t *testing.T) {
			p, rec := instrumenttest.New(t, opts()...)
			one, first := p.StartJob(t.Context(), "job-1", instrument.WithScopes(acme, today))
			if left, ok := first.BudgetRemaining(); left != instrument.Unlimited || !ok {
				t.Errorf("a job with scopes only has %s, want no limit of its own", left)
			}
			if err := buy(one, "gpt", 80*cent, instrument.WithMaxCost(80*cent)); err != nil {
				t.Fatal(err)
			}
			two, second := p.StartJob(t.Context(), "job-2", instrument.WithBudget(5*dollar), instrument.WithScopes(acme), instrument.WithScopes(today))
			var refusal *instrument.BudgetError
			err := buy(two, "gpt", 30*cent, instrument.WithMaxCost(30*cent))
			want := instrument.BudgetError{Scope: acme, Job: "job-2", API: "gpt", Limit: dollar, Spent: 80 * cent, Asked: 30 * cent}
			if !errors.As(err, &refusal) || *refusal != want {
				t.Errorf("refusal %+v, want %+v", refusal, want)
			}
			other, third := p.StartJob(t.Context(), "job-3", instrument.WithScopes(today))
			if err := buy(other, "gpt", 71*cent, instrument.WithMaxCost(71*cent)); !errors.As(err, &refusal) || refusal.Scope != today {
				t.Errorf("%v, want a refusal of the day", err)
			}
			if err := buy(other, "gpt", 70*cent, instrument.WithMaxCost(70*cent)); err != nil {
				t.Errorf("%v: nothing was to be held of the refused calls", err)
			}
			// Each account that is exceeded counts once, whichever job meets it.
			_ = buy(one, "gpt", cent, instrument.WithMaxCost(50*cent))
			if got := rec.Counter(vp("budget_exceeded_total")); got != 2 {
				t.Errorf("exceeded %v times, want once for the tenant and once for the day", got)
			}
			for _, job := range []*instrument.Job{first, second, third} {
				job.End(nil)
			}
		})
	}
}

// What is spent for a tenant stays spent when its jobs are completed.
func TestTenantsBudgetOutlivesItsJobs(t *testing.T) {
	p, _ := instrumenttest.New(t)
	acme := instrument.WithScopes(budget.Scope{Kind: budget.Tenant, ID: "acme", Limit: dollar})
	for _, id := range []string{"job-1", "job-2"} {
		ctx, job := p.StartJob(t.Context(), id, acme)
		instrument.Spend(ctx, "gpu", 50*cent)
		job.End(nil)
	}
	ctx, job := p.StartJob(t.Context(), "job-3", acme)
	if err := buy(ctx, "gpt", cent); !errors.Is(err, instrument.ErrBudgetExceeded) {
		t.Errorf("%v, want a refusal", err)
	}
	job.End(nil)
}

// Of two limits of one scope the last holds, as of two budgets.
func TestScopeGivenTwice(t *testing.T) {
	acme := budget.Scope{Kind: budget.Tenant, ID: "acme", Limit: dollar}
	more := budget.Scope{Kind: budget.Tenant, ID: "acme", Limit: 2 * dollar}
	for name, opts := range ledgers {
		for reason, scopes := range map[string][]instrument.JobOption{
			"in one option":  {instrument.WithScopes(acme, more)},
			"in two options": {instrument.WithScopes(acme), instrument.WithScopes(more)},
		} {
			t.Run(name+" "+reason, func(t *testing.T) {
				p, _ := instrumenttest.New(t, opts()...)
				ctx, job := p.StartJob(t.Context(), "job-1", scopes...)
				defer job.End(nil)
				if err := buy(ctx, "gpt", cent, instrument.WithMaxCost(2*dollar)); err != nil {
					t.Errorf("refused within the second limit: %v", err)
				}
				var refusal *instrument.BudgetError
				if err := buy(ctx, "gpt", cent, instrument.WithMaxCost(2*dollar)); !errors.As(err, &refusal) || refusal.Scope != more {
					t.Errorf("%v, want a refusal of the second limit", err)
				}
			})
		}
	}
}

// A scope that cannot be a budget must not let every call pass.
func TestScopesThatAreNone(t *testing.T) {
	for _, tt := range []struct {
		reason  string
		scope   budget.Scope
		invalid string
		report  bool
	}{
		{"no kind", budget.Scope{ID: "acme", Limit: dollar}, "", true},
		{"an unknown kind", budget.Scope{Kind: "week", ID: "acme", Limit: dollar}, "", true},
		{"the job's own", budget.Scope{Kind: budget.Job, ID: "job-1", Limit: dollar}, "", true},
		{"a limit that is no number", budget.Scope{Kind: budget.Tenant, ID: "acme", Limit: notANumber}, "nan", false},
		{"a negative limit", budget.Scope{Kind: budget.Tenant, ID: "acme", Limit: -1}, "negative", false},
	} {
		for name, opts := range ledgers {
			t.Run(name+": "+tt.reason, func(t *testing.T) {
				reports := captureReports(t)
				p, rec := instrumenttest.New(t, opts()...)
				ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(5*dollar), instrument.WithScopes(tt.scope))
				if err := buy(ctx, "gpt", cent); !errors.Is(err, instrument.ErrBudgetExceeded) {
					t.Errorf("%v, want a refusal", err)
				}
				job.End(nil)
				if tt.report {
					reports.expect(t, `every paid call of job "job-1" is refused`)
				}
				if tt.invalid != "" {
					if got := rec.Counter(vp("invalid_values_total"), label("metric", "video.processing.budget_remaining"), label("reason", tt.invalid)); got != 1 {
						t.Errorf("%v counted as %s, want 1", got, tt.invalid)
					}
				}
			})
		}
	}
}

// A refusal is the first crossing of a budget also if another job has set its limit to 0 meanwhile.
func TestRefusalAfterTheLimitBecame0(t *testing.T) {
	for name, opts := range ledgers {
		t.Run(name, func(t *testing.T) {
			p, rec := instrumenttest.New(t, opts()...)
			ctx, first := p.StartJob(t.Context(), "first", instrument.WithBudget(dollar), instrument.WithAccount("order"))
			_, second := p.StartJob(t.Context(), "second", instrument.WithBudget(0), instrument.WithAccount("order"))
			if err := buy(ctx, "gpt", cent); !errors.Is(err, instrument.ErrBudgetExceeded) {
				t.Errorf("%v, want a refusal", err)
			}
			if got := rec.Counter(vp("budget_exceeded_total")); got != 1 {
				t.Errorf("%v budgets exceeded, want 1", got)
			}
			second.End(nil)
			first.End(nil)
		})
	}
}

// What jobs that share an account have left is what the account has left, whoever spends it.
func TestJobsThatShareAnAccountSeeEachOthersCosts(t *testing.T) {
	p, rec := instrumenttest.New(t)
	shared := []instrument.JobOption{instrument.WithBudget(dollar), instrument.WithAccount("order")}
	one, first := p.StartJob(t.Context(), "first", shared...)
	_, second := p.StartJob(t.Context(), "second", shared...)
	if err := buy(one, "gpt", 60*cent); err != nil {
		t.Fatal(err)
	}
	_, call, err := instrument.StartCall(one, "gpt", instrument.WithMaxCost(10*cent))
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := second.BudgetRemaining(); left != 40*cent {
		t.Errorf("%s remain for the second job, want $0.40", left)
	}
	if left, _ := rec.Gauge(vp("budget_remaining_usd"), label("job_id", "second")); left != 0.4 {
		t.Errorf("the second job's series shows %v, want 0.4", left)
	}
	if got, want := *p.Snapshot(instrument.Query{Job: "second"}).Live[0].Budget, (instrument.BudgetState{Account: "order", Limit: dollar, Spent: 60 * cent, Held: 10 * cent}); got != want {
		t.Errorf("the second job's budget is %+v, want %+v", got, want)
	}
	call.End(nil)
	first.End(nil)
	second.End(nil)
}

// The refusal of a call whose price is unknown names the scope that has a limit.
func TestRefusalOfAnUnknownPriceNamesTheScope(t *testing.T) {
	acme := budget.Scope{Kind: budget.Tenant, ID: "acme", Limit: dollar}
	for name, opts := range ledgers {
		t.Run(name, func(t *testing.T) {
			p, rec := instrumenttest.New(t, opts()...)
			for want, options := range map[budget.Scope][]instrument.JobOption{
				acme: {instrument.WithScopes(acme)},
				{Kind: budget.Job, ID: "job-1", Limit: cent}: {instrument.WithScopes(acme), instrument.WithBudget(cent)},
			} {
				ctx, job := p.StartJob(t.Context(), "job-1", options...)
				_, _, err := instrument.StartCall(ctx, "gpt", instrument.WithUnknownCost("new_model"))
				var refusal *instrument.BudgetError
				if !errors.As(err, &refusal) || refusal.Scope != want || refusal.Limit != want.Limit || refusal.Unpriced != "new_model" {
					t.Errorf("%+v, want the scope %+v", err, want)
				}
				job.End(nil)
			}
			if got := rec.Counter(vp("budget_exceeded_total")); got != 0 {
				t.Errorf("%v budgets exceeded, want 0", got)
			}
		})
	}
}

// A scope that the ledger does not know refuses every call, and says why.
func TestScopeThatTheLedgerDoesNotKnow(t *testing.T) {
	for name, opts := range ledgers {
		t.Run(name, func(t *testing.T) {
			reports := captureReports(t)
			p, rec := instrumenttest.New(t, opts()...)
			ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithScopes(budget.Scope{Kind: "week", ID: "all", Limit: dollar}))
			err := buy(ctx, "gpt", cent)
			if !errors.Is(err, budget.ErrInvalid) || !errors.Is(err, instrument.ErrBudgetExceeded) || instrument.ErrorType(err) != "budget_exceeded" {
				t.Errorf("error %v of type %s", err, instrument.ErrorType(err))
			}
			if got := rec.Counter(vp("budget_exceeded_total")); got != 0 {
				t.Errorf("%v budgets exceeded, want 0", got)
			}
			reports.expect(t, `"week"`)
			job.End(nil)
		})
	}
}
