package instrument

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/semconv"
)

// A PanicError is a panic that [WithRecover] turned into an error. Its type is panic.
type PanicError struct {
	Value any    // what panic was called with
	Stack []byte // the stack of the goroutine at the panic, as debug.Stack gives it
}

// Error is the value in the words of the runtime: text and numbers, what an error or fmt.Stringer says, and of all
// else the type alone.
func (e *PanicError) Error() string {
	if e == nil {
		return "panic"
	}
	return "panic: " + panicText(e.Value)
}

// Unwrap is the panic's value if that is an error.
func (e *PanicError) Unwrap() error {
	if e == nil {
		return nil
	}
	err, _ := e.Value.(error)
	return err
}

// ErrorType is the value of the error_type attribute.
func (e *PanicError) ErrorType() string { return "panic" }

// errGoexit is the outcome of a function that ended its goroutine with runtime.Goexit, as testing.T.FailNow does.
var errGoexit error = goexitError{}

type goexitError struct{}

func (goexitError) Error() string     { return "the function ended its goroutine with runtime.Goexit" }
func (goexitError) ErrorType() string { return "goexit" }

// outcome is how a job, a stage or a call ended.
type outcome struct {
	err      error
	panicked *PanicError
}

// ended reads the outcome from what a deferred End knows: the error it was given, and the value of recover.
func ended(errp *error, recovered any) outcome {
	if recovered != nil {
		p := &PanicError{Value: recovered, Stack: debug.Stack()}
		return outcome{err: p, panicked: p}
	}
	if errp == nil {
		return outcome{}
	}
	return outcome{err: *errp}
}

// deliver hands a panic on: as an error where that was asked for and there is a place for it, as the panic that it
// was everywhere else. The panic is raised again from the deferred call, below which the panicking frames still
// stand, so the trace that the runtime prints begins where it began.
func (o outcome) deliver(p *Pipeline, errp *error) {
	if o.panicked == nil {
		return
	}
	if !p.recover || errp == nil {
		panic(o.panicked.Value)
	}
	*errp = o.panicked
}

// panic tells whether the outcome is a panic: one that goes on, or one that [WithRecover] has made an error further in.
func (o outcome) panic() bool {
	if o.panicked != nil || o.err == nil || endless(o.err) {
		return o.panicked != nil
	}
	for err := range chain(o.err) {
		if _, ok := err.(*PanicError); ok {
			return true
		}
	}
	return false
}

// canceled tells whether the caller gave up, as opposed to a failure.
func (o outcome) canceled(ctx context.Context) bool {
	switch {
	case o.err == nil, o.panic(), errors.Is(ctx.Err(), context.DeadlineExceeded):
		return false
	}
	return errors.Is(ctx.Err(), context.Canceled) || !endless(o.err) && onlyCanceled(o.err, false)
}

// onlyCanceled tells whether all that err joins was canceled: a stage that failed ends those beside it, and is why
// the job failed. An error that calls itself canceled has joined the cause that its context was given; its word alone
// is enough where byWord is true.
func onlyCanceled(err error, byWord bool) bool {
	if own, ok := err.(interface{ ErrorType() string }); ok && guarded("", own.ErrorType) == canceledWord {
		return byWord || is(err, context.Canceled)
	}
	joined := slices.DeleteFunc(slices.Clone(unwrap(err)), func(inner error) bool { return inner == nil })
	if len(joined) == 0 {
		return is(err, context.Canceled)
	}
	return !slices.ContainsFunc(joined, func(inner error) bool { return !onlyCanceled(inner, byWord) })
}

// errorType is the type of the outcome's error in a context: an error that came when the context was over is the
// context's doing, whatever the interrupted operation made of it, unless the user's classifier knows better. A panic
// is the program's.
func (o outcome) errorType(ctx context.Context, p *Pipeline) string {
	switch {
	case o.err == nil:
		return ""
	case o.panic():
		return "panic"
	}
	if t := p.classified(o.err); t != "" {
		return t
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "timeout"
	case errors.Is(ctx.Err(), context.Canceled):
		return "canceled"
	}
	return ErrorType(o.err)
}

// end writes the outcome on a span and ends it.
func (o outcome) end(span trace.Span, errorType string) {
	if o.err != nil && span.IsRecording() {
		var stack []byte
		if o.panicked != nil {
			stack = o.panicked.Stack
		}
		exception(span, o.err, stack)
		span.SetAttributes(semconv.AttrErrorType.String(clean(errorType, maxNameLen)))
		span.SetStatus(codes.Error, clean(errorText(o.err), maxTextLen))
	}
	span.End()
}

// maxTextLen bounds an error's text and a stack on a span, in bytes.
const maxTextLen = 4096

// recordException puts an error on the span of ctx, which survives it: error.type is on the event, not on the span.
func recordException(ctx context.Context, err error, errorType string, stack []byte) {
	if span := trace.SpanFromContext(orBackground(ctx)); span.IsRecording() {
		exception(span, err, stack, semconv.AttrErrorType.String(clean(errorType, maxNameLen)))
	}
}

func exception(span trace.Span, err error, stack []byte, attrs ...attribute.KeyValue) {
	attrs = append(attrs,
		attribute.String("exception.type", reflect.TypeOf(err).String()),
		attribute.String("exception.message", clean(errorText(err), maxTextLen)))
	if stack != nil {
		if len(stack) > 4*maxTextLen {
			stack = stack[:4*maxTextLen]
		}
		attrs = append(attrs, attribute.String("exception.stacktrace", strings.ToValidUTF8(string(stack), "")))
	}
	span.AddEvent("exception", trace.WithAttributes(attrs...))
}

// The methods of an error are the user's code, and those of a nil pointer in an error often panic. A program that
// never calls them must not meet that panic here.

func errorText(err error) string {
	return guarded(reflect.TypeOf(err).String()+": its Error method panicked", err.Error)
}

func is(err, target error) bool {
	return guarded(false, func() bool { return !endless(err) && errors.Is(err, target) })
}

// panicText prints a panic's value. What the value points to is not read: other goroutines may be writing it, and it
// may contain itself.
func panicText(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case error:
		return errorText(v)
	case fmt.Stringer:
		return guarded(reflect.TypeOf(v).String()+": its String method panicked", v.String)
	}
	switch v := reflect.ValueOf(v); {
	case v.Kind() == reflect.String:
		return v.String()
	case v.CanInt(), v.CanUint(), v.CanFloat(), v.CanComplex(), v.Kind() == reflect.Bool:
		return fmt.Sprint(v)
	default:
		return "(" + v.Type().String() + ")"
	}
}

// guarded is what f returns, or the fallback if it panics.
func guarded[T any](fallback T, f func() T) (result T) {
	defer func() {
		if recover() != nil {
			result = fallback
		}
	}()
	return f()
}
