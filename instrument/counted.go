package instrument

import (
	"reflect"
	"slices"
	"sync"
)

// counted remembers the errors of a job or a stage that video_processing_errors_total already has: the last ones, so
// that retries without end do not grow it. Stages in parallel fail one after the other, and the job returns the first.
type counted struct {
	mu     sync.Mutex
	errs   []error
	oldest int // once there are maxCounted
}

const maxCounted = 64

func (c *counted) add(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.errs) < maxCounted {
		c.errs = append(c.errs, err)
		return
	}
	c.errs[c.oldest] = err
	c.oldest = (c.oldest + 1) % maxCounted
}

// has tells whether err is one of them or wraps one. Unlike errors.Is it asks no Is method: another error of the same
// kind is another error.
func (c *counted) has(err error) bool {
	c.mu.Lock()
	errs := slices.Clone(c.errs)
	c.mu.Unlock()
	is := func(e error) bool {
		return slices.ContainsFunc(errs, func(counted error) bool { return same(e, counted) })
	}
	return len(errs) > 0 && (is(err) || guarded(false, func() bool {
		if endless(err) {
			return false
		}
		for e := range chain(err) {
			if is(e) {
				return true
			}
		}
		return false
	}))
}

// same tells whether two are one error. A panic that goes on is read anew by each End.
func same(a, b error) bool {
	if a, ok := a.(*PanicError); ok && a != nil {
		if b, ok := b.(*PanicError); ok && b != nil {
			return identical(a.Value, b.Value)
		}
	}
	return identical(a, b)
}

// identical tells whether two values are one: the same pointer, or equal where they are no pointers. Of what Go does
// not compare, such as a list of errors, it looks at where the list is, not at what is in it.
func identical(a, b any) bool {
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
