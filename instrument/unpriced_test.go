package instrument_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
)

func TestUnpricedPolicy(t *testing.T) {
	deny, allow := instrument.DenyUnpriced(), instrument.AllowUnpriced()
	reserve := instrument.ReserveUnpriced(40 * cent)
	unknown := instrument.WithUnknownCost("new_model")
	prices := func(u instrument.USD) func(*instrument.Call) { return func(c *instrument.Call) { c.SetCost(u) } }
	nothing := func(*instrument.Call) {}
	for _, tt := range []struct {
		reason   string
		policy   instrument.UnpricedPolicy
		limit    instrument.USD
		spent    instrument.USD // before
		option   instrument.CallOption
		says     func(*instrument.Call)
		err      error
		refused  string // why; "-" if the budget is used up
		held     instrument.USD
		cost     instrument.USD // of the call
		lost     instrument.USD // by the budget
		unpriced float64
	}{
		{reason: "deny", policy: deny, limit: dollar, option: unknown, refused: "new_model"},
		{reason: "deny is the zero policy", limit: dollar, option: unknown, refused: "new_model"},
		{reason: "deny: a maximum that is none", policy: deny, limit: dollar, option: instrument.WithMaxCost(notANumber), refused: "invalid"},
		{reason: "deny: no limit", policy: deny, limit: instrument.Unlimited, option: unknown, says: nothing, unpriced: 1},
		{reason: "deny: a call that may still learn its price", policy: deny, limit: dollar, says: prices(cent), cost: cent, lost: cent},
		{reason: "deny: a call that does not learn its price", policy: deny, limit: dollar, says: nothing, unpriced: 1},
		{reason: "deny: free", policy: deny, limit: dollar, option: instrument.Free(), says: nothing},

		{reason: "reserve: the price turns up", policy: reserve, limit: dollar, option: unknown, says: prices(cent), held: 40 * cent, cost: cent, lost: cent},
		{reason: "reserve: it stays unknown", policy: reserve, limit: dollar, option: unknown, says: nothing, held: 40 * cent, lost: 40 * cent, unpriced: 1},
		{reason: "reserve: it failed, and stays unknown", policy: reserve, limit: dollar, option: unknown, says: nothing, err: errCutOff, held: 40 * cent, lost: 40 * cent, unpriced: 1},
		{reason: "reserve: it surely cost nothing", policy: reserve, limit: dollar, option: unknown, says: nothing, err: surelyFree, held: 40 * cent},
		{reason: "reserve: it does not fit", policy: reserve, limit: dollar, spent: 61 * cent, option: unknown, refused: "-"},
		{reason: "reserve: a maximum that is none", policy: reserve, limit: dollar, option: instrument.WithMaxCost(-1), says: nothing, held: 40 * cent, lost: 40 * cent, unpriced: 1},
		{reason: "reserve: no limit", policy: reserve, limit: instrument.Unlimited, option: unknown, says: nothing, unpriced: 1},
		{reason: "reserve: a call that may still learn its price", policy: reserve, limit: dollar, says: nothing, unpriced: 1},

		{reason: "allow: the price turns up", policy: allow, limit: dollar, option: unknown, says: prices(cent), cost: cent, lost: cent},
		{reason: "allow: it stays unknown", policy: allow, limit: dollar, option: unknown, says: nothing, unpriced: 1},
		{reason: "allow: all but nothing is left", policy: allow, limit: dollar, spent: dollar - 1, option: unknown, says: nothing, unpriced: 1},
		{reason: "allow: nothing is left", policy: allow, limit: dollar, spent: dollar, option: unknown, refused: "-"},
		{reason: "allow: a maximum that is none", policy: allow, limit: dollar, option: instrument.WithMaxCost(infinite), says: nothing, unpriced: 1},

		{reason: "free: nothing is left", limit: dollar, spent: 2 * dollar, option: instrument.Free(), says: nothing},
		{reason: "free: a limit of 0", limit: 0, option: instrument.Free(), says: nothing},
		{reason: "free, and then not", limit: 0, option: instrument.Free(), says: prices(cent), cost: cent, lost: cent},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t, instrument.WithUnpricedPolicy(tt.policy))
			ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(tt.limit))
			instrument.Spend(ctx, "gpu", tt.spent)
			err := instrument.RunCall(ctx, "gpt", func(ctx context.Context) error {
				if left := tt.limit - tt.spent - tt.held; tt.held > 0 {
					if err := buy(ctx, "other", 0, instrument.WithMaxCost(money.Sum(left, 1))); err == nil {
						t.Errorf("less than %s is held", tt.held)
					}
				}
				tt.says(instrument.CallFromContext(ctx))
				return tt.err
			}, tt.option)
			var refusal *instrument.BudgetError
			switch {
			case tt.refused == "" && err != tt.err:
				t.Fatalf("error %v, want %v", err, tt.err)
			case tt.refused == "-" && (!errors.As(err, &refusal) || refusal.Unpriced != ""):
				t.Errorf("error %v, want a refusal because nothing is left", err)
			case tt.refused != "" && tt.refused != "-":
				if !errors.As(err, &refusal) || !errors.Is(err, instrument.ErrBudgetExceeded) || refusal.Unpriced != tt.refused ||
					refusal.Job != "job-1" || refusal.API != "gpt" || refusal.Limit != tt.limit || refusal.Asked != 0 || !strings.Contains(err.Error(), tt.refused) {
					t.Errorf("error %v (%+v), want a refusal that says %s", err, refusal, tt.refused)
				}
				if got := rec.Counter(vp("budget_exceeded_total")); got != 0 {
					t.Errorf("budget_exceeded_total %v: nothing was exceeded", got)
				}
			}
			refused := 0.0
			if tt.refused != "" {
				refused = 1
			}
			if got := rec.Counter(vp("api_calls_total"), label("api", "gpt"), label("status", "refused")); got != refused {
				t.Errorf("%v calls refused, want %v", got, refused)
			}
			if got := rec.Counter(vp("api_unpriced_total"), label("api", "gpt")); got != tt.unpriced {
				t.Errorf("%v unpriced calls, want %v", got, tt.unpriced)
			}
			if got, want := job.Cost(), money.Sum(tt.spent, tt.cost); got != want {
				t.Errorf("the job cost %s, want %s", got, want)
			}
			want := instrument.Unlimited
			if tt.limit != instrument.Unlimited {
				want = tt.limit - tt.spent - tt.lost
			}
			if left, _ := job.BudgetRemaining(); left != want {
				t.Errorf("%s left, want %s", left, want)
			}
			job.End(nil)
		})
	}
}

// Outside of a budget nothing is refused: the policy is the budget's.
func TestUnpricedPolicyConcernsBudgetsOnly(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1")
	outside := instrument.ContextWithPipeline(t.Context(), p)
	for _, ctx := range []context.Context{ctx, outside} {
		if err := instrument.RunCall(ctx, "gpt", func(context.Context) error { return nil }, instrument.WithUnknownCost("new_model")); err != nil {
			t.Error(err)
		}
	}
	job.End(nil)
	if got := rec.Counter(vp("api_unpriced_total"), label("reason", "new_model")); got != 2 {
		t.Errorf("%v unpriced calls, want 2", got)
	}
}

func TestReserveOfWhatIsNoAmountIsAnError(t *testing.T) {
	for _, amount := range []instrument.USD{-1, notANumber, infinite, instrument.Unlimited} {
		if _, err := instrument.New(instrument.WithUnpricedPolicy(instrument.ReserveUnpriced(amount))); err == nil ||
			!strings.Contains(err.Error(), "WithUnpricedPolicy") {
			t.Errorf("reserving %s: error %v, want one of WithUnpricedPolicy", amount, err)
		}
	}
}
