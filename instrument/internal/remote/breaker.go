package remote

import (
	"fmt"
	"sync"
	"time"
)

// After so many failures in a row, a ledger is left alone for a while.
const (
	failuresInARow = 5
	pause          = time.Second
)

// A breaker keeps callers from waiting for a ledger that does not answer. After failuresInARow
// failures operations fail at once; after each pause one is let through, and the first that
// succeeds closes the breaker.
type breaker struct {
	mu       sync.Mutex
	failures int
	until    time.Time // of the pause
	probing  bool      // the one that was let through is under way
}

// ask returns why an operation must not start, or nil. The caller tells how one that starts has
// ended, and passes probe on.
func (b *breaker) ask() (probe bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.failures < failuresInARow:
		return false, nil
	case b.probing || time.Now().Before(b.until):
		return false, unasked(fmt.Sprintf("%d operations in a row have failed, so it is left alone for %s", b.failures, pause))
	}
	b.probing = true
	return true, nil
}

// An answer is what an operation says about the ledger.
type answer int

const (
	works answer = iota
	fails
	unclear // the caller gave up
)

func (b *breaker) tell(a answer, probe bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if probe {
		b.probing = false
	}
	switch a {
	case works:
		b.failures = 0
	case fails:
		b.failures++
		b.until = time.Now().Add(pause)
	}
}
