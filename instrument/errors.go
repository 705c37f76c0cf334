package instrument

import (
	"context"

	"github.com/stagemeter/stagemeter/instrument/internal/errs"
)

// RecordError counts an error that the program survives in video_processing_errors_total{stage,
// error_type} and adds it to the span of ctx. The stage is the one that ctx is in, "job" in a job
// outside of any stage, and "none" outside of any job. RecordError counts only errors that
// [OutcomeOf] calls failed or retried while the context of ctx's stage or job lives. Once that
// context is over they still count, with their own type, though End would call the same error
// canceled or timeout. Only context.Canceled does not count then.
//
// One failure is one error. If the stage or the job then returns the same error, or one that wraps
// it, it is not counted again, and neither is an error that a stage or a job in it has ended with
// and counted.
func RecordError(ctx context.Context, err error) {
	s := scopeOf(ctx)
	if s.p.inert() || err == nil {
		return
	}
	ctx = orBackground(ctx)
	var own contextEnd // an error is counted whatever its context, unless it is the end of that context
	if errs.OnlyCanceled(err) {
		in := ctx
		if s.job != nil || s.stage != nil {
			in = s.Context
		}
		own = endOf(in, stateOf(in))
	}
	as := s.p.outcome(own, err, false)
	if !as.isError() {
		return
	}
	recordException(ctx, err, as.ErrorType)
	stage := noStage
	switch {
	case s.stage != nil:
		stage = s.stage.handle.name
	case s.job != nil:
		stage = jobStage
	}
	if in := s.underWay(); in != nil && !in.rare.get().counted.Record(err, sameError) {
		return
	}
	s.p.countError(ctx, s.dimension(), stage, as.ErrorType)
	detailsOf(s).addError(stage, as.ErrorType)
}

// OutcomeOf returns how an attempt ends with err. Call it with the context of the job, which
// [StartJob] returns and [RunJob] passes to its function, or with one inside it, also once the job
// has ended. Any other context knows neither the attempt nor the pipeline of the job.
//
// It is the one rule of this package: the metrics and spans of a job follow it, and so should a
// program's own records. The first row that fits holds:
//
//	err                                             Attempt       Status
//	says so itself, or WithOutcome does             as said       as said; "" for the last three words
//	nil                                             completed     completed
//	any without a type of its own, once the
//	  context of the job was canceled               canceled      canceled
//	  deadline of the job has passed                failed        failed; error type timeout
//	is canceled by its own type                     canceled      canceled
//	any other, a panic and a Goexit included        failed        failed
//
// While more attempts are to come, failed becomes retried, with the Status ""; see [WithAttempt].
// Only an error that says failed itself stays failed.
//
// An error says so itself with a method JobOutcome() string that returns one of the six words. It
// may be on the error or on one that it wraps; of joined errors that differ the gravest holds, in
// the order failed, retried, canceled, interrupted, snoozed, completed. The value of a panic is not
// asked. See also [WithOutcome].
//
// A type of its own is that of the function of [WithErrorClassifier], an ErrorType method, a status
// of HTTP or gRPC, an SQLState, or an exit code. Once the context is over, a death by signal and
// SQLState 57014 (query_canceled) are none: they are how a cancellation looks from outside. The same
// holds for the context's cause, if err is or wraps it. context.Canceled has no type of its own, so
// while the context of the job lives it is the failure of an inner context, with the error type
// aborted. A panic has the type panic. All other error types are in the table of [ErrorType].
//
// In a job, the context of the job decides, not that of a stage or a call in it, and the job's
// attempt and pipeline. Once the job has ended, its context counts as it was then, so that OutcomeOf
// returns what End has recorded for the same error. Outside of any job, ctx itself decides, and no
// attempt is to come. OutcomeOf records nothing, and may be called concurrently.
func OutcomeOf(ctx context.Context, err error) Outcome {
	s := scopeOf(ctx)
	if s.job != nil {
		return s.job.outcome(err)
	}
	ctx = orBackground(ctx)
	return s.p.outcome(endOf(ctx, stateOf(ctx)), err, false)
}

// ErrorType returns the value of the error_type attribute for err, which is one of few, stable,
// lower-case words. The first row that fits holds, anywhere on the error chain:
//
//	an ErrorType() string method           what it returns, unless that is empty
//	grpc_not_found, grpc_unavailable, …    a status of gRPC, as a GRPCStatus() method that returns one
//	                                       with a Code() method, or as Temporal, etcd and connect give
//	                                       it; DeadlineExceeded is timeout, Canceled is canceled
//	canceled, timeout                      context.Canceled, unless it is joined with another error;
//	                                       deadlines, and a Timeout() that returns true
//	not_found, permission, exists,         io/fs and syscall errors
//	no_space, unexpected_eof
//	http_NNN                               a StatusCode or HTTPStatusCode of 300 to 599, as method or
//	                                       exported field, or the field Code of an error of HTTP, which
//	                                       also has a field of type http.Header
//	sql_no_rows, sql_conn, sql_tx_done     database/sql
//	sqlstate_CC                            the class of an SQLState() string
//	redis_nil, redis_pool_timeout,         go-redis and redigo
//	redis_pool_exhausted
//	exec_exit, exec_signal                 *exec.ExitError
//	net_dns, net_dial, net_read, …         *net.DNSError, *net.OpError
//	error                                  an error that is only a text: of errors.New, of fmt.Errorf
//	                                       without %w, of github.com/pkg/errors
//	the innermost error's Go type          such as mypackage.CodecError
//
// By their own methods a [BudgetError] is budget_exceeded, a [PanicError] panic, a function that ended its
// goroutine with runtime.Goexit goexit, and a nil function nil_func. A nil error has "". An error
// whose methods panic, or that wraps itself, has its Go type. A pipeline asks the function of
// [WithErrorClassifier] first, and looks at the context too; see [OutcomeOf].
func ErrorType(err error) string { return errs.Type(err) }
