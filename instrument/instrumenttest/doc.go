// Package instrumenttest tests what a program records with package instrument: its metrics, its spans, and its
// exposition in Prometheus.
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
// Code that finds its pipeline in the context is given one with instrument.ContextWithPipeline(ctx, p), code that
// finds none with instrument.SetDefault(p), undone by t.Cleanup.
//
// # Names
//
// A metric is read by its Prometheus name or its OpenTelemetry name, and attributes are given with either key:
// error_type or error.type. Attributes select: a series matches if it has all of them, and several that match are
// added up. What is known and was not recorded reads as 0. What is not known (a name, an attribute's key, a value that
// the closed set of an attribute does not have, a counter read as a histogram) ends the test and names what comes
// nearest, so a typo never reads as 0.
//
// A label of instrument.WithLabels is known as soon as a series has it.
//
// # Ledgers
//
// Package budgettest checks an implementation of budget.Ledger.
package instrumenttest
