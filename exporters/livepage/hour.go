package livepage

import (
	"cmp"
	"slices"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/semconv"
)

// hourOf adds up the jobs that ended in the last hour.
func hourOf(s instrument.Snapshot) hour {
	h := hour{
		Whole:        s.EndedJobs <= len(s.Ended),
		FinishedEach: make([]int, buckets), SpentEach: make([]amount, buckets), ErrorsEach: make([]int, buckets),
	}
	for _, j := range s.Ended {
		ago := s.Time.Sub(j.End)
		if ago < 0 || ago >= time.Hour {
			continue
		}
		at := buckets - 1 - int(ago/(time.Hour/buckets))
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
		h.Spent, h.SpentEach[at] = plus(h.Spent, j.Cost), plus(h.SpentEach[at], j.Cost)
		h.Unpriced += j.Unpriced
		for _, e := range j.Errors {
			h.Errors += e.Count
			h.ErrorsEach[at] += e.Count
		}
		h.Errors += j.MoreErrors
		h.ErrorsEach[at] += j.MoreErrors
	}
	for _, j := range s.Live {
		for _, e := range j.Errors {
			h.Errors += e.Count
			h.ErrorsEach[buckets-1] += e.Count
		}
	}
	return h
}

// faults returns the most frequent errors of the last hour's jobs and of the live ones.
func faults(s instrument.Snapshot) []fault {
	type key struct{ stage, kind string }
	sums := make(map[key]*fault)
	add := func(j instrument.JobState, at time.Time) {
		for _, e := range j.Errors {
			k := key{e.Stage, e.ErrorType}
			if sums[k] == nil {
				sums[k] = &fault{Type: e.ErrorType, Stage: e.Stage}
			}
			sums[k].Count += e.Count
			sums[k].Last = max(sums[k].Last, ms(at))
		}
	}
	for _, j := range s.Live {
		add(j, s.Time)
	}
	for _, j := range s.Ended {
		if s.Time.Sub(j.End) < time.Hour {
			add(j, j.End)
		}
	}
	all := []fault{}
	for _, f := range sums {
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b fault) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Stage, b.Stage), cmp.Compare(a.Type, b.Type))
	})
	return all[:min(len(all), sentFaults)]
}

func top(s instrument.Snapshot) *fault {
	if all := faults(s); len(all) > 0 {
		return &all[0]
	}
	return nil
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
