// Package rounds times rivals against each other in one process: in each round every rival has one turn, in an order
// that changes from round to round. What disturbs the machine for a while then disturbs all of them, and a ratio is
// one of two turns of the same round.
package rounds

import (
	"context"
	"runtime"
	"runtime/pprof"
	"time"
)

// A Rival is one way to do what is measured.
type Rival struct {
	Name string
	// Loop does it n times.
	Loop func(n int)
	// Between is done before each operation, outside of the clock. With it operations are timed one by one, so it is
	// for those that take a tenth of a millisecond or more. It may be nil.
	Between func()
}

// Settings say how long to measure.
type Settings struct {
	Rounds int
	Turn   time.Duration          // what a turn lasts about; an operation that takes longer is done once
	Keep   func(name string) bool // which rivals take part; nil: all
}

// Run measures the rivals and returns a result for each that takes part, in their order. A turn's number of operations
// is found in a warm-up, and the same in every round.
func Run(s Settings, rivals ...Rival) Results {
	var kept []Rival
	for _, r := range rivals {
		if s.Keep == nil || s.Keep(r.Name) {
			kept = append(kept, r)
		}
	}
	results, sizes := make(Results, len(kept)), make([]int, len(kept))
	for i, r := range kept {
		results[i].Name = r.Name
		sizes[i] = calibrate(r, s.Turn)
	}
	for round := range s.Rounds {
		for k := range kept {
			i := (k + round/2) % len(kept)
			if round%2 == 1 { // backwards, so that a rival does not always follow the same one
				i = (len(kept) - 1 - k + round/2) % len(kept)
			}
			results[i].Turns = append(results[i].Turns, turn(kept[i], sizes[i]))
		}
	}
	return results
}

// calibrate warms a rival up, and finds how many operations make a turn.
func calibrate(r Rival, target time.Duration) int {
	for n := 1; ; n *= 4 {
		t := timed(r, n)
		if took := time.Duration(t.Nanos * float64(n)); took >= target/8 || n > 1<<28 {
			return max(1, int(float64(target)/max(t.Nanos, 1)))
		}
	}
}

// turn is one turn, after a collection of garbage, so that none pays for what another has left behind. A profile
// tells the rivals apart by the label "rival".
func turn(r Rival, n int) (t Turn) {
	runtime.GC()
	pprof.Do(context.Background(), pprof.Labels("rival", r.Name), func(context.Context) { t = timed(r, n) })
	return t
}

func timed(r Rival, n int) Turn {
	if r.Between == nil {
		return once(r.Loop, n)
	}
	var sum Turn
	for range n {
		r.Between()
		sum = sum.plus(once(r.Loop, 1))
	}
	return sum.over(float64(n))
}

// once times one call of loop. Reading the statistics stops the world, which is why it is outside of the clock.
func once(loop func(int), n int) Turn {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	loop(n)
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	return Turn{
		Nanos:  float64(took),
		Bytes:  float64(after.TotalAlloc - before.TotalAlloc),
		Allocs: float64(after.Mallocs - before.Mallocs),
	}.over(float64(n))
}
