package editor

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/propagation"

	"github.com/stagemeter/stagemeter/instrument"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/summary"
)

// A message in the queue has a task, and a carrier for the trace context and the time. This queue
// is a channel; with Redis, NATS, Kafka or a table the carrier is the headers of the message.
type message struct {
	place   int
	task    Task
	carrier propagation.MapCarrier
}

// Run runs the tasks, at most workers at once, and returns the result of each, in their order. When
// ctx is canceled, Run cancels the running jobs and does not start the others.
func (e *Editor) Run(ctx context.Context, tasks []Task, workers int) []summary.Job {
	jobs := make([]summary.Job, len(tasks))
	queue := make(chan message, len(tasks))
	for i, task := range tasks {
		if done, ok := e.done(ctx, task); ok {
			jobs[i] = done
			continue
		}
		carrier := propagation.MapCarrier{}
		e.Pipeline.Enqueue(ctx, task.ID, carrier)
		queue <- message{place: i, task: task, carrier: carrier}
	}
	close(queue)

	var wait sync.WaitGroup
	for range max(1, workers) {
		wait.Go(func() {
			for m := range queue {
				jobs[m.place] = e.work(ctx, m)
			}
		})
	}
	wait.Wait()
	return jobs
}

// work runs the job of one message.
func (e *Editor) work(ctx context.Context, m message) summary.Job {
	if err := ctx.Err(); err != nil {
		outcome := instrument.OutcomeOf(ctx, err)
		return summary.Job{ID: m.task.ID, Input: m.task.Input, Status: string(outcome.Status), ErrorType: outcome.ErrorType,
			Error: "not started: " + err.Error()}
	}
	r := &run{Editor: e, task: m.task}
	return r.job(ctx, m.carrier)
}
