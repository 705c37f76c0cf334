package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// buy makes a call that costs this much.
func buy(ctx context.Context, api string, cost instrument.USD, opts ...instrument.CallOption) error {
	_, err := instrument.RunCallValue(ctx, api, func(struct{}) instrument.USD { return cost },
		func(context.Context) (struct{}, error) { return struct{}{}, nil }, opts...)
	return err
}

// eventsOf lists the events of a span about its budget.
func eventsOf(span tracetest.SpanStub) string {
	text := ""
	for _, e := range span.Events {
		text += e.Name
		for _, a := range e.Attributes {
			text += " " + string(a.Key) + "=" + a.Value.String()
		}
		text += "\n"
	}
	return text
}

// Check, then act, is how budgets are overspent: here 1,000 calls check at once.
func TestBudgetIsStrict(t *testing.T) {
	const calls, room = 1000, 37
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(room*3*cent+2*cent))
	var made, refused atomic.Int64
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range calls {
		wg.Go(func() {
			<-start
			_, err := instrument.RunCallValue(ctx, "whisper", nil, func(context.Context) (struct{}, error) {
				made.Add(1)
				return struct{}{}, nil
			}, instrument.WithMaxCost(3*cent))
			if errors.Is(err, instrument.ErrBudgetExceeded) {
				refused.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	wg.Wait()

	if made.Load() != room || refused.Load() != calls-room {
		t.Errorf("%d calls made and %d refused, want %d and %d", made.Load(), refused.Load(), room, calls-room)
	}
	for status, want := range map[string]float64{"success": room, "refused": calls - room, "error": 0} {
		if got := rec.Counter(vp("api_calls_total"), label("api", "whisper"), label("status", status)); got != want {
			t.Errorf("%v calls with status %s, want %v", got, status, want)
		}
	}
	if got := job.Cost(); got != room*3*cent {
		t.Errorf("the job cost %s, want $1.11", got)
	}
	if got, _ := job.BudgetRemaining(); got != 2*cent {
		t.Errorf("%s remain, want $0.02", got)
	}
	if got := rec.Counter(vp("budget_exceeded_total")); got != 1 {
		t.Errorf("budget exceeded %v times, want once for the job", got)
	}
	job.End(nil)
}

func TestRefusal(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
	if err := buy(ctx, "gpt", 60*cent, instrument.WithMaxCost(70*cent)); err != nil {
		t.Fatal(err)
	}
	_, open, err := instrument.StartCall(ctx, "gpt", instrument.WithMaxCost(25*cent))
	if err != nil {
		t.Fatal(err)
	}
	text, err := instrument.RunCallValue(ctx, "whisper", nil, func(context.Context) (string, error) {
		t.Error("the refused call was made")
		return "hello", nil
	}, instrument.WithMaxCost(20*cent))
	open.End(nil)

	var refusal *instrument.BudgetError
	if !errors.As(err, &refusal) || !errors.Is(fmt.Errorf("transcribe: %w", err), instrument.ErrBudgetExceeded) {
		t.Fatalf("error %v, want a *BudgetError", err)
	}
	want := instrument.BudgetError{Scope: budget.Scope{Kind: budget.Job, ID: "job-1", Limit: dollar}, Job: "job-1", API: "whisper", Limit: dollar, Spent: 60 * cent, Held: 25 * cent, Asked: 20 * cent}
	if *refusal != want {
		t.Errorf("refusal %+v, want %+v", *refusal, want)
	}
	const message = `budget exceeded: job "job-1" may spend $1.00, has spent $0.60 and holds $0.25; a call of whisper for at most $0.20 was not made`
	if err.Error() != message {
		t.Errorf("message\n%s, want\n%s", err, message)
	}
	if text != "" {
		t.Errorf("result %q, want the zero", text)
	}
	if errors.Is(err, context.Canceled) || instrument.ErrorType(err) != "budget_exceeded" {
		t.Errorf("type %q", instrument.ErrorType(err))
	}
	job.End(&err)
	if got := rec.Counter(vp("errors_total"), label("stage", "job"), label("error_type", "budget_exceeded")); got != 1 {
		t.Errorf("%v errors of the job, want 1", got)
	}
	rec.AssertSpanTree(`
		job error=budget_exceeded
		  call gpt (client)
		  call gpt (client)
		  call whisper (client) error=budget_exceeded
	`)
}

// The End of a refused call is harmless, so that a deferred one needs no condition.
func TestRefusedCallEndsByItself(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(0))
	_, call, err := instrument.StartCall(ctx, "whisper")
	call.SetCost(dollar)
	call.End(&err)
	job.End(nil)
	if got := rec.Counter(vp("api_calls_total"), label("api", "whisper")); got != 1 {
		t.Errorf("%v calls, want 1, refused", got)
	}
	if got := rec.Counter(vp("cost_usd_total")); got != 0 {
		t.Errorf("cost %v, want 0", got)
	}
}

// The money is gone: what a call has cost above its estimate is booked, and the next call pays for it.
func TestCallThatCostMoreThanItsEstimate(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(20*cent))
	if err := buy(ctx, "gpt", 50*cent, instrument.WithMaxCost(10*cent)); err != nil {
		t.Fatal(err)
	}
	if got, _ := job.BudgetRemaining(); got != -30*cent {
		t.Errorf("%s remain, want -$0.30", got)
	}
	if got, _ := rec.Gauge(vp("budget_remaining_usd"), label("job_id", "job-1")); got != -0.3 {
		t.Errorf("budget_remaining_usd %v, want -0.3", got)
	}
	if got := rec.Counter(vp("budget_exceeded_total")); got != 1 {
		t.Errorf("budget exceeded %v times, want 1", got)
	}
	var refusal *instrument.BudgetError
	if err := buy(ctx, "gpt", cent); !errors.As(err, &refusal) || refusal.Spent != 50*cent || refusal.Limit != 20*cent {
		t.Errorf("the next call gave %v, want a refusal", err)
	}
	job.End(nil)
}

// An alert on budget_exceeded_total counts jobs, not the calls of one job that has run out.
func TestBudgetExceededOncePerJob(t *testing.T) {
	p, rec := instrumenttest.New(t)
	exceeded := func() float64 { return rec.Counter(vp("budget_exceeded_total")) }
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(10*cent))
	if err := buy(ctx, "gpt", 10*cent); err != nil {
		t.Fatal(err)
	}
	if got := exceeded(); got != 0 {
		t.Errorf("all of it spent: %v, want 0: nothing is beyond the budget yet", got)
	}
	for range 3 {
		if err := buy(ctx, "gpt", cent); err == nil {
			t.Error("a call beyond the budget was made")
		}
		instrument.Spend(ctx, "gpu", cent)
	}
	again, second := p.StartJob(t.Context(), "job-1")
	_ = buy(again, "gpt", cent)
	second.End(nil)
	if got := exceeded(); got != 1 {
		t.Errorf("one job: %v, want 1", got)
	}
	other, third := p.StartJob(t.Context(), "job-2", instrument.WithBudget(0))
	_ = buy(other, "gpt", cent)
	third.End(nil)
	if got := exceeded(); got != 2 {
		t.Errorf("another job: %v, want 2", got)
	}
	job.End(nil)
}

