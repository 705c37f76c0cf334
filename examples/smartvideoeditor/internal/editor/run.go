package editor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/propagation"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/semconv"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/screen"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/store"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/summary"
)

// A run is one run of a job.
type run struct {
	*Editor
	task       Task
	checkpoint store.Checkpoint
	screen     screen.Job
	report     summary.Job
	before     instrument.USD // what earlier runs have cost

	// The results of the stages, in their order.
	video       video
	scenes      scenes
	transcript  transcript
	description description
	normalized  normalized
	reel        reel
}

// job runs the job, from its checkpoint on. The outcome is stored before RunJob counts it.
func (r *run) job(ctx context.Context, carrier propagation.TextMapCarrier) summary.Job {
	r.report = summary.Job{ID: r.task.ID, Input: r.task.Input}
	checkpoint, unknown := r.Checkpoints.Load(ctx, r.task.ID)
	r.checkpoint, r.before = checkpoint, checkpoint.Cost
	var in context.Context // of the job, in which OutcomeOf returns what the metrics count
	err := r.Pipeline.RunJob(ctx, r.task.ID, func(ctx context.Context) error {
		in = ctx
		r.screen = r.Screen.Job(r.task.ID)
		if unknown != nil {
			return unknown
		}
		return r.edit(ctx)
	},
		instrument.WithCarrier(carrier),
		instrument.WithBudget(r.Budget))
	// The ledger may not have been told of the last call yet.
	r.checkpoint.Cost = max(r.checkpoint.Cost, money.Sum(r.before, instrument.JobFromContext(in).Cost()))
	return r.ended(ctx, instrument.OutcomeOf(in, err), err)
}

// edit runs the stages.
func (r *run) edit(ctx context.Context) error {
	if err := r.Checkpoints.Begin(ctx, r.task.ID, r.task.Path); err != nil {
		return err
	}
	if err := os.MkdirAll(r.workspace(r.task.ID), 0o755); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{
		r.validation, r.analysis, r.transcription, r.titling, r.normalization, r.rendering,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return r.Checkpoints.Finish(ctx, r.task.ID, store.Outcome{Status: store.Completed, Output: string(r.reel.Output)})
}

// ended stores how a job has failed or was canceled, removes the files that no run needs any more,
// and returns its report.
func (r *run) ended(ctx context.Context, outcome instrument.Outcome, err error) summary.Job {
	r.report.Status, r.report.ErrorType = string(outcome.Status), outcome.ErrorType
	if err != nil {
		r.failed(ctx, err)
	}
	// A later run continues a canceled job from its last finished stage; every other job no longer
	// needs its files.
	if outcome.Status != semconv.JobStatusCanceled {
		if err := os.RemoveAll(r.workspace(r.task.ID)); err != nil {
			r.Screen.Printf("%s: %v", r.task.ID, err)
		}
	}
	r.keepTimes(ctx)
	r.fill()
	r.screen.End(r.report.Status, r.lastWord())
	return r.report
}

func (r *run) failed(ctx context.Context, err error) {
	r.report.Error = err.Error()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	if err := r.Checkpoints.Finish(ctx, r.task.ID, store.Outcome{
		Status:    store.Status(r.report.Status),
		ErrorType: r.report.ErrorType,
		Error:     r.report.Error,
	}); err != nil {
		r.Screen.Printf("%s: %v", r.task.ID, err)
	}
}

// keepTimes stores how long the stages took so far, for the estimates of the next run of the
// program. An error is only written to the screen.
func (r *run) keepTimes(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	if err := r.Checkpoints.SaveStageTimes(ctx, r.Pipeline.StageTimes()); err != nil {
		r.Screen.Printf("%s: %v", r.task.ID, err)
	}
}

// saveTimeout bounds storing a checkpoint of a job that has ended or was canceled.
// A database that is restarted in between must not lose what was paid for.
const saveTimeout = 30 * time.Second

// fill copies the results of the stages into the report.
func (r *run) fill() {
	for _, stage := range r.checkpoint.Stages {
		if strings.Contains(stage.Name, partMark) {
			continue
		}
		r.report.Stages = append(r.report.Stages, summary.Stage{Name: stage.Name, Seconds: stage.Took.Seconds()})
	}
	r.report.CostUSD = r.checkpoint.Cost.Float64()
	r.report.LoudnessSpreadBeforeLU = (*float64)(r.scenes.Spread)
	r.report.LoudnessSpreadAfterLU = (*float64)(r.normalized.Spread)
	r.report.Segments = len(r.scenes.Segments)
	r.report.Highlights = len(r.reel.Highlights)
	r.report.Transcript = r.transcript.Text
	r.report.SpeechSeconds = r.transcript.Sent.Seconds()
	r.report.Summary = r.description.Summary
	for _, c := range r.description.Chapters {
		r.report.Chapters = append(r.report.Chapters, summary.Chapter{Seconds: c.Start.Seconds(), Title: c.Title})
	}
	r.report.InputTokens, r.report.OutputTokens = r.description.Tokens.Input, r.description.Tokens.Output
	r.report.Output = string(r.reel.Output)
	r.report.Notes = r.video.Said
	if r.description.Missing != "" {
		r.report.Notes = append(slices.Clip(r.report.Notes), r.description.note())
	}
}

func (r *run) lastWord() string {
	if r.report.Error != "" {
		return fmt.Sprintf("%s (%s)", r.report.Error, r.report.ErrorType)
	}
	return r.report.Output
}

// done returns the report of a job that was completed before, which does not run again. It reports
// false if the reel no longer exists.
func (e *Editor) done(ctx context.Context, task Task) (summary.Job, bool) {
	checkpoint, err := e.Checkpoints.Load(ctx, task.ID)
	if err != nil || checkpoint.Status != store.Completed {
		return summary.Job{}, false
	}
	if _, err := os.Stat(e.output(task.ID)); err != nil { // the store has no paths that are not UTF-8
		return summary.Job{}, false
	}
	r := &run{Editor: e, task: task, checkpoint: checkpoint}
	r.report = summary.Job{ID: task.ID, Input: task.Input, Status: summary.Completed}
	if err := errors.Join(
		recall(checkpoint, Validation, &r.video),
		recall(checkpoint, Analysis, &r.scenes),
		recall(checkpoint, Transcription, &r.transcript),
		recall(checkpoint, Titling, &r.description),
		recall(checkpoint, Normalization, &r.normalized),
		recall(checkpoint, Rendering, &r.reel),
	); err != nil {
		return summary.Job{}, false
	}
	r.fill()
	e.Screen.Printf("%s  completed before: %s", task.ID, r.report.Output)
	return r.report, true
}
