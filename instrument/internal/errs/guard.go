package errs

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
)

// The methods of an error are the user's code, and those of a nil pointer in an error often panic.
// A program that never calls them must not meet that panic here, and must not lose a goroutine to a
// method that calls runtime.Goexit. So every exported function of this package calls them in a
// goroutine of its own, which it waits for, unless the error is [Plain].

// Plain reports whether err, and all that it wraps, are errors of packages errors, fmt and context:
// their methods neither panic nor call code of the user's.
func Plain(err error) bool {
	if err == nil {
		return true
	}
	if !plainTypes[reflect.TypeOf(err)] {
		return false
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return Plain(e.Unwrap())
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(e.Unwrap(), func(inner error) bool { return !Plain(inner) })
	}
	return true
}

// plainTypes are the types of errors that only these packages make, so that none wraps itself.
var plainTypes = map[reflect.Type]bool{
	newError: true,
	reflect.TypeOf(fmt.Errorf("%w", context.Canceled)):                       true,
	reflect.TypeOf(fmt.Errorf("%w, %w", context.Canceled, context.Canceled)): true,
	reflect.TypeOf(errors.Join(context.Canceled)):                            true,
	reflect.TypeOf(context.DeadlineExceeded):                                 true,
}

// Apart returns what f returns, which calls methods of the user's, or the fallback if f panics or
// calls runtime.Goexit. f has a goroutine of its own, which Apart waits for.
func Apart[T any](fallback T, f func() T) T {
	result := fallback
	done := make(chan struct{})
	go func() {
		defer close(done)
		result = Guarded(fallback, f)
	}()
	<-done
	return result
}

// Text returns err.Error(), or its type if that method does not return.
func Text(err error) string {
	if Plain(err) {
		return err.Error()
	}
	return Apart(reflect.TypeOf(err).String()+": its Error method panicked", err.Error)
}

// Is is errors.Is for an error whose methods may not return, or that wraps itself.
func Is(err, target error) bool {
	if Plain(err) {
		return is(err, target)
	}
	return Apart(false, func() bool { return is(err, target) })
}

func is(err, target error) bool { return !endless(err) && errors.Is(err, target) }

// As returns the first error of type T that err is, wraps, or gives by an As method.
func As[T error](err error) (target T, ok bool) {
	if Plain(err) { // none of them is a T
		return target, false
	}
	ok = Apart(false, func() bool { return !endless(err) && errors.As(err, &target) })
	return target, ok
}

// Any reports whether f does of err or of an error that it wraps. It does not of an error that wraps
// itself.
func Any(err error, f func(error) bool) bool {
	if Plain(err) {
		return anyOf(err, f)
	}
	return Apart(false, func() bool { return anyOf(err, f) })
}

func anyOf(err error, f func(error) bool) bool {
	if endless(err) {
		return false
	}
	for e := range chain(err) {
		if f(e) {
			return true
		}
	}
	return false
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
		return Apart(reflect.TypeOf(v).String()+": its String method panicked", v.String)
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
	if Plain(err) {
		return onlyCanceled(err)
	}
	return Apart(false, func() bool { return !endless(err) && onlyCanceled(err) })
}

func onlyCanceled(err error) bool {
	if saysCanceled(err) {
		return true
	}
	joined := slices.DeleteFunc(slices.Clone(unwrap(err)), func(inner error) bool { return inner == nil })
	if len(joined) == 0 {
		return Guarded(false, func() bool { return errors.Is(err, context.Canceled) })
	}
	return !slices.ContainsFunc(joined, func(inner error) bool { return !onlyCanceled(inner) })
}

func saysCanceled(err error) bool {
	if own, ok := err.(interface{ ErrorType() string }); ok && Guarded("", own.ErrorType) == Canceled {
		return true
	}
	code, ok := grpcCode(err)
	return ok && grpcWord(code) == Canceled
}
