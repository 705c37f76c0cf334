package instrument

import (
	"sync"
	"time"
)

// ProcessUsage holds the resources that a process took, from start to end.
type ProcessUsage struct {
	User, System time.Duration // CPU time
	// MaxRSS is the peak memory in bytes, 0 where the system does not report it. On Linux it is at
	// least what this program itself had in memory when it started the process.
	MaxRSS int64
}

// processTotal adds up the processes of one span.
type processTotal struct {
	mu  sync.Mutex
	sum ProcessUsage
}

func (t *processTotal) add(u ProcessUsage) ProcessUsage {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sum.User += u.User
	t.sum.System += u.System
	t.sum.MaxRSS = max(t.sum.MaxRSS, u.MaxRSS)
	return t.sum
}
