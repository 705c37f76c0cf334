package errs

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"net"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"syscall"
)

// Type returns the error_type of err, as instrument.ErrorType documents it. A nil error has "".
func Type(err error) string {
	if err == nil {
		return ""
	}
	return Guarded(goType(err), func() string {
		if Endless(err) {
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

// errorTypes are the rows of the table at instrument.ErrorType, in its order.
var errorTypes = []func(error) string{
	ownType,
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

// Canceled is the error_type of what the caller gave up.
const Canceled = "canceled"

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

// Of these methods the first on the Chain need not be the one that counts, as it is for errors.As:
// a url.Error has a Timeout method that may say no while an error further in says yes.

func ownType(err error) string {
	for e := range Chain(err) {
		if typed, ok := e.(interface{ ErrorType() string }); ok {
			if t := typed.ErrorType(); t != "" && (t != Canceled || OnlyCanceled(err, true)) {
				return t
			}
		}
	}
	return ""
}

// canceledType passes over an error that joins a failure: a failure cancels what runs beside it.
func canceledType(err error) string {
	if OnlyCanceled(err, false) {
		return Canceled
	}
	return ""
}

func timeoutType(err error) string {
	for e := range Chain(err) {
		if t, ok := e.(interface{ Timeout() bool }); ok && t.Timeout() {
			return "timeout"
		}
	}
	return ""
}

func sqlStateType(err error) string {
	for e := range Chain(err) {
		if s, ok := e.(interface{ SQLState() string }); ok {
			if state := s.SQLState(); len(state) == 5 {
				return "sqlstate_" + state[:2]
			}
		}
	}
	return ""
}

func httpType(err error) string {
	if code, ok := HTTPStatus(err); ok {
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

// HTTPStatus returns the status of a failed HTTP exchange, and whether err has one. API clients
// give it as a method (smithy, gRPC gateways) or as an exported field (openai-go, anthropic-sdk-go,
// googleapi), so the field is looked up by name.
func HTTPStatus(err error) (status int, ok bool) {
	for e := range Chain(err) {
		if status, ok := httpStatus(e); ok {
			return status, true
		}
	}
	return 0, false
}

// httpStatus is HTTPStatus for err itself, without what it wraps.
func httpStatus(err error) (status int, ok bool) {
	switch e := err.(type) {
	case interface{ StatusCode() int }:
		status = e.StatusCode()
	case interface{ HTTPStatusCode() int }:
		status = e.HTTPStatusCode()
	default:
		status = intField(reflect.Indirect(reflect.ValueOf(e)), "StatusCode", "HTTPStatusCode", "Code")
	}
	return status, status >= 300 && status <= 599
}

// intField returns the first of these fields that is a whole number, or 0.
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
