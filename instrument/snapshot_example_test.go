package instrument_test

import (
	"context"
	"fmt"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// A stage says how far it is, and a snapshot shows it.
func ExampleReportProgress() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, _ := instrumenttest.New(t, instrument.WithDetails())

	ctx, job := p.StartJob(context.Background(), "talk-1")
	defer job.End(nil)
	ctx, stage := instrument.StartStage(ctx, "rendering")
	defer stage.End(nil)
	for frame := range 30 {
		instrument.ReportProgress(ctx, float64(frame+1), 120, instrument.WithUnit("frames"))
	}

	for _, j := range p.Snapshot(instrument.Query{}).Live {
		for _, s := range j.Stages {
			fmt.Printf("%s: %s has done %.0f of %.0f %s, %.0f %%\n",
				j.ID, s.Name, s.Progress.Done, s.Progress.Total, s.Progress.Unit, 100*s.Estimate.Fraction)
		}
	}
	// Output: talk-1: rendering has done 30 of 120 frames, 25 %
}

// What one process knows of its stages, the next one is told, so that its first job has an estimate.
// Between the two a file or a database keeps it, as JSON for example.
func ExampleWithStageTimes() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	kept := []instrument.StageTimes{{Stage: "rendering", Runs: []instrument.StageRun{
		{Took: 30 * time.Second, Video: time.Minute}, // as Pipeline.StageTimes returned it
		{Took: 60 * time.Second, Video: 2 * time.Minute},
	}}}
	p, _ := instrumenttest.New(t, instrument.WithStages("rendering"), instrument.WithStageTimes(kept...))

	ctx, job := p.StartJob(context.Background(), "talk-2", instrument.WithVideoDuration(10*time.Minute))
	_, stage := instrument.StartStage(ctx, "rendering")
	usual := p.Snapshot(instrument.Query{}).Live[0].Stages[0].Usual
	fmt.Println(usual.P50, "by", usual.Runs, "earlier runs")
	stage.End(nil)
	job.End(nil)

	fmt.Println(len(p.StageTimes()[0].Runs), "runs to keep")
	// Output:
	// 5m0s by 2 earlier runs
	// 3 runs to keep
}
