package instrument

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"iter"
	"net"
	"os/exec"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// RecordError counts an error of a stage in video_processing_errors_total{stage, error_type} and puts it on the
// span of ctx. A nil err counts nothing. Use it for an error that the stage survives, or one that happens outside
// of any stage; an error that RecordError has counted for the current stage and that the stage then returns is
// counted once.
func RecordError(ctx context.Context, stage string, err error) {
	s := scopeOf(ctx)
	if s.p.inert() || err == nil {
		return
	}
	h := s.p.stages.get(stage)
	errorType := s.p.errorType(err)
	s.p.countError(orBackground(ctx), h.name, errorType)
	recordException(ctx, err, errorType, nil)
	if s.stage != nil && s.stage.handle == h {
		s.stage.rare.get().counted.add(err)
	}
	if s.job != nil {
		s.job.rare.get().counted.add(err)
	}
}

// ErrorType is the value of the error_type attribute for err: one of few, stable, lower-case words. The first of
// these that fits, anywhere on the error chain:
//
//	an ErrorType() string method           what it says, unless that is empty
//	budget_exceeded, canceled, timeout     ErrBudgetExceeded; context.Canceled, unless it is joined with what is not;
//	                                       deadlines and a Timeout() that is true
//	not_found, permission, exists,         io/fs and syscall errors
//	no_space, unexpected_eof
//	http_NNN                               a StatusCode or HTTPStatusCode of 300 to 599, as method or exported field,
//	                                       or a field named Code
//	sql_no_rows, sql_conn, sql_tx_done     database/sql
//	sqlstate_CC                            the class of an SQLState() string
//	exec_exit, exec_signal                 *exec.ExitError
//	net_dns, net_dial, net_read, …         *net.DNSError, *net.OpError
//	the innermost error's Go type          such as errors.errorString
//
// A nil error gives "". An error whose methods panic, or that wraps itself, gives its Go type. A pipeline asks the
// function of [WithErrorClassifier] first.
func ErrorType(err error) string {
	if err == nil {
		return ""
	}
	return guarded(goType(err), func() string {
		if endless(err) {
			return goType(err)
		}
		for _, typeOf := range errorTypes {
			if t := typeOf(err); t != "" {
				return t
			}
		}
		return goType(innermost(err))
	})
}

// The rows of the table at [ErrorType].
var errorTypes = []func(error) string{
	ownType,
	sentinels{
		{ErrBudgetExceeded, "budget_exceeded"},
	}.typeOf,
	canceledType,
	sentinels{{context.DeadlineExceeded, "timeout"}}.typeOf,
	timeoutType,
	sentinels{
		{fs.ErrNotExist, "not_found"},
		{exec.ErrNotFound, "not_found"},
		{fs.ErrPermission, "permission"},
		{fs.ErrExist, "exists"},
		{syscall.ENOSPC, "no_space"},
		{io.ErrUnexpectedEOF, "unexpected_eof"},
	}.typeOf,
	httpType,
	sentinels{
		{sql.ErrNoRows, "sql_no_rows"},
		{sql.ErrConnDone, "sql_conn"},
		{driver.ErrBadConn, "sql_conn"},
		{sql.ErrTxDone, "sql_tx_done"},
	}.typeOf,
	sqlStateType,
	processType,
	netType,
}

const canceledWord = "canceled"

type sentinels []struct {
	err       error
	errorType string
}

func (s sentinels) typeOf(err error) string {
	for _, known := range s {
		if errors.Is(err, known.err) {
			return known.errorType
		}
	}
	return ""
}

// Of these methods the first on the chain need not be the one that counts, as it is for errors.As: a url.Error has a
// Timeout method that may say no while an error further in says yes.

func ownType(err error) string {
	for e := range chain(err) {
		if typed, ok := e.(interface{ ErrorType() string }); ok {
			if t := typed.ErrorType(); t != "" && (t != canceledWord || onlyCanceled(err, true)) {
				return t
			}
		}
	}
	return ""
}

// canceledType leaves an error that joins a failure to the rows that know that: a failure ends what is beside it.
func canceledType(err error) string {
	if onlyCanceled(err, false) {
		return canceledWord
	}
	return ""
}

