package errs

import (
	"iter"
	"slices"
)

// chain yields err and what it wraps, depth first, as errors.Is walks it. It never ends for an
// error that is endless.
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

// endless reports whether err wraps itself, so that errors.Is would follow it for ever or for very
// long.
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

// innermost returns the first error of the chain that wraps nothing, and that was not canceled
// beside the failure of another.
func innermost(err error) error {
	var first error
	for e := range chain(err) {
		if slices.ContainsFunc(unwrap(e), func(inner error) bool { return inner != nil }) {
			continue
		}
		if !onlyCanceled(e) {
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
	return err != nil && target != nil && Any(err, func(e error) bool { return Identical(e, target) })
}
