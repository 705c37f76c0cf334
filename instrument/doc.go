// Package instrument measures video and AI-media pipelines with OpenTelemetry: jobs, stages, paid calls and budgets,
// media quality, processes, connection pools and errors. It imports the OpenTelemetry API alone; package exporters,
// or any other set-up of the SDK, decides where the telemetry goes.
//
//	p, err := instrument.New(instrument.WithStages("analysis", "rendering"), instrument.WithAPIs("whisper"))
//	…
//	ctx, job := p.StartJob(ctx, id, instrument.WithBudget(2*instrument.Dollar))
//	defer job.End(&err)
//	segments, err := instrument.RunStage(ctx, "analysis", analyze)
//
// Start, Run and Wrap are three ways to say the same: Start and a deferred End where a function measures itself, Run
// around a call, Wrap once around a function, as a decorator. The pipeline and the job are found through the context.
// What is recorded outside of a job goes to the pipeline of [ContextWithPipeline], else to [Default]: nothing is lost.
//
// # What it does to a program
//
// Nothing. No call panics, exits, starts a goroutine or, unless [WithLedger] gives a ledger that does, blocks on a
// network, and recordings return no error. Values
// that no histogram should see (NaN, infinities, out of range) are counted in
// video_processing_invalid_values_total{metric, reason}. What has no caller to return to goes to otel.Handle. User code
// that is called (price functions, classifiers, carriers, pool statistics) may panic without harm. A nil *Pipeline,
// *Job, *Stage, *Call or *Process is inert: what it wraps runs unmeasured. The one thing that may refuse work is a
// budget, see [WithBudget].
//
// # Concurrency and cost
//
// Everything is safe for concurrent use. Names are resolved to prebuilt attributes by one map access. A stage costs
// two histogram recordings, a span, and an atomic counter; in-progress values are observed at collection, not recorded.
// A paid call costs two counter recordings and a span. Each is one allocation beside its span's own, and neither costs
// more in a job that has had many.
// A recording is made with the context it was given, so that exemplars carry its trace, and is never suppressed by
// that context's cancellation.
//
// # Cardinality
//
// Stage and API names and error types are bounded ([WithNameLimit]); ids are on spans, and on the series of live jobs,
// which are bounded too ([WithLiveJobLimit]) and end with their job.
//
// The metrics are listed in docs/metrics.md and described by package semconv.
package instrument