func TestBudgetThresholdsAreEventsOnTheJobsSpan(t *testing.T) {
	const account = " video.processing.budget.scope=job video.processing.budget.id=job-1"
	event := func(percent, limit, spent string) string {
		name := "budget exceeded" + account
		if percent != "" {
			name = "budget threshold reached" + account + " video.processing.budget.percent=" + percent
		}
		return name + " video.processing.budget.limit_usd=" + limit + " video.processing.budget.spent_usd=" + spent + "\n"
	}
	for _, tt := range []struct {
		reason string
		limit  instrument.USD
		costs  []instrument.USD
		want   string
	}{
		{"step by step", 2 * dollar, []instrument.USD{99 * cent, cent, cent, 58 * cent, cent, 40 * cent},
			event("50", "2", "1") + event("80", "2", "1.6") + event("100", "2", "2")},
		{"all at once, and over", dollar, []instrument.USD{3 * dollar, dollar},
			event("50", "1", "3") + event("80", "1", "3") + event("100", "1", "3") + event("", "1", "3")},
		{"just below the first", dollar, []instrument.USD{50*cent - 1}, ""},
		{"a cost of 0 crosses nothing twice", dollar, []instrument.USD{50 * cent, 0, 0}, event("50", "1", "0.5")},
		{"a limit of 0 is crossed once", 0, []instrument.USD{cent, cent},
			event("50", "0", "0.01") + event("80", "0", "0.01") + event("100", "0", "0.01") + event("", "0", "0.01")},
		{"no limit, no thresholds", instrument.Unlimited, []instrument.USD{9_000_000_000 * dollar}, ""},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(tt.limit))
			for _, cost := range tt.costs {
				instrument.Spend(ctx, "gpu", cost)
			}
			job.End(nil)
			if got := eventsOf(rec.Span("job")); got != tt.want {
				t.Errorf("events\n%swant\n%s", got, tt.want)
			}
		})
	}
}

