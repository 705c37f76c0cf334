package instrument_test

import (
	"context"
	"errors"
	"math"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

func onlyJob(t *testing.T, p *instrument.Pipeline) instrument.JobState {
	t.Helper()
	s := p.Snapshot(instrument.Query{})
	if len(s.Live) != 1 {
		t.Fatalf("%d live jobs, want one", len(s.Live))
	}
	return s.Live[0]
}

func within(got, want time.Duration, share float64) bool {
	return math.Abs(float64(got-want)) <= share*float64(want)
}

// usually returns n runs that took so long, each for a video of a minute.
func usually(stage string, took time.Duration, n int) instrument.StageTimes {
	t := instrument.StageTimes{Stage: stage}
	for range n {
		t.Runs = append(t.Runs, instrument.StageRun{Took: took, Video: time.Minute})
	}
	return t
}

// Without earlier runs the estimate of a stage follows from its own progress, after the first two
// seconds.
func TestEstimateFromProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := instrumenttest.New(t, instrument.WithDetails(), instrument.WithStages("decoding", "encoding"))
		ctx, job := p.StartJob(t.Context(), "job-1")
		defer job.End(nil)
		in, stage := instrument.StartStage(ctx, "decoding")
		defer stage.End(nil)
		if s := onlyJob(t, p).Stages[0]; s.Estimate != nil || s.Usual != nil || s.Overdue || !s.Stalled.IsZero() {
			t.Errorf("%+v, want nothing known", s)
		}
		for i := range 51 {
			instrument.ReportProgress(in, float64(i), 200, instrument.WithUnit("s"))
			if i == 1 {
				if e := onlyJob(t, p).Stages[0].Estimate; e == nil || e.Left != -1 || e.Least != -1 || e.Most != -1 || e.Fraction != 0.005 {
					t.Errorf("%+v after a second, want only a fraction", e)
				}
			}
			time.Sleep(time.Second)
		}
		j := onlyJob(t, p)
		e := j.Stages[0].Estimate
		if e == nil || e.Fraction != 0.25 || !within(e.Left, 150*time.Second, 0.05) || !(e.Least < e.Left && e.Left < e.Most) || e.Runs != 0 {
			t.Errorf("%+v, want 150 s left", e)
		}
		// Nobody knows how long the encoding will take: the job is an eighth done, by its stages.
		if e := j.Estimate; e == nil || e.Left != -1 && !within(e.Left, 150*time.Second, 0.05) {
			t.Errorf("the job: %+v", e)
		}
	})
}

// Earlier runs lead at the start, in proportion to the length of the video.
func TestEstimateFromEarlierRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := instrumenttest.New(t, instrument.WithStages("decoding", "encoding", "upload"),
			instrument.WithStageTimes(usually("decoding", 30*time.Second, 5), usually("encoding", 60*time.Second, 9)))
		ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithVideoDuration(2*time.Minute))
		defer job.End(nil)
		_, stage := instrument.StartStage(ctx, "decoding")
		time.Sleep(15 * time.Second)
		j := onlyJob(t, p)
		want := instrument.Usual{Runs: 5, Scaled: true, P50: time.Minute, P90: time.Minute, P95: time.Minute}
		if s := j.Stages[0]; s.Usual == nil || *s.Usual != want || s.Estimate == nil || s.Estimate.Left != 45*time.Second || s.Estimate.Fraction != 0.25 {
			t.Errorf("the stage: %+v, %+v", s.Usual, s.Estimate)
		}
		if e := j.Estimate; e == nil || e.Left != (45+120)*time.Second || e.Runs != 5 || !e.Scaled || !within(time.Duration(e.Fraction*1000), 83, 0.02) {
			t.Errorf("the job: %+v, want 45 s and the 120 s of the encoding", e)
		}
		stage.End(nil)
		if e := onlyJob(t, p).Estimate; e == nil || e.Left != 120*time.Second || e.Fraction < 0.083 {
			t.Errorf("between stages: %+v", e)
		}
		if got := p.StageTimes(); len(got) != 2 || len(got[0].Runs) != 6 || got[0].Runs[5] != (instrument.StageRun{Took: 15 * time.Second, Video: 2 * time.Minute}) {
			t.Errorf("%+v, want also the run that ended", got)
		}
	})
}

