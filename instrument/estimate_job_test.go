package instrument_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

func runFor(ctx context.Context, stage string, took time.Duration, err error) {
	_ = instrument.RunStage(ctx, stage, func(context.Context) error { time.Sleep(took); return err })
}

// In the first job of a process it is unknown how long the stages to come take: the job has no
// estimate of its time, and its progress is that of its stages.
func TestFirstJobIsNotNearlyDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := instrumenttest.New(t, instrument.WithDetails(), instrument.WithStages("decoding", "encoding", "upload", "cleaning"))
		ctx, job := p.StartJob(t.Context(), "job-1")
		runFor(ctx, "decoding", 10*time.Second, nil)
		in, stage := instrument.StartStage(ctx, "encoding")
		for i := range 6 {
			instrument.ReportProgress(in, float64(i), 10)
			time.Sleep(time.Second)
		}
		j := onlyJob(t, p)
		if s := j.Stages[1].Estimate; s == nil || s.Left < 3*time.Second || s.Left > 6*time.Second || s.Runs != 0 || s.Scaled {
			t.Errorf("the stage: %+v", s)
		}
		if e := j.Estimate; e == nil || e.Left != -1 || e.Most != -1 || e.Fraction != 1.5/4 || e.Runs != 0 || e.Scaled {
			t.Errorf("the job: %+v, want 1.5 of 4 stages, and nothing of the time", e)
		}
		stage.End(nil)
		runFor(ctx, "upload", 20*time.Second, nil)
		job.End(nil) // without the cleaning

		_, job = p.StartJob(t.Context(), "job-2")
		defer job.End(nil)
		if e := onlyJob(t, p).Estimate; e == nil || e.Left != 36*time.Second || e.Runs != 1 {
			t.Errorf("a second job: %+v, want the 36 s of the first", e)
		}
	})
}

// A stage that the job has skipped is not part of the estimate, since a resumed job begins where it
// stopped. A stage that failed is, since it may be tried again.
func TestStagesThatAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := instrumenttest.New(t, instrument.WithStages("decoding", "encoding", "upload"), instrument.WithStageTimes(
			usually("decoding", 30*time.Second, 5), usually("encoding", 60*time.Second, 5), usually("upload", 10*time.Second, 5)))
		left := func() time.Duration { return onlyJob(t, p).Estimate.Left }
		ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithVideoDuration(time.Minute))
		defer job.End(nil)
		if got := left(); got != 100*time.Second {
			t.Errorf("at first %v, want all stages", got)
		}
		runFor(ctx, "encoding", 20*time.Second, errors.New("no disk"))
		if got := left(); got != 70*time.Second {
			t.Errorf("after a failure %v, want the encoding once more, and no decoding", got)
		}
		_, stage := instrument.StartStage(ctx, "encoding")
		time.Sleep(15 * time.Second)
		if got := left(); got != 55*time.Second {
			t.Errorf("in the second attempt %v, want 45 s and the upload", got)
		}
		stage.End(nil)
		if got := left(); got != 10*time.Second {
			t.Errorf("before the upload %v", got)
		}
	})
}

// Stages that run at the same time take as long as the longest. Stages inside of another one are part
// of it.
func TestStagesBesideAndInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := instrumenttest.New(t, instrument.WithStages("audio", "video", "chunk", "upload"), instrument.WithStageTimes(
			usually("audio", 30*time.Second, 5), usually("video", 60*time.Second, 5), usually("chunk", 7*time.Second, 5), usually("upload", 10*time.Second, 5)))
		ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithVideoDuration(time.Minute))
		defer job.End(nil)
		_, audio := instrument.StartStage(ctx, "audio")
		defer audio.End(nil)
		in, video := instrument.StartStage(ctx, "video")
		defer video.End(nil)
		time.Sleep(10 * time.Second)
		runFor(in, "chunk", 5*time.Second, nil)
		if e := onlyJob(t, p).Estimate; e.Left != (45+10)*time.Second {
			t.Errorf("%v, want the rest of the video, and the upload", e.Left)
		}
		for range 3 { // of one name
			_, stage := instrument.StartStage(ctx, "video")
			defer stage.End(nil)
		}
		if e := onlyJob(t, p).Estimate; e.Left != (60+10)*time.Second || e.Fraction > 0.5 {
			t.Errorf("%+v, want the rest of the last", e)
		}
	})
}

// The progress that a job itself reports counts if its stages give no estimate.
func TestProgressOfAJobBetweenItsStages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := instrumenttest.New(t, instrument.WithDetails())
		ctx, job := p.StartJob(t.Context(), "job-1")
		defer job.End(nil)
		for i := range 5 {
			instrument.ReportProgress(ctx, float64(i), 10)
			_ = instrument.RunStage(ctx, "segment", func(ctx context.Context) error {
				instrument.ReportProgress(ctx, 1, 0)
				time.Sleep(10 * time.Second)
				return nil
			})
		}
		e := onlyJob(t, p).Estimate
		if e == nil || e.Fraction != 0.4 || !within(e.Left, 50*time.Second, 0.1) || e.Runs != 0 {
			t.Errorf("%+v, want 50 s left", e)
		}
		if got := onlyJob(t, p).Progress; got == nil || got.Stage != "segment" {
			t.Errorf("%+v, want the newest report", got)
		}
	})
}

// A stage that outlives its job has no estimate, and is neither stalled nor overdue.
func TestStagesThatOutliveTheirJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := 0
		p, _ := instrumenttest.New(t, instrument.WithHistory(1), instrument.WithStageTimes(usually("encoding", time.Second, 9)),
			instrument.WithEvents(instrument.Events{StageStalled: func(context.Context, instrument.StageWarning) { told++ }}))
		ctx, job := p.StartJob(t.Context(), "job-1")
		ctx, stage := instrument.StartStage(ctx, "encoding")
		instrument.ReportProgress(ctx, 1, 2)
		time.Sleep(time.Minute)
		job.End(nil)
		s := p.Snapshot(instrument.Query{}).Ended[0].Stages[0]
		if s.Estimate != nil || !s.Stalled.IsZero() || s.Overdue || s.Progress == nil || !s.End.IsZero() || told != 0 {
			t.Errorf("%+v, told %d times", s, told)
		}
		stage.End(nil)
	})
}