func TestBudgetThresholdsOnceUnderConcurrency(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(1000))
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() { instrument.Spend(ctx, "gpu", money.Nano) })
	}
	wg.Wait()
	job.End(nil)
	if events := rec.Span("job").Events; len(events) != 3 {
		t.Errorf("events\n%swant three", eventsOf(rec.Span("job")))
	}
	if got := rec.Counter(vp("budget_exceeded_total")); got != 0 {
		t.Errorf("exceeded %v times by what is just within", got)
	}
}

// A message that was delivered twice must not have twice the money.
func TestRunsOfOneIDShareOneBudget(t *testing.T) {
	p, rec := instrumenttest.New(t)
	remaining := func(j *instrument.Job) instrument.USD { r, _ := j.BudgetRemaining(); return r }
	one, first := p.StartJob(t.Context(), "job-1", instrument.WithBudget(dollar))
	two, second := p.StartJob(t.Context(), "job-1", instrument.WithBudget(50*cent))
	_ = buy(one, "gpt", 30*cent)
	_ = buy(two, "gpt", 15*cent)
	if a, b := remaining(first), remaining(second); a != 5*cent || b != 5*cent {
		t.Errorf("%s and %s remain, want $0.05 of the newest limit for both", a, b)
	}
	if first.Cost() != 30*cent || second.Cost() != 15*cent {
		t.Errorf("the runs cost %s and %s, want $0.30 and $0.15", first.Cost(), second.Cost())
	}
	if got, _ := rec.Gauge(vp("job_cost_usd"), label("job_id", "job-1")); instrument.Dollars(got) != 45*cent {
		t.Errorf("job_cost_usd of both %v, want 0.45", got)
	}
	second.End(nil)
	if err := buy(one, "gpt", cent, instrument.WithMaxCost(6*cent)); !errors.Is(err, instrument.ErrBudgetExceeded) {
		t.Errorf("with one run ended: %v, want a refusal", err)
	}
	first.End(nil)
	if _, ok := rec.Gauge(vp("budget_remaining_usd")); ok {
		t.Error("the series outlives the last run")
	}
	three, third := p.StartJob(t.Context(), "job-1", instrument.WithBudget(50*cent))
	if err := buy(three, "gpt", cent, instrument.WithMaxCost(50*cent)); err != nil {
		t.Errorf("a run after the last of before: %v, want a budget of its own", err)
	}
	third.End(nil)
}
