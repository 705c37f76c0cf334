package migrating

import (
	"context"
	"errors"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// Answer is a language model's answer.
type Answer struct {
	Text   string
	Tokens int64
}

func book(ctx context.Context) {
	// page: track_cost
	instrument.Spend(ctx, "openai", 5*instrument.Cent)
	// end
}

// page: track_api_cost
var ask = instrument.WrapCall("openai",
	func(a Answer) instrument.USD { return money.Per(2*money.Cent, 1000).Of(a.Tokens) }, // $0.02 per 1,000 tokens
	func(ctx context.Context, prompt string) (Answer, error) {
		return complete(ctx, prompt)
	})

// end

func billed(ctx context.Context, prompt string) error {
	// page: track_api_cost, of a call that fails
	err := instrument.RunCall(ctx, "openai", func(ctx context.Context) error {
		answer, err := complete(ctx, prompt)
		if answer.Tokens > 0 { // without an answer the cost is unknown, not $0
			instrument.CallFromContext(ctx).SetCost(money.Per(2*money.Cent, 1000).Of(answer.Tokens))
		}
		return err // the call counts as failed, and its tokens are booked
	})
	// end
	return err
}

var errFiltered = errors.New("the answer was filtered")

func complete(_ context.Context, prompt string) (Answer, error) {
	if prompt == "" {
		return Answer{Tokens: 500}, errFiltered
	}
	return Answer{Text: prompt, Tokens: 500}, nil
}

func withBudget(ctx context.Context, video Video) error {
	// page: set_budget_remaining, enforced
	err := instrument.RunJob(ctx, video.ID, func(ctx context.Context) error {
		_, err := ask(ctx, "what happens in this video?") // refused when the budget is used up
		return err
	}, instrument.WithBudget(450*instrument.Cent))
	// end
	return err
}

func showRemaining(ctx context.Context) {
	// page: set_budget_remaining
	instrument.JobFromContext(ctx).ReportBudgetRemaining(instrument.Dollars(4.50))
	// end
}
