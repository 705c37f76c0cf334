package instrumenttest_test

import (
	"context"
	"fmt"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/semconv"
)

func transcribe(ctx context.Context) (string, error) {
	return instrument.RunStageValue(ctx, "transcription", func(ctx context.Context) (string, error) {
		price := func(string) instrument.USD { return 6 * instrument.Cent / 10 }
		return instrument.RunCallValue(ctx, "whisper", price, func(context.Context) (string, error) { return "hello", nil })
	})
}

// A test of a function that transcribes: what it has paid, and the spans it has left.
func ExampleNew() {
	t := new(fakeT) // in a test: its *testing.T
	defer t.end()

	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1")
	before := rec.Snapshot()
	_, err := transcribe(ctx)
	during := rec.Snapshot().Sub(before)
	job.End(&err)

	whisper := semconv.AttrAPI.String("whisper")
	fmt.Println(during.Counter("video_processing_api_calls_total", whisper, semconv.CallStatusSuccess.Attr()), "call")
	fmt.Println(instrument.Dollars(during.Counter("video_processing_cost_usd_total", whisper)))
	rec.AssertSpanTree(`
		job
		  stage transcription
		    call whisper (client)
	`)
	fmt.Print(rec.Exposition("video_processing_api_calls_total"))
	// Output:
	// 1 call
	// $0.006
	// # HELP video_processing_api_calls_total Number of paid API calls by outcome.
	// # TYPE video_processing_api_calls_total counter
	// video_processing_api_calls_total{api="whisper",status="canceled"} 0
	// video_processing_api_calls_total{api="whisper",status="error"} 0
	// video_processing_api_calls_total{api="whisper",status="refused"} 0
	// video_processing_api_calls_total{api="whisper",status="success"} 1
}
