package eta

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

var epoch = time.Unix(1_700_000_000, 0)

// A curve is how much of the work is done after each tick.
type curve struct {
	tick time.Duration
	done []float64 // the last is the whole
}

// stages are made after what stages of video pipelines look like. Each takes about 120 s.
func stages() map[string]curve {
	rng := rand.New(rand.NewPCG(7, 7))
	make120 := func(rate func(t float64) float64) curve {
		c := curve{tick: 250 * time.Millisecond}
		sum := 0.0
		for i := range 480 {
			sum += max(0.01, rate(float64(i)/4)*(1+0.15*rng.NormFloat64()))
			c.done = append(c.done, sum)
		}
		return c
	}
	levels := []float64{0.1, 0.6, 1.2, 2.1}
	return map[string]curve{
		"steady": make120(func(float64) float64 { return 1 }),
		"slow start": make120(func(t float64) float64 {
			if t < 12 {
				return 0.2
			}
			return 1.1
		}),
		"drops to a third": make120(func(t float64) float64 {
			if t < 60 {
				return 1.5
			}
			return 0.5
		}),
		"noisy": make120(func(float64) float64 { return levels[rng.IntN(4)] }),
	}
}

// errorsOf plays a curve, and returns the relative error of a rule at 25, 50 and 75 % of the time.
func errorsOf(c curve, rule func(now time.Time, elapsed time.Duration, t Track) (time.Duration, bool)) (at [3]float64) {
	total := c.done[len(c.done)-1]
	var t Track
	t = t.Next(epoch, 0, total)
	for i, done := range c.done {
		elapsed := time.Duration(i+1) * c.tick
		t = t.Next(epoch.Add(elapsed), done, total)
		for q := range at {
			if i+1 == (q+1)*len(c.done)/4 {
				really := time.Duration(len(c.done)-1-i) * c.tick
				left, ok := rule(epoch.Add(elapsed), elapsed, t)
				if !ok {
					at[q] = math.Inf(1)
					continue
				}
				at[q] = math.Abs(left.Seconds()-really.Seconds()) / really.Seconds()
			}
		}
	}
	return at
}

func overallAverage(now time.Time, elapsed time.Duration, t Track) (time.Duration, bool) {
	f := t.done / t.total
	return time.Duration((1 - f) / f * float64(elapsed)), f > 0
}

func ours(usual Times) func(time.Time, time.Duration, Track) (time.Duration, bool) {
	return func(now time.Time, elapsed time.Duration, t Track) (time.Duration, bool) {
		e, ok := Of(now, elapsed, t, usual)
		return e.Left, ok && e.Least <= e.Left && e.Left <= e.Most
	}
}

func TestErrorOfTheEstimate(t *testing.T) {
	usual := Times{N: 20, P50: 110 * time.Second, P90: 130 * time.Second, P95: 140 * time.Second}
	var sums [3]float64
	for name, c := range stages() {
		average, alone, led := errorsOf(c, overallAverage), errorsOf(c, ours(Times{})), errorsOf(c, ours(usual))
		t.Logf("%-18s average %.2f, progress alone %.2f, with history %.2f", name, average, alone, led)
		for q := range 3 {
			sums[0] += average[q]
			sums[1] += alone[q]
			sums[2] += led[q]
		}
		if name == "drops to a third" {
			continue // nobody foresees it
		}
		for q, limit := range []float64{0.35, 0.3, 0.3} {
			if led[q] > limit {
				t.Errorf("%s: the estimate is wrong by %.2f after %d %%", name, led[q], 25*(q+1))
			}
		}
	}
	if !(sums[1] < sums[0] && sums[2] <= sums[1]) {
		t.Errorf("average %.2f, progress alone %.2f, with history %.2f: want each better than the one before", sums[0], sums[1], sums[2])
	}
}
