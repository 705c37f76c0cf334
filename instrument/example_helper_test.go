package instrument_test

import (
	"slices"
	"testing"
)

// exampleT stands for the *testing.T that an Example does not have, so that it can show a recorder.
type exampleT struct {
	testing.TB
	cleanups []func()
}

func (*exampleT) Helper()                           {}
func (t *exampleT) Cleanup(f func())                { t.cleanups = append(t.cleanups, f) }
func (*exampleT) Fatalf(format string, args ...any) { panic(format) }
func (*exampleT) Errorf(format string, args ...any) { panic(format) }
func (t *exampleT) end() {
	for _, f := range slices.Backward(t.cleanups) {
		f()
	}
}
