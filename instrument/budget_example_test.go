package instrument_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// A job whose budget does not suffice: the call that does not fit is not made.
func ExampleWithBudget() {
	p, _ := instrument.New()
	ctx, job := p.StartJob(context.Background(), "job-1", instrument.WithBudget(10*instrument.Cent))
	estimate := instrument.WithMaxCost(4 * instrument.Cent)
	for part := range 3 {
		_, err := instrument.RunCallValue(ctx, "whisper", nil, func(context.Context) (Transcript, error) {
			fmt.Println("transcribing part", part+1)
			return Transcript{}, nil
		}, estimate)
		if errors.Is(err, instrument.ErrBudgetExceeded) {
			fmt.Println(err)
		}
	}
	remaining, _ := job.BudgetRemaining()
	fmt.Println(remaining, "remain")
	job.End(nil)
	// Output:
	// transcribing part 1
	// transcribing part 2
	// budget exceeded: job "job-1" may spend $0.10, has spent $0.08 and holds $0.00; a call of whisper for at most $0.04 was not made
	// $0.02 remain
}

// Falling back to something cheaper when the budget refuses.
func ExampleBudgetError() {
	p, _ := instrument.New()
	ctx, job := p.StartJob(context.Background(), "job-1", instrument.WithBudget(instrument.Cent))
	defer job.End(nil)

	_, err := instrument.RunCallValue(ctx, "gpt-large", nil, func(context.Context) (string, error) { return "", nil },
		instrument.WithMaxCost(3*instrument.Cent))
	var refusal *instrument.BudgetError
	if errors.As(err, &refusal) {
		fmt.Println(refusal.API, "is", refusal.Asked-(refusal.Limit-refusal.Spent-refusal.Held), "too expensive")
	}
	// Output: gpt-large is $0.02 too expensive
}

// A program that keeps its own books shows what it has computed.
func ExampleJob_ReportBudgetRemaining() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, rec := instrumenttest.New(t)
	_, job := p.StartJob(context.Background(), "job-1")
	defer job.End(nil)
	job.ReportBudgetRemaining(instrument.Dollars(12.34))
	fmt.Print(rec.Exposition("video_processing_budget_remaining_usd"))
	// Output:
	// # HELP video_processing_budget_remaining_usd Budget that a job in progress has left, in US dollars.
	// # TYPE video_processing_budget_remaining_usd gauge
	// video_processing_budget_remaining_usd{job_id="job-1"} 12.34
}

// Two pipelines that share a ledger share the budgets of their jobs, as the workers of a fleet would.
func ExampleWithLedger() {
	ledger := budget.NewMemoryLedger()
	one, _ := instrument.New(instrument.WithLedger(ledger))
	two, _ := instrument.New(instrument.WithLedger(ledger))
	budget := instrument.WithBudget(10 * instrument.Cent)
	first, a := one.StartJob(context.Background(), "job-1", budget)
	second, b := two.StartJob(context.Background(), "job-1", budget)
	defer a.End(nil)
	defer b.End(nil)

	instrument.Spend(first, "gpu", 10*instrument.Cent)
	_, _, err := instrument.StartCall(second, "whisper")
	fmt.Println(err)
	// Output: budget exceeded: job "job-1" may spend $0.10, has spent $0.10 and holds $0.00; a call of whisper was not made
}

// A message is delivered again until its job succeeds. All attempts share one budget.
func ExampleWithBudget_redelivery() {
	p, _ := instrument.New()
	for attempt := range 3 {
		err := p.RunJob(context.Background(), "video-1", func(ctx context.Context) error {
			for range 2 {
				err := instrument.RunCall(ctx, "whisper", transcode, instrument.WithMaxCost(40*instrument.Cent))
				if err != nil {
					return err
				}
			}
			return errors.New("the upload failed")
		}, instrument.WithBudget(instrument.Dollar))
		fmt.Println(attempt+1, err)
	}
	fmt.Println(p.Forget(context.Background(), "video-1"))
	// Output:
	// 1 the upload failed
	// 2 budget exceeded: job "video-1" may spend $1.00, has spent $0.80 and holds $0.00; a call of whisper for at most $0.40 was not made
	// 3 budget exceeded: job "video-1" may spend $1.00, has spent $0.80 and holds $0.00; a call of whisper for at most $0.40 was not made
	// <nil>
}

// A call has to fit into the budgets of the job, of its tenant and of the day.
func ExampleWithScopes() {
	p, _ := instrument.New()
	for _, id := range []string{"video-1", "video-2"} {
		err := p.RunJob(context.Background(), id, func(ctx context.Context) error {
			return instrument.RunCall(ctx, "whisper", transcode, instrument.WithMaxCost(40*instrument.Cent))
		}, instrument.WithBudget(instrument.Dollar), instrument.WithScopes(
			budget.Scope{Kind: budget.Tenant, ID: "acme", Limit: 50 * instrument.Cent},
			budget.Scope{Kind: budget.Day, ID: "all", Limit: 100 * instrument.Dollar}))
		fmt.Println(id, err)
	}
	// Output:
	// video-1 <nil>
	// video-2 budget exceeded: tenant "acme" of job "video-2" may spend $0.50, has spent $0.40 and holds $0.00; a call of whisper for at most $0.40 was not made
}

func transcode(context.Context) error { return nil }
