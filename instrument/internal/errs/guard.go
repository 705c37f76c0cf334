package errs

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// The methods of an error are the user's code, and those of a nil pointer in an error often panic.
// A program that never calls them must not meet that panic here.

// Text returns err.Error(), or its type if that method panics.
func Text(err error) string {
	return Guarded(reflect.TypeOf(err).String()+": its Error method panicked", err.Error)
}

// Is is errors.Is for an error whose methods may panic, or that wraps itself.
func Is(err, target error) bool {
	return Guarded(false, func() bool { return !Endless(err) && errors.Is(err, target) })
}

// PanicText prints the value of a panic. It does not read what the value points to: other
// goroutines may be writing that, and it may contain itself.
func PanicText(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case error:
		return Text(v)
	case fmt.Stringer:
		return Guarded(reflect.TypeOf(v).String()+": its String method panicked", v.String)
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

// Guarded returns what f returns, or the fallback if f panics.
func Guarded[T any](fallback T, f func() T) (result T) {
	defer func() {
		if recover() != nil {
			result = fallback
		}
	}()
	return f()
}

// OnlyCanceled reports whether everything that err joins was canceled, by context.Canceled or by
// its own word: an ErrorType method, or gRPC's code. A stage that fails cancels those beside it, and
// is the reason why the job failed. An error whose own word is "canceled" may have joined the cause
// that its context was given; its word is enough.
func OnlyCanceled(err error) bool {
	if saysCanceled(err) {
		return true
	}
	joined := slices.DeleteFunc(slices.Clone(unwrap(err)), func(inner error) bool { return inner == nil })
	if len(joined) == 0 {
		return Is(err, context.Canceled)
	}
	return !slices.ContainsFunc(joined, func(inner error) bool { return !OnlyCanceled(inner) })
}

func saysCanceled(err error) bool {
	if own, ok := err.(interface{ ErrorType() string }); ok && Guarded("", own.ErrorType) == Canceled {
		return true
	}
	code, ok := grpcCode(err)
	return ok && grpcWord(code) == Canceled
}
