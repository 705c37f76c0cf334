package instrument

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"reflect"
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
	s.p.countError(orBackground(ctx), h, errorType)
	recordException(ctx, err, errorType, nil)
	counted := err // a copy, so that a nil err costs no allocation
	if s.stage != nil && s.stage.handle == h {
		s.stage.counted.Store(&counted)
	}
	if s.job != nil {
		s.job.counted.Store(&counted)
	}
}

// ErrorType is the value of the error_type attribute for err: one of few, stable, lower-case words. The first of
// these that fits, anywhere on the error chain:
//
//	an ErrorType() string method           what it says
//	canceled, timeout                      context.Canceled; deadlines and anything with Timeout() true
//	not_found, permission, exists,         io/fs and syscall errors
//	no_space, unexpected_eof
//	http_NNN                               a StatusCode or HTTPStatusCode, as method or exported field
//	sql_no_rows, sql_conn, sql_tx_done     database/sql
//	sqlstate_CC                            the class of an SQLState() string
//	exec_exit, exec_signal                 *exec.ExitError
//	net_dns, net_dial, net_read, …         *net.DNSError, *net.OpError
//	the innermost error's Go type          such as errors.errorString
//
// A nil error gives "". A pipeline asks the function of [WithErrorClassifier] first.
func ErrorType(err error) string {
	if err == nil {
		return ""
	}
	var typed interface{ ErrorType() string }
	if errors.As(err, &typed) {
		if t := typed.ErrorType(); t != "" {
			return t
		}
	}
	for _, k := range knownErrors {
		if errors.Is(err, k.err) {
			return k.errorType
		}
	}
	if t := timeoutType(err); t != "" {
		return t
	}
	if t := driverType(err); t != "" {
		return t
	}
	if t := processType(err); t != "" {
		return t
	}
	if t := netType(err); t != "" {
		return t
	}
	return strings.TrimLeft(reflect.TypeOf(innermost(err)).String(), "*")
}

// What an error is called whichever package it comes from; the first match wins.
var knownErrors = []struct {
	err       error
	errorType string
}{
	{ErrBudgetExceeded, "budget_exceeded"},
	{context.Canceled, "canceled"},
	{context.DeadlineExceeded, "timeout"},
	{os.ErrDeadlineExceeded, "timeout"},
	{fs.ErrNotExist, "not_found"},
	{exec.ErrNotFound, "not_found"},
	{fs.ErrPermission, "permission"},
	{fs.ErrExist, "exists"},
	{syscall.ENOSPC, "no_space"},
	{io.ErrUnexpectedEOF, "unexpected_eof"},
	{sql.ErrNoRows, "sql_no_rows"},
	{sql.ErrConnDone, "sql_conn"},
	{driver.ErrBadConn, "sql_conn"},
	{sql.ErrTxDone, "sql_tx_done"},
}

func timeoutType(err error) string {
	var t interface{ Timeout() bool }
	if errors.As(err, &t) && t.Timeout() {
		return "timeout"
	}
	return ""
}

func driverType(err error) string {
	if code, ok := httpStatus(err); ok {
		return "http_" + strconv.Itoa(code)
	}
	var state interface{ SQLState() string }
	if errors.As(err, &state) && len(state.SQLState()) == 5 {
		return "sqlstate_" + state.SQLState()[:2]
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
			v := reflect.Indirect(reflect.ValueOf(e))
			if v.Kind() != reflect.Struct {
				continue
			}
			for _, name := range []string{"StatusCode", "HTTPStatusCode", "Code"} {
				if f := v.FieldByName(name); f.IsValid() && f.CanInt() {
					code = int(f.Int())
					break
				}
			}
		}
		if code >= 300 && code <= 599 {
			return code, true
		}
	}
	return 0, false
}

// chain yields err and what it wraps, depth first, as errors.Is walks it.
func chain(err error) func(yield func(error) bool) {
	var walk func(err error, yield func(error) bool) bool
	walk = func(err error, yield func(error) bool) bool {
		if err == nil {
			return true
		}
		if !yield(err) {
			return false
		}
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			return walk(e.Unwrap(), yield)
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				if !walk(inner, yield) {
					return false
				}
			}
		}
		return true
	}
	return func(yield func(error) bool) { walk(err, yield) }
}

// innermost is the first error of the chain that wraps nothing.
func innermost(err error) error {
	for e := range chain(err) {
		switch e.(type) {
		case interface{ Unwrap() error }, interface{ Unwrap() []error }:
			continue
		}
		return e
	}
	return err
}

// errorType asks the user's classifier, then [ErrorType]. One that panics is reported, and the error counts under its
// Go type.
func (p *Pipeline) errorType(err error) string {
	var t string
	if p.classify != nil {
		if err := contain("the function of WithErrorClassifier", func() error { t = p.classify(err); return nil }); err != nil {
			handle(err)
		}
	}
	if t != "" {
		return t
	}
	return guarded(reflect.TypeOf(err).String(), func() string { return ErrorType(err) })
}
