package instrument_test

import (
	"context"
	"fmt"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// Transcript is what the speech API of these examples answers.
type Transcript struct {
	Text     string
	Duration time.Duration
}

func speechAPI(context.Context, string) (Transcript, error) {
	return Transcript{Text: "hello", Duration: 61 * time.Second}, nil
}

func speechPrice(t Transcript) money.USD {
	return money.PerMinute(6 * money.Cent / 10).Of(t.Duration)
}

// A paid call: counted, priced by its result, and booked on its job.
func ExampleRunCall() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(context.Background(), "job-1")
	transcript, err := instrument.RunCallValue(ctx, "whisper", speechPrice, func(ctx context.Context) (Transcript, error) {
		return speechAPI(ctx, "talk.wav")
	})
	job.End(&err)

	fmt.Println(transcript.Text, err)
	fmt.Println(job.Cost())
	fmt.Print(rec.Exposition("video_processing_cost_usd_total"))
	// Output:
	// hello <nil>
	// $0.0061
	// # HELP video_processing_cost_usd_total Money spent on paid APIs, in US dollars.
	// # TYPE video_processing_cost_usd_total counter
	// video_processing_cost_usd_total{api="whisper"} 0.0061
}

// The decorator: the function that is used everywhere is wrapped once, and keeps its signature.
func ExampleWrapCall() {
	transcribe := instrument.WrapCall("whisper", speechPrice, speechAPI)

	p, _ := instrument.New()
	ctx, job := p.StartJob(context.Background(), "job-1")
	transcript, err := transcribe(ctx, "talk.wav")
	job.End(&err)
	fmt.Println(transcript.Text, err, job.Cost())
	// Output: hello <nil> $0.0061
}

// A function that measures itself.
func ExampleStartCall() {
	transcribe := func(ctx context.Context) (text string, err error) {
		ctx, call, err := instrument.StartCall(ctx, "whisper")
		if err != nil {
			return "", err // refused by the budget
		}
		defer call.End(&err)
		transcript, err := speechAPI(ctx, "talk.wav")
		if err != nil {
			return "", err
		}
		call.SetCost(speechPrice(transcript))
		return transcript.Text, nil
	}

	p, _ := instrument.New()
	ctx, job := p.StartJob(context.Background(), "job-1")
	text, err := transcribe(ctx)
	job.End(&err)
	fmt.Println(text, err, job.Cost())
	// Output: hello <nil> $0.0061
}

// A cost that no call stands for.
func ExampleSpend() {
	p, _ := instrument.New()
	ctx, job := p.StartJob(context.Background(), "job-1")
	perHour := money.PerHour(250 * money.Cent)
	instrument.Spend(ctx, "gpu", perHour.Of(12*time.Minute))
	job.End(nil)
	fmt.Println(job.Cost())
	// Output: $0.50
}

// A call that was canceled has been paid for: its input was processed. One that was rejected has not.
func ExampleWithMinCost() {
	p, _ := instrument.New()
	input := instrument.WithMinCost(2 * instrument.Cent)
	for _, failure := range []error{context.Canceled, errRateLimited{}} {
		ctx, job := p.StartJob(context.Background(), "job-1")
		_, err := instrument.RunCallValue(ctx, "gpt", nil, func(context.Context) (string, error) { return "", failure }, input)
		job.End(&err)
		fmt.Printf("%v: %s\n", err, job.Cost())
	}
	// Output:
	// context canceled: $0.02
	// slow down: $0.00
}

// A model without a price: what its call costs is unknown, and not zero. Under a budget the policy
// decides.
func ExampleWithUnknownCost() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, rec := instrumenttest.New(t, instrument.WithUnpricedPolicy(instrument.ReserveUnpriced(20*instrument.Cent)))
	ctx, job := p.StartJob(context.Background(), "job-1", instrument.WithBudget(50*instrument.Cent))
	for range 3 {
		err := instrument.RunCall(ctx, "gpt", func(context.Context) error { return nil }, instrument.WithUnknownCost("unknown_model"))
		left, _ := job.BudgetRemaining()
		fmt.Println(left, "left,", job.Cost(), "known to be spent,", err)
	}
	job.End(nil)
	fmt.Println(rec.Counter("video_processing_api_unpriced_total"), "unpriced calls")
	// Output:
	// $0.30 left, $0.00 known to be spent, <nil>
	// $0.10 left, $0.00 known to be spent, <nil>
	// $0.10 left, $0.00 known to be spent, budget exceeded: job "job-1" may spend $0.50, has spent $0.40 and holds $0.00; a call of gpt for at most $0.20 was not made
	// 2 unpriced calls
}

type errRateLimited struct{}

func (errRateLimited) Error() string   { return "slow down" }
func (errRateLimited) StatusCode() int { return 429 }
