package errs

import (
	"reflect"
	"slices"
	"sync"
)

// Counted remembers the errors of a job or a stage that video_processing_errors_total already has.
// It keeps the last 64, so that endless retries do not grow it. Stages in parallel fail one after
// the other, and the job returns the first of their errors. The zero Counted is ready and safe for
// concurrent use.
type Counted struct {
	mu     sync.Mutex
	errs   []error
	oldest int // once there are maxCounted
}

const maxCounted = 64

// Add remembers err.
func (c *Counted) Add(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.errs) < maxCounted {
		c.errs = append(c.errs, err)
		return
	}
	c.errs[c.oldest] = err
	c.oldest = (c.oldest + 1) % maxCounted
}

// Has reports whether err is one of them, by the word of same, or wraps one. Unlike errors.Is it
// asks no Is method: another error of the same kind is another error.
func (c *Counted) Has(err error, same func(a, b error) bool) bool {
	c.mu.Lock()
	errs := slices.Clone(c.errs)
	c.mu.Unlock()
	is := func(e error) bool {
		return slices.ContainsFunc(errs, func(counted error) bool { return same(e, counted) })
	}
	return len(errs) > 0 && (is(err) || Guarded(false, func() bool {
		if Endless(err) {
			return false
		}
		for e := range Chain(err) {
			if is(e) {
				return true
			}
		}
		return false
	}))
}

// Identical reports whether two values are one: the same pointer, or equal where they are no
// pointers. Of what Go does not compare, such as a slice of errors, it compares the address and not
// the contents.
func Identical(a, b any) bool {
	return reflect.TypeOf(a) == reflect.TypeOf(b) && sameValue(reflect.ValueOf(a), reflect.ValueOf(b))
}

// sameValue compares two values of one type.
func sameValue(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Slice:
		return a.UnsafePointer() == b.UnsafePointer() && a.Len() == b.Len()
	case reflect.Map, reflect.Func:
		return a.UnsafePointer() == b.UnsafePointer()
	case reflect.Interface:
		a, b = a.Elem(), b.Elem()
		return a.IsValid() == b.IsValid() && (!a.IsValid() || a.Type() == b.Type() && sameValue(a, b))
	case reflect.Struct:
		for i := range a.NumField() {
			if !sameValue(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Array:
		for i := range a.Len() {
			if !sameValue(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Invalid:
		return true
	default:
		return a.Equal(b)
	}
}
