package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// A ledger that rather refuses work while its store is away must not let every call pass because the job could not
// even open its account.
func TestLedgerThatRefusesToOpen(t *testing.T) {
	reports := captureReports(t)
	away := func() error { return fmt.Errorf("store away: %w", instrument.ErrBudgetExceeded) }
	p, _ := instrumenttest.New(t, instrument.WithLedger(brokenLedger{budget.NewMemoryLedger(), "Open", away}))
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
	if err := buy(ctx, "gpt", cent); !errors.Is(err, instrument.ErrBudgetExceeded) {
		t.Errorf("the call gave %v, want a refusal", err)
	}
	job.End(nil)
	reports.expect(t, "store away")
}

// A store that is away has no figures to refuse with: the dashboard must not show an overspent budget for it.
func TestRefusalWithoutABalance(t *testing.T) {
	away := func() error { return fmt.Errorf("store away: %w", instrument.ErrBudgetExceeded) }
	p, rec := instrumenttest.New(t, instrument.WithLedger(brokenLedger{budget.NewMemoryLedger(), "Reserve", away}), patient)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(10*dollar))
	instrument.Spend(ctx, "gpu", dollar)
	var refusal *instrument.BudgetError
	if err := buy(ctx, "gpt", cent); !errors.As(err, &refusal) || refusal.Limit != 10*dollar || refusal.Spent != dollar {
		t.Errorf("the call gave %v, want a refusal with what is known", err)
	}
	if left, ok := job.BudgetRemaining(); left != 9*dollar || !ok {
		t.Errorf("%s remains, want $9.00", left)
	}
	if got := rec.Counter(vp("budget_exceeded_total")); got != 0 {
		t.Errorf("budget_exceeded_total = %v: nothing was exceeded", got)
	}
	job.End(nil)
}

// A worker that takes over a job shows what the one before it has left, not the whole budget.
func TestJoinedAccountShowsWhatIsLeft(t *testing.T) {
	ledger := budget.NewMemoryLedger()
	p1, _ := instrumenttest.New(t, instrument.WithLedger(ledger), patient)
	p2, rec2 := instrumenttest.New(t, instrument.WithLedger(ledger), patient)
	ctx, first := p1.StartJob(t.Context(), "job-1", instrument.WithBudget(2*dollar))
	instrument.Spend(ctx, "gpu", 150*cent)
	_, second := p2.StartJob(t.Context(), "job-1", instrument.WithBudget(2*dollar))
	if left, _ := rec2.Gauge(vp("budget_remaining_usd")); left != 0.5 {
		t.Errorf("the second worker shows $%v, want $0.50", left)
	}
	first.End(nil)
	second.End(nil)
}

// An id that always has a run under way, such as a tenant's, must not keep an account for every run there ever was.
func TestAccountsAreClosedWhileOtherRunsLive(t *testing.T) {
	l := &countedLedger{Ledger: budget.NewMemoryLedger()}
	p, _ := instrumenttest.New(t, instrument.WithLedger(l), patient)
	start := func() (context.Context, *instrument.Job) {
		return p.StartJob(t.Context(), "tenant-1", instrument.WithBudget(dollar))
	}
	_, before := start()
	for range 1000 {
		_, next := start()
		before.End(nil)
		before = next
	}
	if l.open > 2 {
		t.Errorf("%d accounts are open for one live run, want at most its own and one before", l.open)
	}
	ctx, last := start()
	before.End(nil)
	instrument.Spend(ctx, "gpu", 2*dollar)
	if err := buy(ctx, "gpt", cent); !errors.Is(err, instrument.ErrBudgetExceeded) {
		t.Errorf("the call gave %v: the live run has lost its budget", err)
	}
	last.End(nil)
	if l.open != 0 {
		t.Errorf("%d accounts are open when every run has ended", l.open)
	}
}

// countedLedger knows how many accounts are open.
type countedLedger struct {
	budget.Ledger
	open int
}

func (l *countedLedger) Open(ctx context.Context, scopes ...budget.Scope) (budget.Account, budget.Balance, error) {
	a, b, err := l.Ledger.Open(ctx, scopes...)
	l.open++
	return countedAccount{a, l}, b, err
}

type countedAccount struct {
	budget.Account
	l *countedLedger
}

func (a countedAccount) Close(ctx context.Context, final bool) error {
	a.l.open--
	return a.Account.Close(ctx, final)
}

// An estimate that came out as NaN would reserve nothing, and calls in parallel would overspend together.
func TestEstimateThatIsNoAmountIsRefused(t *testing.T) {
	for reason, estimate := range map[string]instrument.USD{"nan": notANumber, "inf": infinite, "negative": -cent} {
		p, rec := instrumenttest.New(t)
		ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
		_, _, err := instrument.StartCall(ctx, "gpt", instrument.WithMaxCost(estimate))
		if !errors.Is(err, instrument.ErrBudgetExceeded) {
			t.Errorf("%s: %v, want a refusal", reason, err)
		}
		if got := rec.Counter(vp("invalid_values_total"), label("metric", "video.processing.cost"), label("reason", reason)); got != 1 {
			t.Errorf("%s: counted %v times, want once", reason, got)
		}
		job.End(nil)

		free, unbounded := p.StartJob(t.Context(), "job-2", instrument.WithBudget(instrument.Unlimited))
		if _, call, err := instrument.StartCall(free, "gpt", instrument.WithMaxCost(estimate)); err != nil {
			t.Errorf("%s: without a limit: %v, want none", reason, err)
		} else {
			call.End(nil)
		}
		unbounded.End(nil)
	}
}

// What was observed of a call that was cut off is less than what its input cost, or more.
func TestCutOffCallBooksTheGreater(t *testing.T) {
	for _, tt := range []struct{ observed, want instrument.USD }{{5 * cent, 20 * cent}, {30 * cent, 30 * cent}} {
		p, _ := instrumenttest.New(t)
		ctx, job := p.StartJob(t.Context(), "job-1")
		_, call, err := instrument.StartCall(ctx, "gpt", instrument.WithMinCost(20*cent))
		if err != nil {
			t.Fatal(err)
		}
		call.SetCost(tt.observed)
		err = context.Canceled
		call.End(&err)
		if got := job.Cost(); got != tt.want {
			t.Errorf("%s were observed of a floor of $0.20: booked %s, want %s", tt.observed, got, tt.want)
		}
		job.End(nil)
	}
}

// A call whose function is nil was not made: its floor is not owed.
func TestCallThatWasNotMadeCostsNothing(t *testing.T) {
	p, _ := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1")
	if _, err := instrument.RunCallValue[int](ctx, "gpt", nil, nil, instrument.WithMinCost(dollar)); err == nil || job.Cost() != 0 {
		t.Errorf("error %v, cost %s, want an error and $0.00", err, job.Cost())
	}
	job.End(nil)
}
