package instrument_test

import (
	"context"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/internal/seam"
)

// A snapshot, the events and the metrics have the same duration: the clock is read once for all of
// them.
func TestDetailsHaveTheMeasuredDurations(t *testing.T) {
	var stage, call time.Duration
	p, _ := instrumenttest.New(t, instrument.WithHistory(1), instrument.WithEvents(instrument.Events{
		StageEnded: func(_ context.Context, e instrument.StageEvent) { stage = e.Duration },
		CallEnded:  func(_ context.Context, e instrument.CallEvent) { call = e.Duration },
	}))
	before := time.Now()
	err := p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
		return instrument.RunStage(ctx, "analysis", func(ctx context.Context) error {
			return instrument.RunCall(ctx, "gpt", func(context.Context) error { time.Sleep(time.Millisecond); return nil })
		})
	})
	after := time.Now()
	if err != nil {
		t.Fatal(err)
	}
	j := p.Snapshot(instrument.Query{}).Ended[0]
	s, c := j.Stages[0], j.Calls[0]
	if got := s.End.Sub(s.Start); got != stage {
		t.Errorf("the stage took %v in the snapshot, %v in the event", got, stage)
	}
	if got := c.End.Sub(c.Start); got != call {
		t.Errorf("the call took %v in the snapshot, %v in the event", got, call)
	}
	for i, at := range []time.Time{before, j.Start, s.Start, c.Start, c.End, s.End, j.End, after} {
		if at.Before(before) {
			t.Errorf("time %d, %v, is before the one before it, %v", i, at, before)
		}
		before = at
	}
}

// A dropped call, such as a redirect, is not among the calls that are only counted.
func TestDroppedCallIsNotCounted(t *testing.T) {
	p, _ := instrumenttest.New(t, instrument.WithDetails())
	ctx, job := p.StartJob(t.Context(), "job-1")
	defer job.End(nil)
	for i := range 1002 {
		_, call, err := instrument.StartCall(ctx, "gpt")
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 && i < 1001 { // the last one has no place, since 1,000 are under way
			defer call.End(nil)
			continue
		}
		if i == 1001 {
			if j := p.Snapshot(instrument.Query{}).Live[0]; len(j.Calls) != 1000 || j.MoreCalls != 1 {
				t.Errorf("%d calls and %d more, want 1000 and 1", len(j.Calls), j.MoreCalls)
			}
		}
		seam.Drop(call)
	}
	if j := p.Snapshot(instrument.Query{}).Live[0]; len(j.Calls) != 1000 || j.MoreCalls != 0 {
		t.Errorf("%d calls and %d more, want 1000 and 0", len(j.Calls), j.MoreCalls)
	}
}
