package instrument

import (
	"context"

	"github.com/stagemeter/stagemeter/instrument/internal/errs"
)

// RecordError counts an error that the program survives in video_processing_errors_total{stage,
// error_type} and adds it to the span of ctx. The stage is the one that ctx is in, "job" in a job
// outside of any stage, and "none" outside of any job. A nil err counts nothing.
//
// If the stage or the job then returns the same error, or one that wraps it, it is not counted
// again.
func RecordError(ctx context.Context, err error) {
	s := scopeOf(ctx)
	if s.p.inert() || err == nil {
		return
	}
	ctx = orBackground(ctx)
	stage := noStage
	switch {
	case s.stage != nil:
		stage = s.stage.handle.name
		s.stage.rare.get().counted.Add(err)
	case s.job != nil:
		stage = jobStage
	}
	errorType := s.p.errorType(err)
	s.p.countError(ctx, s.dimension(), stage, errorType)
	recordException(ctx, err, errorType)
	if s.job != nil {
		s.job.rare.get().counted.Add(err)
	}
}

// ErrorType returns the value of the error_type attribute for err, which is one of few, stable,
// lower-case words. The first row that fits holds, anywhere on the error chain:
//
//	an ErrorType() string method           what it returns, unless that is empty
//	canceled, timeout                      context.Canceled, unless it is joined with another error;
//	                                       deadlines, and a Timeout() that returns true
//	not_found, permission, exists,         io/fs and syscall errors
//	no_space, unexpected_eof
//	http_NNN                               a StatusCode or HTTPStatusCode of 300 to 599, as method or
//	                                       exported field, or a field named Code
//	sql_no_rows, sql_conn, sql_tx_done     database/sql
//	sqlstate_CC                            the class of an SQLState() string
//	exec_exit, exec_signal                 *exec.ExitError
//	net_dns, net_dial, net_read, …         *net.DNSError, *net.OpError
//	the innermost error's Go type          such as errors.errorString
//
// By their own methods a [BudgetError] is budget_exceeded, a [PanicError] panic, a function that ended its
// goroutine with runtime.Goexit goexit, and a nil function nil_func. A nil error has "". An error whose methods panic, or that wraps itself, has its Go type. A pipeline asks the function
// of [WithErrorClassifier] first.
func ErrorType(err error) string { return errs.Type(err) }

// errorType asks the user's classifier, then [ErrorType].
func (p *Pipeline) errorType(err error) string {
	if t := p.classified(err); t != "" {
		return t
	}
	return ErrorType(err)
}

// classified returns what the user's classifier returns, or "" if there is none or it panics.
func (p *Pipeline) classified(err error) (errorType string) {
	if p.classify == nil {
		return ""
	}
	if err := contain("the function of WithErrorClassifier", func() error { errorType = p.classify(err); return nil }); err != nil {
		handle(err)
	}
	return errorType
}
