package errs

import (
	"reflect"
	"slices"
	"sync"
)

// Counted remembers the errors of one job, stage or call that video_processing_errors_total already
// has: those that its own parts ended with, and those that were recorded in it. It keeps the last
// 64, so that endless retries do not grow it. It keeps more than one, since parts in parallel fail
// one after the other and the job returns the first of their errors. The zero Counted is ready and
// safe for concurrent use.
type Counted struct {
	mu     sync.Mutex
	errs   []counted
	oldest int // once there are maxCounted
}

type counted struct {
	err      error
	recorded bool // by Record, or met by it
}

const maxCounted = 64

// Add remembers an error that a part has counted and ended with.
func (c *Counted) Add(err error) { c.add(counted{err: err}) }

// AddRecorded is Add for an error that is handed on as one that was recorded.
func (c *Counted) AddRecorded(err error) { c.add(counted{err, true}) }

func (c *Counted) add(e counted) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.errs) < maxCounted {
		c.errs = append(c.errs, e)
		return
	}
	c.errs[c.oldest] = e
	c.oldest = (c.oldest + 1) % maxCounted
}

// Has reports whether err is one of them, by the word of same, or wraps one. Unlike errors.Is it
// asks no Is method: another error of the same kind is another error.
func (c *Counted) Has(err error, same func(a, b error) bool) bool {
	_, has := c.find(err, same, func(counted) bool { return true })
	return has
}

// Record remembers an error that the program recorded, and reports whether it is new. It is not if a
// part has ended with it: then it was counted there. The next one that is recorded is another
// failure again, even if it is the same value.
func (c *Counted) Record(err error, same func(a, b error) bool) (isNew bool) {
	met, has := c.find(err, same, func(e counted) bool { return !e.recorded })
	if !has {
		c.add(counted{err, true})
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, e := range c.errs {
		if same(e.err, met) {
			c.errs[i].recorded = true
		}
	}
	return false
}

// HandTo adds the errors that were recorded in c, the record of a part, to that of the scope around
// it. A function may record its error, end its stage without it, and return it all the same.
func (c *Counted) HandTo(around *Counted) {
	c.mu.Lock()
	errs := slices.Clone(c.errs)
	c.mu.Unlock()
	for _, e := range errs {
		if e.recorded {
			around.add(e)
		}
	}
}

// find returns the first error, among those that of selects, that err is or wraps. The methods of
// err are called without the lock.
func (c *Counted) find(err error, same func(a, b error) bool, of func(counted) bool) (met error, has bool) {
	var known [maxCounted]error
	n := 0
	c.mu.Lock()
	for _, e := range c.errs {
		if of(e) {
			known[n], n = e.err, n+1
		}
	}
	c.mu.Unlock()
	is := func(e error) bool {
		for _, k := range known[:n] {
			if same(e, k) {
				met, has = k, true
				return true
			}
		}
		return false
	}
	if n == 0 || is(err) {
		return met, has
	}
	if Plain(err) {
		anyOf(err, is)
		return met, has
	}
	return findApart(err, slices.Clone(known[:n]), same)
}

// findApart is find with what escapes to another goroutine.
func findApart(err error, known []error, same func(a, b error) bool) (met error, has bool) {
	has = Any(err, func(e error) bool {
		i := slices.IndexFunc(known, func(k error) bool { return same(e, k) })
		if i >= 0 {
			met = known[i]
		}
		return i >= 0
	})
	return met, has
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
