package rounds

import (
	"runtime"
	"sync"
)

// Parallel shares the operations of a loop out among as many goroutines as there are cores to use.
func Parallel(procs int, loop func(n int)) func(n int) {
	if procs == 1 {
		return loop
	}
	return func(n int) {
		var wg sync.WaitGroup
		for i := range procs {
			share := n / procs
			if i < n%procs {
				share++
			}
			wg.Go(func() { loop(share) })
		}
		wg.Wait()
	}
}

// OnProcs does something with as many cores as procs, and returns to what was.
func OnProcs(procs int, do func()) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
	do()
}
