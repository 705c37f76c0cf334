package migrating

import (
	"context"

	"github.com/stagemeter/stagemeter/instrument"
)

// Answer is what a language model says.
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
	func(a Answer) instrument.USD { return (2 * instrument.Cent).Prorate(a.Tokens, 1000) }, // $0.02 per 1,000 tokens
	func(ctx context.Context, prompt string) (Answer, error) {
		return complete(ctx, prompt)
	})

// end

func complete(_ context.Context, prompt string) (Answer, error) {
	return Answer{Text: prompt, Tokens: 500}, nil
}

func withBudget(ctx context.Context, p *instrument.Pipeline, video Video) error {
	// page: set_budget_remaining, enforced
	err := p.RunJob(ctx, video.ID, func(ctx context.Context) error {
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
