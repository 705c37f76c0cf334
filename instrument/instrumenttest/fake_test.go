package instrumenttest_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// fakeT is a test that may fail: it keeps what a *testing.T would print.
type fakeT struct {
	testing.TB
	cleanups []func()
	errors   []string
	fatal    bool
}

// attempt runs a test in a goroutine of its own, which Fatal ends, and then its cleanups.
func attempt(test func(t testing.TB)) *fakeT {
	t := new(fakeT)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer t.end()
		test(t)
	}()
	<-done
	return t
}

func (t *fakeT) end() {
	for _, f := range slices.Backward(t.cleanups) {
		f()
	}
}

func (*fakeT) Helper()                  {}
func (*fakeT) Context() context.Context { return context.Background() }
func (t *fakeT) Cleanup(f func())       { t.cleanups = append(t.cleanups, f) }
func (t *fakeT) Errorf(format string, args ...any) {
	t.errors = append(t.errors, fmt.Sprintf(format, args...))
}
func (t *fakeT) Fatal(args ...any) {
	t.errors, t.fatal = append(t.errors, fmt.Sprint(args...)), true
	runtime.Goexit()
}
func (t *fakeT) Fatalf(format string, args ...any) { t.Fatal(fmt.Sprintf(format, args...)) }

// said is all that the test printed.
func (t *fakeT) said() string { return strings.Join(t.errors, "\n") }
