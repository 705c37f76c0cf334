package errs

import (
	"iter"
	"slices"
)

// Chain yields err and what it wraps, depth first, as errors.Is walks it. It never ends for an
// error that is [Endless].
func Chain(err error) iter.Seq[error] {
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

// unwrap returns what err wraps: nothing, if its Unwrap panics as that of a nil pointer often does.
func unwrap(err error) []error {
	return Guarded(nil, func() []error {
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			return []error{e.Unwrap()}
		case interface{ Unwrap() []error }:
			return e.Unwrap()
		}
		return nil
	})
}

// maxErrors bounds how many errors a chain may have, each counted as often as it is wrapped.
const maxErrors = 10_000

// Endless reports whether err wraps itself, so that errors.Is would follow it for ever or for very
// long.
func Endless(err error) bool {
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

// innermost returns the first error of the chain that wraps nothing, and that was not canceled
// beside the failure of another.
func innermost(err error) error {
	var first error
	for e := range Chain(err) {
		if slices.ContainsFunc(unwrap(e), func(inner error) bool { return inner != nil }) {
			continue
		}
		if !OnlyCanceled(e) {
			return e
		}
		if first == nil {
			first = e
		}
	}
	if first == nil {
		return err
	}
	return first
}

// Wraps reports whether err is target, the same value, or wraps it. Unlike errors.Is it asks no Is
// method.
func Wraps(err, target error) bool {
	if err == nil || target == nil || Endless(err) {
		return false
	}
	for e := range Chain(err) {
		if Identical(e, target) {
			return true
		}
	}
	return false
}
