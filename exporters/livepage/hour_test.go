package livepage

import (
	"fmt"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/semconv"
)

func endedJob(at time.Time, status semconv.JobStatus, cost instrument.USD) instrument.JobState {
	return instrument.JobState{End: at, Outcome: instrument.Outcome{Status: status}, Cost: cost}
}

// Each moment of the last hour is in one of 30 buckets, and none before it.
func TestBuckets(t *testing.T) {
	for _, tt := range []struct {
		ago  time.Duration
		want int
		ok   bool
	}{
		{-time.Minute, 29, true}, // a clock that was set
		{0, 29, true},
		{2*time.Minute - 1, 29, true},
		{2 * time.Minute, 28, true},
		{time.Hour - 1, 0, true},
		{time.Hour, 0, false},
		{1000 * time.Hour, 0, false},
	} {
		if at, ok := bucketOf(now, ago(tt.ago)); ok != tt.ok || ok && at != tt.want {
			t.Errorf("%v ago: %d, %v, want %d, %v", tt.ago, at, ok, tt.want, tt.ok)
		}
	}
	if _, ok := bucketOf(now, time.Time{}); ok {
		t.Error("no time is in the last hour")
	}
}

func TestHour(t *testing.T) {
	errs := []instrument.ErrorState{{Stage: "a", ErrorType: "x", Count: 2, Last: ago(time.Minute)}, {Stage: "a", ErrorType: "y", Count: 9, Last: ago(2 * time.Hour)}}
	failed := endedJob(ago(time.Minute), semconv.JobStatusFailed, 5)
	failed.Errors = errs
	s := instrument.Snapshot{Time: now, EndedJobs: 4, Ended: []instrument.JobState{
		endedJob(ago(time.Second), semconv.JobStatusCompleted, 1),
		failed,
		endedJob(ago(10*time.Minute), semconv.JobStatusCanceled, 7),
		endedJob(ago(time.Hour), semconv.JobStatusCompleted, 100),
	}, Live: []instrument.JobState{{Errors: []instrument.ErrorState{{Stage: "a", ErrorType: "x", Count: 1, Last: ago(30 * time.Minute)}}}}}
	h := hourOf(s)
	if h.Completed != 1 || h.Failed != 1 || h.Canceled != 1 || *h.Spent != 13 || h.Errors != 3 || !h.Whole {
		t.Errorf("%+v", h)
	}
	if h.FinishedEach[29] != 2 || h.FinishedEach[24] != 1 || *h.SpentEach[29] != 6 || *h.SpentEach[24] != 7 || h.ErrorsEach[29] != 2 || h.ErrorsEach[14] != 1 {
		t.Errorf("%v %v", h.FinishedEach, h.ErrorsEach)
	}
	if got := fmt.Sprint(faults(s)); got != fmt.Sprint([]fault{{Type: "x", Stage: "a", Count: 3, Last: ms(ago(time.Minute))}}) {
		t.Errorf("errors %s", got)
	}
}

// The hour is whole unless one of its jobs may be forgotten.
func TestWhole(t *testing.T) {
	jobs := func(n int, oldest, forgotten time.Duration) (s instrument.Snapshot) {
		s.Time, s.EndedJobs = now, n
		if forgotten > 0 {
			s.Forgotten = ago(forgotten)
		}
		for range min(n, keep) {
			s.Ended = append(s.Ended, endedJob(ago(oldest), semconv.JobStatusCompleted, 0))
		}
		return s
	}
	for _, tt := range []struct {
		s    instrument.Snapshot
		want bool
	}{
		{jobs(0, 0, 0), true},
		{jobs(0, 0, time.Hour), true},
		{jobs(0, 0, time.Hour-1), false}, // Mount came late
		{jobs(keep, time.Minute, 0), true},
		{jobs(keep, time.Minute, 2*time.Minute), false},
		{jobs(keep, time.Hour-1, time.Hour), true},
		{jobs(keep+1, time.Minute, 0), false}, // the program keeps more than the page has
		{jobs(keep+1, time.Hour, 0), true},
	} {
		if got := hourOf(tt.s).Whole; got != tt.want {
			t.Errorf("%d jobs, forgotten %v: %v, want %v", len(tt.s.Ended), tt.s.Forgotten, got, tt.want)
		}
	}
}