func timeoutType(err error) string {
	for e := range chain(err) {
		if t, ok := e.(interface{ Timeout() bool }); ok && t.Timeout() {
			return "timeout"
		}
	}
	return ""
}

func sqlStateType(err error) string {
	for e := range chain(err) {
		if s, ok := e.(interface{ SQLState() string }); ok {
			if state := s.SQLState(); len(state) == 5 {
				return "sqlstate_" + state[:2]
			}
		}
	}
	return ""
}

func httpType(err error) string {
	if code, ok := httpStatus(err); ok {
		return "http_" + strconv.Itoa(code)
	}
	return ""
}

func processType(err error) string {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return ""
	}
	if exit.ProcessState != nil && exit.Exited() {
		return "exec_exit"
	}
	return "exec_signal"
}

func netType(err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return "net_dns"
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return "net_" + op.Op
	}
	return ""
}

func goType(err error) string { return strings.TrimLeft(reflect.TypeOf(err).String(), "*") }

// httpStatus finds the status of a failed HTTP exchange. API clients give it as a method (smithy, gRPC gateways) or
// as an exported field (openai-go, anthropic-sdk-go, googleapi), so the field is looked up by name.
func httpStatus(err error) (int, bool) {
	for e := range chain(err) {
		code := 0
		switch e := e.(type) {
		case interface{ StatusCode() int }:
			code = e.StatusCode()
		case interface{ HTTPStatusCode() int }:
			code = e.HTTPStatusCode()
		default:
			code = intField(reflect.Indirect(reflect.ValueOf(e)), "StatusCode", "HTTPStatusCode", "Code")
		}
		if code >= 300 && code <= 599 {
			return code, true
		}
	}
	return 0, false
}

// intField is the first of these fields that is a whole number, or 0.
func intField(v reflect.Value, names ...string) int {
	if v.Kind() != reflect.Struct {
		return 0
	}
	for _, name := range names {
		if f, ok := v.Type().FieldByName(name); ok {
			if v, err := v.FieldByIndexErr(f.Index); err == nil && v.CanInt() {
				return int(v.Int())
			}
		}
	}
	return 0
}

// chain yields err and what it wraps, depth first, as errors.Is walks it. It does not end for an endless error.
func chain(err error) iter.Seq[error] {
	return func(yield func(error) bool) { walk(err, yield) }
}

func walk(err error, yield func(error) bool) bool {
	if err == nil {
		return true
	}
	if !yield(err) {
		return false
	}
	for _, inner := range unwrap(err) {
		if !walk(inner, yield) {
			return false
		}
	}
	return true
}

// unwrap is what err wraps: nothing, if its Unwrap panics as that of a nil pointer often does.
func unwrap(err error) []error {
	return guarded(nil, func() []error {
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			return []error{e.Unwrap()}
		case interface{ Unwrap() []error }:
			return e.Unwrap()
		}
		return nil
	})
}

// maxErrors is how many errors a chain is believed to have, each as often as it is wrapped.
const maxErrors = 10_000

// endless tells of an error that wraps itself, which errors.Is would follow for ever, or for very long.
func endless(err error) bool {
	left := maxErrors
	var walk func(error) bool
	walk = func(err error) bool {
		if err == nil {
			return false
		}
		left--
		return left < 0 || slices.ContainsFunc(unwrap(err), walk)
	}
	return walk(err)
}

// innermost is the first error of the chain that wraps nothing.
func innermost(err error) error {
	for e := range chain(err) {
		if !slices.ContainsFunc(unwrap(e), func(inner error) bool { return inner != nil }) {
			return e
		}
	}
	return err
}

// errorType asks the user's classifier, then [ErrorType].
func (p *Pipeline) errorType(err error) string {
	if t := p.classified(err); t != "" {
		return t
	}
	return ErrorType(err)
}

// classified is what the user's classifier says, if there is one. One that panics is reported.
func (p *Pipeline) classified(err error) (errorType string) {
	if p.classify == nil {
		return ""
	}
	if err := contain("the function of WithErrorClassifier", func() error { errorType = p.classify(err); return nil }); err != nil {
		handle(err)
	}
	return errorType
}
