package instrument

import (
	"fmt"

	"github.com/stagemeter/stagemeter/instrument/internal/errs"
)

// A PanicError is a panic that [WithRecover] turned into an error. Its error_type is panic.
type PanicError struct {
	Value any    // what panic was called with
	Stack []byte // the stack of the goroutine at the panic, as debug.Stack returns it
}

// Error returns the value as the runtime prints it: text and numbers, what an error or fmt.Stringer
// says, and only the type of everything else.
func (e *PanicError) Error() string {
	if e == nil {
		return "panic"
	}
	return "panic: " + errs.PanicText(e.Value)
}

// Unwrap returns the panic's value if that is an error, else nil.
func (e *PanicError) Unwrap() error {
	if e == nil {
		return nil
	}
	err, _ := e.Value.(error)
	return err
}

// ErrorType returns the value of the error_type attribute.
func (e *PanicError) ErrorType() string { return "panic" }

// isPanic reports whether err is, or wraps, a panic that became an error.
func isPanic(err error) bool {
	return !errs.Plain(err) && errs.Any(err, isPanicError)
}

func isPanicError(err error) bool { _, ok := err.(*PanicError); return ok }

// sameError reports whether two are one error. Each End reads a panic that goes on anew, so two
// PanicErrors are one if their values are.
func sameError(a, b error) bool {
	if a, ok := a.(*PanicError); ok && a != nil {
		if b, ok := b.(*PanicError); ok && b != nil {
			return errs.Identical(a.Value, b.Value)
		}
	}
	return errs.Identical(a, b)
}

// errGoexit is the error of a function that ended its goroutine with runtime.Goexit, as
// testing.T.FailNow does.
var errGoexit error = goexitError{}

type goexitError struct{}

func (goexitError) Error() string     { return "the function ended its goroutine with runtime.Goexit" }
func (goexitError) ErrorType() string { return "goexit" }

// nilFuncError is the error of a nil function; it holds the name of the function that was given
// it.
type nilFuncError string

func nilFunc(what string) error { return nilFuncError(what) }

func (e nilFuncError) Error() string {
	return fmt.Sprintf("instrument: %s: the function is nil", string(e))
}
func (e nilFuncError) ErrorType() string { return "nil_func" }
