package eta

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var epoch = time.Unix(1_700_000_000, 0)

// A curve is what one run has reported, and how long it took.
type curve struct {
	took    time.Duration
	reports []report
}

type report struct {
	at          time.Duration // since the start
	done, total float64
}

// simulated are made after what stages of video pipelines look like. Each takes about 120 s.
func simulated() map[string]curve {
	rng := rand.New(rand.NewPCG(7, 7))
	make120 := func(rate func(t float64) float64) curve {
		c := curve{took: 120 * time.Second}
		sum := 0.0
		for i := range 480 {
			sum += max(0.01, rate(float64(i)/4)*(1+0.15*rng.NormFloat64()))
			c.reports = append(c.reports, report{at: time.Duration(i+1) * 250 * time.Millisecond, done: sum})
		}
		for i := range c.reports {
			c.reports[i].total = sum
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

// recorded are the curves of testdata, which real programs have reported; see record_test.go.
func recorded(t *testing.T) map[string]curve {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d recordings, %v", len(files), err)
	}
	all := make(map[string]curve)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var r struct {
			Took    float64
			Reports [][3]float64
		}
		if err := json.Unmarshal(text, &r); err != nil || r.Took < 10 || len(r.Reports) < 20 {
			t.Fatalf("%s: %v, %v s, %d reports", file, err, r.Took, len(r.Reports))
		}
		c := curve{took: span(r.Took)}
		for _, x := range r.Reports {
			c.reports = append(c.reports, report{span(x[0]), x[1], x[2]})
		}
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = c
	}
	return all
}

// A rule estimates how many seconds are left.
type rule func(now time.Time, elapsed time.Duration, t Track) (float64, bool)

// errorsOf replays a curve, and returns the relative error of a rule at 25, 50 and 75 % of the
// time. No estimate counts as an error of 100 %.
func errorsOf(c curve, tell rule) (wrong [3]float64) {
	for q := range wrong {
		elapsed := c.took * time.Duration(q+1) / 4
		t := Track{}.Next(epoch, 0, c.reports[0].total)
		for _, r := range c.reports {
			if r.at <= elapsed {
				t = t.Next(epoch.Add(r.at), r.done, r.total)
			}
		}
		really := (c.took - elapsed).Seconds()
		left, ok := tell(epoch.Add(elapsed), elapsed, t)
		if wrong[q] = math.Abs(left-really) / really; !ok {
			wrong[q] = 1
		}
	}
	return wrong
}

// overallAverage is what most programs show: the rest at the average pace.
func overallAverage(_ time.Time, elapsed time.Duration, t Track) (float64, bool) {
	return (t.total - t.done) / t.done * elapsed.Seconds(), t.done > 0
}

// lastSample is what others show: the rest at the pace of the last report.
func lastSample(c curve) rule {
	return func(_ time.Time, elapsed time.Duration, t Track) (float64, bool) {
		before := report{}
		for _, r := range c.reports {
			if r.done >= t.done || r.at > elapsed {
				break
			}
			before = r
		}
		rate := (t.done - before.done) / (t.last.Sub(epoch) - before.at).Seconds()
		return (t.total - t.done) / rate, rate > 0
	}
}

func ours(usual Times) rule {
	return func(now time.Time, elapsed time.Duration, t Track) (float64, bool) {
		e, ok := Of(now, elapsed, t, usual)
		return e.Left.Seconds(), ok && e.Least <= e.Left && e.Left <= e.Most
	}
}

// earlier are times of earlier runs that took nearly as long.
func earlier(c curve) Times {
	part := func(x float64) time.Duration { return time.Duration(x * float64(c.took)) }
	return Times{N: 20, P50: part(0.92), P90: part(1.08), P95: part(1.17)}
}

// The relative error of the estimate at 25, 50 and 75 % of the time, beside those of simple rules, is
// in the log: go test -v. Over all curves the estimate is better than either, and earlier runs better it.
func TestErrorOfTheEstimate(t *testing.T) {
	for kind, curves := range map[string]map[string]curve{"simulated": simulated(), "recorded": recorded(t)} {
		t.Run(kind, func(t *testing.T) {
			var sums [4]float64 // of the rules below
			for name, c := range curves {
				wrong := [4][3]float64{errorsOf(c, overallAverage), errorsOf(c, lastSample(c)), errorsOf(c, ours(Times{})), errorsOf(c, ours(earlier(c)))}
				t.Logf("%-18s overall average %.2f, last sample %.2f, its own progress %.2f, with earlier runs %.2f", name, wrong[0], wrong[1], wrong[2], wrong[3])
				for rule := range wrong {
					for _, w := range wrong[rule] {
						sums[rule] += w / float64(3*len(curves))
					}
				}
				if kind == "recorded" || name == "drops to a third" {
					continue // the pace of a machine that others use too changes, which nobody foresees
				}
				for q, w := range wrong[3] {
					if w > 0.35 {
						t.Errorf("%s: the estimate is wrong by %.2f after %d %%", name, w, 25*(q+1))
					}
				}
			}
			t.Logf("%-18s overall average %.2f, last sample %.2f, its own progress %.2f, with earlier runs %.2f", "mean", sums[0], sums[1], sums[2], sums[3])
			if !(sums[2] < sums[0] && sums[2] < sums[1] && sums[3] <= sums[2]) {
				t.Errorf("mean errors %.3f: want the third below the first two, and the last at most that", sums)
			}
		})
	}
}

// Stalled work has no estimate, with and without earlier runs: it is unknown when it goes on. The
// estimate comes back with the next growth.
func TestNoEstimateWhileStalled(t *testing.T) {
	track := Track{}
	at := epoch
	for i := range 21 {
		at = epoch.Add(time.Duration(i) * time.Second)
		track = track.Next(at, float64(i), 100)
	}
	known := Times{N: 20, P50: time.Minute, P90: time.Minute, P95: time.Minute}
	for _, usual := range []Times{{}, known} {
		if e, ok := Of(at.Add(9*time.Second), 29*time.Second, track, usual); !ok || e.Left > 10*time.Minute {
			t.Errorf("%+v, %v after 9 s without growth", e, ok)
		}
		for _, since := range []time.Duration{11 * time.Second, time.Minute, 24 * time.Hour} {
			if e, ok := Of(at.Add(since), 20*time.Second+since, track, usual); ok {
				t.Errorf("%+v after %v without growth", e, since)
			}
		}
		again := track.Next(at.Add(time.Minute), 21, 100)
		if e, ok := Of(at.Add(time.Minute), 80*time.Second, again, usual); !ok || e.Left <= 0 {
			t.Errorf("%+v, %v when it has grown again", e, ok)
		}
	}
}
