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
	"strings"
	"syscall"
)

// Type returns the error_type of err, as instrument.ErrorType documents it. A nil error has "".
func Type(err error) string {
	if err == nil {
		return ""
	}
	if Plain(err) {
		return typeOf(err)
	}
	return Apart(goType(err), func() string { return typeOf(err) })
}

func typeOf(err error) string {
	if endless(err) {
		return goType(err)
	}
	for _, typeOf := range errorTypes {
		if t := typeOf(err); t != "" {
			return t
		}
	}
	return goType(innermost(err))
}

// errorTypes are the rows of the table at instrument.ErrorType, in its order.
var errorTypes = []func(error) string{
	ownType,
	grpcType,
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
	redisType,
	processType,
	netType,
}

// Own returns the type of err that is its own and beats a context that is over: that of an
// ErrorType method, a status of gRPC or HTTP, an SQLState, an exit code; or "". Once the context is
// over, SQLState 57014 (query_canceled) and a death by signal are no such types, nor is the exit
// status by which a shell or a container tells one: they are how the cancellation looks from
// outside.
func Own(err error, over bool) string {
	if Plain(err) { // it is none of them
		return ""
	}
	return Apart("", func() string {
		if endless(err) {
			return ""
		}
		for _, typeOf := range []func(error) string{ownType, grpcType, httpType} {
			if t := typeOf(err); t != "" {
				return t
			}
		}
		if t := stateType(err, over); t != "" {
			return t
		}
		if code, exited := exitCode(err); exited && !(over && killed(code)) {
			return "exec_exit"
		}
		return ""
	})
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
	for e := range chain(err) {
		if typed, ok := e.(interface{ ErrorType() string }); ok {
			if t := typed.ErrorType(); t != "" && (t != Canceled || onlyCanceled(err)) {
				return t
			}
		}
	}
	return ""
}

// canceledType passes over an error that joins a failure: a failure cancels what runs beside it.
func canceledType(err error) string {
	if onlyCanceled(err) {
		return Canceled
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

func sqlStateType(err error) string { return stateType(err, false) }

// stateType returns the class of the first SQLState; of those that are no cancellation if over.
func stateType(err error, over bool) string {
	for e := range chain(err) {
		if s, ok := e.(interface{ SQLState() string }); ok {
			if state := s.SQLState(); len(state) == 5 && !(over && state == "57014") {
				return "sqlstate_" + state[:2]
			}
		}
	}
	return ""
}

func processType(err error) string {
	if _, exited := exitCode(err); exited {
		return "exec_exit"
	}
	for e := range chain(err) {
		if exit, ok := e.(*exec.ExitError); ok && exit != nil {
			return "exec_signal"
		}
	}
	return ""
}

// exitCode returns the first exit code, and whether a process on the chain has exited by itself.
// One that did is the reason why those beside it were killed.
func exitCode(err error) (code int, exited bool) {
	for e := range chain(err) {
		if exit, ok := e.(*exec.ExitError); ok && exit != nil && exit.ProcessState != nil && exit.Exited() {
			return exit.ExitCode(), true
		}
	}
	return 0, false
}

// killed reports whether an exit status is that of a shell or a container whose program died by
// SIGHUP, SIGINT, SIGKILL or SIGTERM.
func killed(code int) bool { return code == 129 || code == 130 || code == 137 || code == 143 }

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

// newError is the type of what errors.New returns, and fmt.Errorf without %w.
var newError = reflect.TypeOf(errors.New(""))

// textTypes are the types of errors that have a text and nothing else, and of what joins or wraps
// errors: such a type says nothing of the error.
var textTypes = map[string]bool{
	"errors.errorString":                       true,
	"errors.joinError":                         true,
	"fmt.wrapError":                            true,
	"fmt.wrapErrors":                           true,
	"github.com/pkg/errors.fundamental":        true,
	"github.com/pkg/errors.withMessage":        true,
	"github.com/pkg/errors.withStack":          true,
	"go.uber.org/multierr.multiError":          true,
	"golang.org/x/xerrors.errorString":         true,
	"golang.org/x/xerrors.noWrapError":         true,
	"golang.org/x/xerrors.wrapError":           true,
	"github.com/hashicorp/go-multierror.Error": true,
}

// goType returns the Go type of err, or "error" for one that says nothing.
func goType(err error) string {
	t := reflect.TypeOf(err)
	named := t
	for named.Kind() == reflect.Pointer {
		named = named.Elem()
	}
	if textTypes[named.PkgPath()+"."+named.Name()] {
		return "error"
	}
	return strings.TrimLeft(t.String(), "*")
}
