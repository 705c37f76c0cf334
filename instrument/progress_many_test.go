package instrument_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// Workers that count together report in any order. The estimate goes on, and so does a stall.
func TestProgressOfManyWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := instrumenttest.New(t, instrument.WithDetails())
		ctx, job := p.StartJob(t.Context(), "job-1")
		defer job.End(nil)
		ctx, stage := instrument.StartStage(ctx, "encoding")
		defer stage.End(nil)
		for i := range 25 {
			for _, late := range []int{0, 3, 1, 2} {
				instrument.ReportProgress(ctx, float64(4*i+late), 400)
				time.Sleep(250 * time.Millisecond)
			}
		}
		e := onlyJob(t, p).Stages[0].Estimate
		if e == nil || e.Fraction < 0.24 || !within(e.Left, 75*time.Second, 0.1) {
			t.Errorf("%+v, want 75 s left", e)
		}
		time.Sleep(10 * time.Second)
		if onlyJob(t, p).Stages[0].Stalled.IsZero() {
			t.Error("not stalled")
		}
	})
}

// No report is lost if several come at the same time.
func TestProgressAtTheSameTime(t *testing.T) {
	p, _ := instrumenttest.New(t, instrument.WithDetails())
	ctx, job := p.StartJob(t.Context(), "job-1")
	defer job.End(nil)
	ctx, stage := instrument.StartStage(ctx, "encoding")
	defer stage.End(nil)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for k := range 1000 {
				instrument.ReportProgress(ctx, float64(8*k+i), 16000)
			}
		})
	}
	all.Wait()
	if e := onlyJob(t, p).Stages[0].Estimate; e == nil || e.Fraction != 7999.0/16000 {
		t.Errorf("%+v, want the largest report", e)
	}
}

// The fraction of a stage never falls, even if its total grows, its work begins anew, or its first
// report comes after an estimate by earlier runs.
func TestFractionOfAStage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := instrumenttest.New(t, instrument.WithStageTimes(usually("encoding", 20*time.Second, 3)))
		ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithVideoDuration(time.Minute))
		defer job.End(nil)
		in, stage := instrument.StartStage(ctx, "encoding")
		time.Sleep(8 * time.Second)
		if e := onlyJob(t, p).Stages[0].Estimate; e == nil || e.Fraction != 0.4 {
			t.Errorf("%+v, want 8 s of 20", e)
		}
		last := 0.4
		for _, r := range [][2]float64{{0, 100}, {10, 100}, {50, 100}, {50, 200}, {120, 200}, {0, 200}, {10, 200}, {300, 200}, {300, 0}, {1, 1e300}, {1e300, 1}} {
			instrument.ReportProgress(in, r[0], r[1])
			time.Sleep(3 * time.Second)
			e := onlyJob(t, p).Stages[0].Estimate
			if e == nil || !(e.Fraction >= last && e.Fraction <= 0.99) || e.Left < -1 || e.Most < e.Least {
				t.Errorf("%v of %v: %+v after %v", r[0], r[1], e, last)
				continue
			}
			last = e.Fraction
		}
		stage.End(nil)

		// Work that begins anew without a snapshot in between is estimated by its new pace.
		in, stage = instrument.StartStage(ctx, "two passes")
		defer stage.End(nil)
		for range 2 {
			for i := range 51 {
				instrument.ReportProgress(in, float64(2*i), 100)
				time.Sleep(time.Second)
			}
		}
		for i := range 11 {
			instrument.ReportProgress(in, float64(2*i), 100)
			time.Sleep(time.Second)
		}
		if e := onlyJob(t, p).Stages[1].Estimate; e == nil || e.Fraction != 0.2 || !within(e.Left, 40*time.Second, 0.1) {
			t.Errorf("%+v, want 40 s left of the third pass", e)
		}
	})
}

// Once a third of a stage is done, earlier runs are no part of its estimate.
func TestRunsThatAnEstimateRestsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := instrumenttest.New(t, instrument.WithStageTimes(usually("encoding", 50*time.Second, 3)))
		ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithVideoDuration(time.Minute))
		defer job.End(nil)
		ctx, stage := instrument.StartStage(ctx, "encoding")
		defer stage.End(nil)
		for i := range 36 {
			instrument.ReportProgress(ctx, float64(i), 100)
			time.Sleep(time.Second)
			e := onlyJob(t, p).Estimate
			if led := i < 30; e == nil || (e.Runs == 3) != led || e.Scaled != led {
				t.Errorf("%d of 100: %+v", i, e)
			}
		}
	})
}
