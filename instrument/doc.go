// Package instrument measures video and AI-media pipelines with OpenTelemetry: jobs, stages, paid
// calls and budgets, media quality, processes, connection pools and errors. It imports only the
// OpenTelemetry API. Package exporters, or any other set-up of the SDK, decides where the telemetry
// goes.
//
//	tel, err := exporters.Start(ctx)
//	…
//	err = instrument.RunJob(ctx, id, func(ctx context.Context) error {
//		segments, err := instrument.RunStageValue(ctx, "analysis", analyze)
//		…
//	}, instrument.WithBudget(2*instrument.Dollar))
//
// # Jobs, stages and calls
//
// A job is one run of one unit of work: one attempt at it, if its queue retries. It has stages,
// which may nest, and paid calls, which may be refused by its budget. Each has the same forms:
//
//	            begin and end         around a function    with a value        as a decorator
//	a job       StartJob, Job.End     RunJob               RunJobValue         WrapJob
//	a stage     StartStage, Stage.End RunStage             RunStageValue       WrapStage
//	a call      StartCall, Call.End   RunCall              RunCallValue        WrapCall
//
// Use Start and a deferred End where a function measures itself, Run around a call, and Wrap once around
// a function. All of them find their pipeline and job in the context. The functions of the package use
// the pipeline of the context, else [Default]. [Pipeline] has methods of the same names, except RunXValue
// and WrapX: Go has no methods with type parameters.
//
// # Setting up
//
// [Default] measures through the global providers, which exporters.Start sets. [New] makes a
// pipeline with options: declared stages and APIs, whose series exist from the start, labels, a
// ledger. Make it the default with [SetDefault], or call its methods.
//
// # What it does to a program
//
// Nothing. No call panics or exits. None blocks on a network or starts a goroutine, unless
// [WithLedger] gives a ledger: that is asked in goroutines of the pipeline, which wait for it no
// longer than [WithLedgerTimeout] says. Recordings return no error:
//
//   - A value that no histogram should see (NaN, infinite, out of range) is counted in
//     video_processing_invalid_values_total{metric, reason}.
//   - An error that has no caller to return to goes to otel.Handle.
//   - User code that is called (price functions, classifiers, carriers, pool statistics, events) may
//     panic without harm.
//   - A nil *Pipeline, *Job, *Stage, *Call or *Process is inert, and what it wraps runs unmeasured.
//
// Only a budget may refuse work, see [WithBudget].
//
// # Concurrency and cost
//
// Everything is safe for concurrent use. Names are resolved to prebuilt attributes by one map access. A
// stage costs two histogram recordings, a span and an atomic counter; values in progress are observed at
// collection, not recorded. A paid call costs a histogram recording, two counter recordings, a span
// and atomic counters, and what an HTTP client asks of it. Each allocates once, apart from its span,
// however many the job has had. A recording is made with the context that it was given, so that
// exemplars carry its trace, and is never suppressed when that context is canceled.
//
// # Cardinality
//
// Stage and API names, job types, values of labels, reasons and error types are bounded
// ([WithNameLimit]). Ids are on spans, and on the series of live jobs, which are bounded too
// ([WithLiveJobLimit]) and end with their job.
//
// # Where to look
//
//   - docs/metrics.md lists the metrics; package semconv has their names and attributes.
//   - money: amounts of US dollars, exact to the nano-dollar.
//   - budget: the contract of a ledger, and the one in memory; budget/budgettest checks a ledger.
//   - ffmpeg: running ffmpeg and ffprobe.
//   - instrumenttest: what a user's test needs.
//   - budget.go, hold.go, account.go: what a call asks of its budgets. policy.go: while the ledger
//     does not answer.
//   - job.go, stage.go, call.go, spend.go: from the start to the end of each. price.go, charged.go
//     and requests.go: what a call books. run.go and wrap.go run functions as one. scope.go: what a
//     context knows. errors.go, outcome.go, end.go, panic.go: how things end. enqueue.go,
//     carrier.go, attempt.go: across a queue. live.go and observe.go: the series that are read at
//     collection.
//   - events.go, progress.go, state.go, snapshot.go, details.go, history.go: what runs now.
//   - docs/architecture.md follows a job id, an error and a dollar through these files.
package instrument
