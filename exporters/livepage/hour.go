package livepage

import (
	"cmp"
	"slices"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/semconv"
)

// buckets is the number of parts of the last hour, each with figures of its own.
const buckets = 30

// bucketOf returns the part of the last hour that a moment is in, the newest being the last. It
// returns false for a moment before that hour.
func bucketOf(now, at time.Time) (int, bool) {
	ago := max(now.Sub(at), 0)
	return buckets - 1 - int(ago/(time.Hour/buckets)), ago < time.Hour
}

// hourOf adds up the jobs that ended in the last hour, and the errors of all. The cost of a job
// counts at its end, an error at the last one of its stage and type in its job.
func hourOf(s instrument.Snapshot) hour {
	h := hour{
		Whole:        whole(s),
		FinishedEach: make([]int, buckets), ErrorsEach: make([]int, buckets), SpentEach: make([]*amount, buckets),
	}
	var sum instrument.USD
	var each [buckets]instrument.USD
	var unpriced [buckets]int
	for _, j := range s.Ended {
		at, ok := bucketOf(s.Time, j.End)
		if !ok {
			continue
		}
		switch j.Outcome.Status {
		case semconv.JobStatusCompleted:
			h.Completed++
			h.FinishedEach[at]++
		case semconv.JobStatusFailed:
			h.Failed++
			h.FinishedEach[at]++
		case semconv.JobStatusCanceled:
			h.Canceled++
			h.FinishedEach[at]++
		}
		sum, each[at] = money.Sum(sum, j.Cost), money.Sum(each[at], j.Cost)
		h.Unpriced += j.Unpriced
		unpriced[at] += j.Unpriced
	}
	h.Spent = spent(sum, h.Unpriced)
	for i := range each {
		h.SpentEach[i] = spent(each[i], unpriced[i])
	}
	eachError(s, func(e instrument.ErrorState, at int) {
		h.Errors += e.Count
		h.ErrorsEach[at] += e.Count
	})
	return h
}

// whole reports whether each job that ended in the last hour is among those of s: none of them is
// forgotten, as those before [Mount] are, or left out.
func whole(s instrument.Snapshot) bool {
	n := len(s.Ended)
	return s.Time.Sub(s.Forgotten) >= time.Hour && (n == s.EndedJobs || n > 0 && s.Time.Sub(s.Ended[n-1].End) >= time.Hour)
}

// eachError calls f for the errors of the last hour, with the part of the hour.
func eachError(s instrument.Snapshot, f func(instrument.ErrorState, int)) {
	for _, jobs := range [][]instrument.JobState{s.Live, s.Ended} {
		for _, j := range jobs {
			for _, e := range j.Errors {
				if at, ok := bucketOf(s.Time, e.Last); ok {
					f(e, at)
				}
			}
		}
	}
}

// faults returns the errors of the last hour, the most frequent ones first.
func faults(s instrument.Snapshot) []fault {
	type key struct{ stage, kind string }
	sums := make(map[key]*fault)
	eachError(s, func(e instrument.ErrorState, _ int) {
		k := key{e.Stage, e.ErrorType}
		if sums[k] == nil {
			sums[k] = &fault{Type: e.ErrorType, Stage: e.Stage}
		}
		sums[k].Count += e.Count
		sums[k].Last = max(sums[k].Last, ms(e.Last))
	})
	all := []fault{}
	for _, f := range sums {
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b fault) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Type, b.Type))
	})
	return all[:min(len(all), sentFaults)]
}

// highlights counts the scores of the jobs by tenths.
func highlights(jobs []instrument.JobState) []int {
	tenths := make([]int, 10)
	for _, j := range jobs {
		for _, score := range j.Quality.Highlights {
			tenths[min(max(int(score*10), 0), 9)]++
		}
	}
	return tenths
}