// A fraction does not fall, whatever is reported, and is never 1 before the end.
func TestFractionOfAJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := instrumenttest.New(t, instrument.WithHistory(1))
		ctx, job := p.StartJob(t.Context(), "job-1")
		last := -1.0
		for _, done := range []float64{10, 20, 30, 5, 100, 100, 300, 0} {
			instrument.ReportProgress(ctx, done, 100)
			time.Sleep(time.Second)
			e := onlyJob(t, p).Estimate
			if e == nil || e.Fraction < last || e.Fraction > 0.99 || math.IsNaN(e.Fraction) {
				t.Errorf("%v of 100: %+v after %v", done, e, last)
			}
			last = e.Fraction
		}
		job.End(nil)
		if ended := p.Snapshot(instrument.Query{}).Ended; len(ended) != 1 || ended[0].Estimate != nil {
			t.Errorf("%+v, want no estimate of what has ended", ended)
		}
	})
}

// Only successful runs count as earlier runs.
func TestStageTimesOfFailures(t *testing.T) {
	p, _ := instrumenttest.New(t, instrument.WithDetails())
	_ = p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
		_ = instrument.RunStage(ctx, "good", func(context.Context) error { return nil })
		_ = instrument.RunStage(ctx, "bad", func(context.Context) error { return errors.New("no") })
		return nil
	})
	got := p.StageTimes()
	if len(got) != 1 || got[0].Stage != "good" || len(got[0].Runs) != 1 {
		t.Errorf("%+v, want the good run", got)
	}
	again, _ := instrumenttest.New(t, instrument.WithStageTimes(got...))
	if !reflect.DeepEqual(again.StageTimes(), got) {
		t.Errorf("%+v after a restart, want %+v", again.StageTimes(), got)
	}
	if _, err := instrument.New(instrument.WithStageTimes(instrument.StageTimes{Stage: "s", Runs: []instrument.StageRun{{Took: -1}}})); err == nil {
		t.Error("a negative time is no error")
	}
}

// A stage is stalled when its progress does not grow for 10 s, or five times as long as usual.
func TestStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := instrumenttest.New(t, instrument.WithDetails())
		ctx, job := p.StartJob(t.Context(), "job-1")
		defer job.End(nil)
		ctx, stage := instrument.StartStage(ctx, "encoding")
		defer stage.End(nil)
		stalled := func() bool { return !onlyJob(t, p).Stages[0].Stalled.IsZero() }
		time.Sleep(time.Hour)
		if stalled() {
			t.Error("what never reported is stalled")
		}
		for i := range 5 { // grows every 4 s
			instrument.ReportProgress(ctx, float64(i+1), 100)
			time.Sleep(4 * time.Second)
		}
		grown := time.Now().Add(-4 * time.Second)
		for range 15 {
			instrument.ReportProgress(ctx, 5, 100) // nothing more
			time.Sleep(time.Second)
		}
		if stalled() {
			t.Error("stalled after 19 s, although 4 s are usual")
		}
		time.Sleep(2 * time.Second)
		if at := onlyJob(t, p).Stages[0].Stalled; !at.Equal(grown) {
			t.Errorf("stalled since %v, want %v", at, grown)
		}
		instrument.ReportProgress(ctx, 6, 100)
		if stalled() {
			t.Error("still stalled although it grew")
		}
	})
}

// A stage is overdue when nearly all earlier ones took less.
func TestOverdue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := instrumenttest.New(t, instrument.WithStageTimes(usually("encoding", 20*time.Second, 8), usually("decoding", 20*time.Second, 7)))
		ctx, job := p.StartJob(t.Context(), "job-1")
		defer job.End(nil)
		_, encoding := instrument.StartStage(ctx, "encoding")
		defer encoding.End(nil)
		_, decoding := instrument.StartStage(ctx, "decoding")
		defer decoding.End(nil)
		time.Sleep(30 * time.Second)
		if s := onlyJob(t, p).Stages; s[0].Overdue || s[1].Overdue {
			t.Errorf("overdue after 1.5 times as long: %+v", s)
		}
		time.Sleep(time.Second)
		s := onlyJob(t, p).Stages
		if !s[0].Overdue || s[0].Usual.Shorter != 8 || s[1].Overdue {
			t.Errorf("%+v, %+v: want the first overdue, and not the second, of which seven are known", s[0], s[1])
		}
		if e := s[0].Estimate; e == nil || e.Left <= 0 || e.Fraction > 0.99 {
			t.Errorf("%+v", e)
		}
	})
}
