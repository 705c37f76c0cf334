package instrument_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/semconv"
)

// Stalled and overdue stages are counted while they are so, passed to Events once, and noted on the
// span.
func TestUnusualStages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var heard []string
		hear := func(what string) func(context.Context, instrument.StageWarning) {
			return func(ctx context.Context, w instrument.StageWarning) {
				if instrument.StageFromContext(ctx) == nil {
					t.Errorf("%s: the context is not that of the stage", what)
				}
				heard = append(heard, what+" "+w.Job.ID+" "+w.Stage.Name)
			}
		}
		p, rec := instrumenttest.New(t, instrument.WithStages("encoding", "upload"), instrument.WithStageTimes(usually("encoding", 20*time.Second, 8)),
			instrument.WithEvents(instrument.Events{StageStalled: hear("stalled"), StageOverdue: hear("overdue")}))
		want := func(when string, stalled, overdue float64, told int) {
			t.Helper()
			gotStalled, _ := rec.Gauge(semconv.StagesStalledName, semconv.AttrStage.String("encoding"))
			gotOverdue, _ := rec.Gauge(semconv.JobsOverdueName)
			if gotStalled != stalled || gotOverdue != overdue || len(heard) != told {
				t.Errorf("%s: %v stalled, %v overdue, heard %q, want %v, %v and %d", when, gotStalled, gotOverdue, heard, stalled, overdue, told)
			}
		}
		ctx, job := p.StartJob(t.Context(), "job-1")
		in, stage := instrument.StartStage(ctx, "encoding")
		instrument.ReportProgress(in, 25, 100)
		if got, ok := rec.Gauge(semconv.StageProgressName, semconv.AttrJobID.String("job-1"), semconv.AttrStage.String("encoding")); !ok || got != 0.25 {
			t.Errorf("progress %v, %v", got, ok)
		}
		want("at the start", 0, 0, 0)
		time.Sleep(11 * time.Second)
		want("after 11 s", 1, 0, 1)
		want("once more", 1, 0, 1)
		instrument.ReportProgress(in, 26, 100)
		want("once it has grown", 0, 0, 1)
		time.Sleep(20 * time.Second)
		want("after 31 s", 0, 1, 2)
		time.Sleep(40 * time.Second)
		want("stalled again", 1, 1, 3)
		stage.End(nil)
		want("at the end of the stage", 0, 0, 3)
		if _, ok := rec.Gauge(semconv.StageProgressName, semconv.AttrJobID.String("job-1"), semconv.AttrStage.String("encoding")); ok {
			t.Error("a stage that has ended has a progress")
		}
		job.End(nil)
		var events []string
		for _, e := range rec.Span("stage encoding").Events {
			events = append(events, e.Name)
		}
		if len(events) != 3 || events[0] != "stage stalled" || events[1] != "stage overdue" || events[2] != "stage stalled" {
			t.Errorf("the span has %q", events)
		}
	})
}

// Without details the metrics have no value: unknown is not 0.
func TestNothingIsUnusualWithoutDetails(t *testing.T) {
	_, rec := instrumenttest.New(t)
	for _, name := range []string{semconv.StagesStalledName, semconv.JobsOverdueName} {
		if v, ok := rec.Gauge(name); ok {
			t.Errorf("%s is %v", name, v)
		}
	}
}
