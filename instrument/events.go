package instrument

import (
	"context"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
)

// Events are functions that hear of what a pipeline measures, while it happens: an audit log, a
// progress line, a live page. A nil function costs a branch. [WithEvents] gives them to a pipeline.
//
// A function is called by the goroutine that does the measured work, after the metrics are
// recorded: it must return quickly, and may be called concurrently with itself. The context is that
// of the job, stage or call, so a log record that is written with it has its trace. It may be over.
// A panic in a function is reported to otel.Handle and changes nothing else. A runtime.Goexit is
// reported too, and ends the goroutine: a job, stage or call whose start the function heard of then
// ends, with the error type goexit. A function may itself record, but what it records is an event
// again.
//
// Fields may be added to the data that the functions get.
type Events struct {
	JobStarted   func(context.Context, JobEvent)
	JobEnded     func(context.Context, JobEvent)
	StageStarted func(context.Context, StageEvent)
	StageEnded   func(context.Context, StageEvent)
	CallStarted  func(context.Context, CallEvent) // not for a call that was refused
	CallEnded    func(context.Context, CallEvent)
	CallRefused  func(context.Context, CallEvent)      // by a budget; Err is the [*BudgetError]
	Progress     func(context.Context, ProgressEvent)  // of [ReportProgress]
	Threshold    func(context.Context, ThresholdEvent) // of a budget; once for each of an account

	// StageStalled is called when a stage becomes stalled, once for each stall; StageOverdue when
	// it becomes overdue, once. Only a pipeline with [WithDetails] looks for such stages, and only
	// when metrics are collected or [Pipeline.Snapshot] is called, which wait until the function
	// returns. It may panic or call runtime.Goexit. The context is that of the stage.
	StageStalled func(context.Context, StageWarning)
	StageOverdue func(context.Context, StageWarning)
}

// A JobEvent says that a job has started or ended.
type JobEvent struct {
	Job   JobRef
	Start time.Time

	// All below are zero when the job starts.

	Duration time.Duration
	Outcome  Outcome
	Err      error
	Cost     USD // of this run
}

// A StageEvent says that a stage has started or ended.
type StageEvent struct {
	Job   JobRef // zero outside of any job
	Stage string // as the metrics have it

	// All below are zero when the stage starts.

	Duration  time.Duration
	ErrorType string
	Err       error
}

// A CallEvent says that a paid call has started, ended, or was refused.
type CallEvent struct {
	Job     JobRef // zero outside of any job
	Stage   string // the innermost; "" outside of any stage
	API     string // as the metrics have it
	MaxCost USD    // of WithMaxCost; 0 if unknown

	// All below are zero when the call starts. A refused call has ErrorType and Err.

	Duration  time.Duration
	Cost      USD    // that was booked; 0 if it is not known
	Unpriced  string // why the cost is not known; "" if it is
	Canceled  bool   // the caller gave up
	ErrorType string
	Err       error
}

// A ProgressEvent says how far a stage, or a job outside of any stage, has come.
type ProgressEvent struct {
	Job      JobRef // zero outside of any job
	Progress Progress
}

// A StageWarning is about a stage under way that has become stalled or overdue.
type StageWarning struct {
	Job   JobRef
	Stage StageState
}

// A ThresholdEvent says that an account has reached 50, 80 or 100 % of its limit, or exceeds it.
type ThresholdEvent struct {
	Job      JobRef // which spends from the account; the call may be that of a job inside of it
	Crossing budget.Crossing
}

// events holds the functions of all Events that a pipeline was given.
type events struct {
	jobStarted, jobEnded                []func(context.Context, JobEvent)
	stageStarted, stageEnded            []func(context.Context, StageEvent)
	callStarted, callEnded, callRefused []func(context.Context, CallEvent)
	progress                            []func(context.Context, ProgressEvent)
	threshold                           []func(context.Context, ThresholdEvent)
	stageStalled, stageOverdue          []func(context.Context, StageWarning)
}

// prepare makes the pipeline of Default now if a function may be called in a collection of metrics:
// to make it there would wait forever for the end of that collection.
func (e *events) prepare() {
	if len(e.stageStalled)+len(e.stageOverdue) > 0 {
		prepareDefault()
	}
}

func hear[E any](to *[]func(context.Context, E), f func(context.Context, E)) {
	if f != nil {
		*to = append(*to, f)
	}
}

// tell calls the functions of one kind of event. The caller has checked that there are any, so that
// the event of a pipeline without them is not even built.
func tell[E any](fs []func(context.Context, E), ctx context.Context, e E) {
	for len(fs) > 0 {
		f := fs[0]
		fs = fs[1:]
		tellOne(f, fs, ctx, e)
	}
}

// tellOne calls f. If that ends its goroutine, the others of its kind hear of the event all the
// same.
func tellOne[E any](f func(context.Context, E), others []func(context.Context, E), ctx context.Context, e E) {
	returned := false
	defer func() {
		switch v := recover(); {
		case v != nil:
			handle(panicked("a function of Events", v))
		case !returned:
			handle(exited("a function of Events"))
			tell(others, ctx, e)
		}
	}()
	f(ctx, e)
	returned = true
}
