// Package instrumenttest tests what a program records with package instrument: its metrics, its
// spans, and what Prometheus scrapes.
//
//	func TestTranscribe(t *testing.T) {
//		p, rec := instrumenttest.New(t)
//		ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(instrument.Dollar))
//		transcribe(ctx, "talk.mp4")
//		job.End(nil)
//
//		if got := rec.Counter("video_processing_api_calls_total", semconv.AttrAPI.String("whisper")); got != 1 {
//			t.Errorf("%v calls of whisper, want 1", got)
//		}
//		rec.AssertSpanTree(`
//			job
//			  stage transcription
//			    call whisper (client)
//		`)
//	}
//
// For code that takes its pipeline from the context, use instrument.ContextWithPipeline(ctx, p).
// For other code use t.Cleanup(instrument.SetDefault(p)).
//
// # Names
//
// A metric is read by its Prometheus name or its OpenTelemetry name. Attributes may have either
// key: error_type or error.type. A series matches if it has all given attributes; several that
// match are added up. A known metric that was not recorded reads as 0. A mistake ends the test with
// the nearest names: an unknown metric, key or value of a closed set, or a counter that is read as
// a histogram. So a typo never reads as 0.
//
// A label of instrument.WithLabels is known as soon as a series has it.
//
// # Ledgers
//
// Package budgettest checks an implementation of budget.Ledger.
package instrumenttest
