// Package exportertest has what the tests of several rooms of package exporters share:
// certificates, a log to look into, spans, series in numbers, and waiting for an event.
//
// Only tests import it. It does not import package testing, so that nothing else does by accident.
package exportertest

import "time"

// TB is the part of testing.TB that this package uses.
type TB interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	TempDir() string
}

// Patience is how long a test waits for an event. It measures nothing: an event that comes earlier
// ends the wait.
const Patience = 60 * time.Second

// Eventually waits until ok returns true. what names the event.
func Eventually(t TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after %v still not: %s", Patience, what)
		}
	}
}
