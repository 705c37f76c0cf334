package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		reason    string
		options   []instrument.JobOption
		refused   bool
		whole     instrument.USD // at the start
		remaining instrument.USD // after a call of $5
		series    bool
		invalid   string
	}{
		{reason: "no budget refuses nothing"},
		{reason: "room for it", options: []instrument.JobOption{instrument.WithBudget(6 * dollar)}, whole: 6 * dollar, remaining: dollar, series: true},
		{reason: "0 refuses everything", options: []instrument.JobOption{instrument.WithBudget(0)}, refused: true, series: true},
		{reason: "no limit has no series: 9.2 billion would not be one", options: []instrument.JobOption{instrument.WithBudget(instrument.Unlimited)}, whole: instrument.Unlimited, remaining: instrument.Unlimited},
		{reason: "a negative limit refuses", options: []instrument.JobOption{instrument.WithBudget(-1)}, refused: true, series: true, invalid: "negative"},
		{reason: "NaN refuses", options: []instrument.JobOption{instrument.WithBudget(notANumber)}, refused: true, series: true, invalid: "nan"},
		{reason: "infinity is not a way to say Unlimited", options: []instrument.JobOption{instrument.WithBudget(infinite)}, refused: true, series: true, invalid: "inf"},
		{reason: "the last of two options holds", options: []instrument.JobOption{instrument.WithBudget(0), instrument.WithBudget(7 * dollar)}, whole: 7 * dollar, remaining: 2 * dollar, series: true},
		{reason: "a nil option is none", options: []instrument.JobOption{nil}},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			ctx, job := p.StartJob(t.Context(), "job-1", tt.options...)
			defer job.End(nil)
			if whole, _ := job.BudgetRemaining(); whole != tt.whole {
				t.Errorf("at the start %s remain, want %s", whole, tt.whole)
			}
			err := buy(ctx, "whisper", 5*dollar)
			if errors.Is(err, instrument.ErrBudgetExceeded) != tt.refused {
				t.Errorf("the call gave %v, want refused %v", err, tt.refused)
			}
			remaining, ok := job.BudgetRemaining()
			if want := len(tt.options) > 0 && tt.options[0] != nil; ok != want || remaining != tt.remaining {
				t.Errorf("remaining %s, %v, want %s, %v", remaining, ok, tt.remaining, want)
			}
			value, series := rec.Gauge(vp("budget_remaining_usd"), label("job_id", "job-1"))
			if series != tt.series || series && instrument.Dollars(value) != tt.remaining {
				t.Errorf("series %v, %v, want %v, %v", value, series, tt.remaining.Float64(), tt.series)
			}
			want := 0.0
			if tt.invalid != "" {
				want = 1
				if got := rec.Counter(vp("invalid_values_total"), label("metric", "video.processing.budget_remaining"), label("reason", tt.invalid)); got != 1 {
					t.Errorf("%v invalid values of reason %s, want 1", got, tt.invalid)
				}
			}
			if got := rec.Counter(vp("invalid_values_total")); got != want {
				t.Errorf("%v invalid values, want %v", got, want)
			}
		})
	}
}

func TestReportBudgetRemaining(t *testing.T) {
	p, rec := instrumenttest.New(t)
	shown := func() string {
		v, ok := rec.Gauge(vp("budget_remaining_usd"), label("job_id", "job-1"))
		return fmt.Sprint(v, ok)
	}
	ctx, job := p.StartJob(t.Context(), "job-1")
	if got := shown(); got != "0 false" {
		t.Errorf("before: %s", got)
	}
	for _, invalid := range []instrument.USD{notANumber, infinite, instrument.Unlimited} {
		job.ReportBudgetRemaining(invalid)
	}
	if got := shown(); got != "0 false" {
		t.Errorf("after amounts that are none: %s", got)
	}
	for reason, want := range map[string]float64{"nan": 1, "inf": 2} {
		if got := rec.Counter(vp("invalid_values_total"), label("metric", "video.processing.budget_remaining"), label("reason", reason)); got != want {
			t.Errorf("%v invalid values of reason %s, want %v", got, reason, want)
		}
	}
	job.ReportBudgetRemaining(150 * cent)
	if got := shown(); got != "1.5 true" {
		t.Errorf("shown %s, want 1.5", got)
	}
	job.ReportBudgetRemaining(0)
	if got := rec.Counter(vp("budget_exceeded_total")); got != 0 {
		t.Errorf("nothing left: exceeded %v times, want 0", got)
	}
	job.ReportBudgetRemaining(-25 * cent)
	job.ReportBudgetRemaining(-50 * cent)
	if got := shown(); got != "-0.5 true" {
		t.Errorf("shown %s, want -0.5", got)
	}
	if got, ok := job.BudgetRemaining(); got != -50*cent || !ok {
		t.Errorf("BudgetRemaining %s, %v", got, ok)
	}
	if got := rec.Counter(vp("budget_exceeded_total")); got != 1 {
		t.Errorf("exceeded %v times, want once", got)
	}
	if err := buy(ctx, "gpt", dollar); err != nil {
		t.Errorf("it refuses: %v", err)
	}
	job.End(nil)
	if got := shown(); got != "0 false" {
		t.Errorf("after the end: %s", got)
	}
	job.ReportBudgetRemaining(dollar)
	if got := shown(); got != "0 false" {
		t.Errorf("set after the end: %s", got)
	}
}

func TestReportBudgetRemainingIsShownInPlaceOfTheBudget(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(10*cent))
	defer job.End(nil)
	job.ReportBudgetRemaining(9 * dollar)
	if err := buy(ctx, "gpt", 10*cent); err != nil {
		t.Fatal(err)
	}
	if got, _ := rec.Gauge(vp("budget_remaining_usd")); got != 9 {
		t.Errorf("shown %v, want 9", got)
	}
	if err := buy(ctx, "gpt", cent); !errors.Is(err, instrument.ErrBudgetExceeded) {
		t.Errorf("error %v: what is shown must not loosen the limit", err)
	}
}

// Answers of a ledger that is far away overtake each other. What is spent never comes back.
func TestAnswersThatOvertakeEachOther(t *testing.T) {
	l := &slowLedger{Ledger: budget.NewMemoryLedger(), booked: make(chan struct{}), answer: make(chan struct{})}
	p, _ := instrumenttest.New(t, instrument.WithLedger(l), patient)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
	defer job.End(nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		instrument.Spend(ctx, "slow", 10*cent)
	}()
	<-l.booked
	instrument.Spend(ctx, "fast", 20*cent)
	close(l.answer)
	<-done
	if got, _ := job.BudgetRemaining(); got != 70*cent {
		t.Errorf("%s remain, want $0.70", got)
	}
}

// slowLedger books its first cost at once, and answers when it is told to.
type slowLedger struct {
	budget.Ledger
	first          sync.Once
	booked, answer chan struct{}
}

func (l *slowLedger) Open(ctx context.Context, scopes ...budget.Scope) (budget.Account, budget.Balance, error) {
	a, b, err := l.Ledger.Open(ctx, scopes...)
	return slowAccount{a, l}, b, err
}

type slowAccount struct {
	budget.Account
	ledger *slowLedger
}

func (a slowAccount) Settle(ctx context.Context, h budget.Hold, cost instrument.USD) (budget.Balance, error) {
	slow := false
	a.ledger.first.Do(func() { slow = true })
	b, err := a.Account.Settle(ctx, h, cost)
	if slow {
		close(a.ledger.booked)
		<-a.ledger.answer
	}
	return b, err
}
