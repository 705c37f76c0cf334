package testserver

import "context"

// T is the part of testing.TB that this package needs. A *testing.T, *testing.B and *testing.F each have it.
//
// With an interface of its own the package does not import testing, whose flags and globals belong in test binaries
// only.
type T interface {
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any) // does not return
	Failed() bool
	Cleanup(func())
	Context() context.Context // canceled just before the cleanups run
	TempDir() string
}
