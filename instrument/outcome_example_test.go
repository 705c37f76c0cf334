package instrument_test

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/propagation"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// later is an error by which a job asks its queue to be run again. It needs no import of package
// instrument.
type later struct{}

func (later) Error() string      { return "the upload is not complete" }
func (later) JobOutcome() string { return "snoozed" }

// The attempts that a queue makes at one job. The job ends once, in the last of them.
func ExampleWithAttempt() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, rec := instrumenttest.New(t)

	for n, err := range []error{errors.New("decoder gave up"), later{}, nil} {
		_ = p.RunJob(context.Background(), "talk-1", func(context.Context) error { return err }, instrument.WithAttempt(n+1, 5))
	}

	fmt.Print(rec.Exposition("video_processing_attempts_total", "video_processing_jobs_total"))
	// Output:
	// # HELP video_processing_attempts_total Number of attempts of jobs that ended, by outcome.
	// # TYPE video_processing_attempts_total counter
	// video_processing_attempts_total{outcome="canceled"} 0
	// video_processing_attempts_total{outcome="completed"} 1
	// video_processing_attempts_total{outcome="failed"} 0
	// video_processing_attempts_total{outcome="interrupted"} 0
	// video_processing_attempts_total{outcome="retried"} 1
	// video_processing_attempts_total{outcome="snoozed"} 1
	// # HELP video_processing_jobs_total Number of times that a job reached a status.
	// # TYPE video_processing_jobs_total counter
	// video_processing_jobs_total{status="canceled"} 0
	// video_processing_jobs_total{status="completed"} 1
	// video_processing_jobs_total{status="failed"} 0
	// video_processing_jobs_total{status="processing"} 3
	// video_processing_jobs_total{status="queued"} 0
}

// A program's own record of a job says the same as its metrics.
func ExampleOutcomeOf() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, _ := instrumenttest.New(t)

	for n, err := range []error{nil, later{}, context.DeadlineExceeded} {
		var in context.Context
		err := p.RunJob(context.Background(), "talk-1", func(ctx context.Context) error {
			in = ctx
			return err
		}, instrument.WithAttempt(n+1, 3))
		outcome := instrument.OutcomeOf(in, err)
		fmt.Printf("attempt %d: %s, job: %q, error type: %q\n", n+1, outcome.Attempt, outcome.Status, outcome.ErrorType)
	}
	// Output:
	// attempt 1: completed, job: "completed", error type: ""
	// attempt 2: snoozed, job: "", error type: ""
	// attempt 3: failed, job: "failed", error type: "timeout"
}

// An insert that met a duplicate counts no job.
func ExamplePipeline_StartEnqueue() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, rec := instrumenttest.New(t)

	rows := make(map[string]propagation.MapCarrier) // the queue
	put := func(ctx context.Context, id string) (err error) {
		carrier := propagation.MapCarrier{}
		_, insert := p.StartEnqueue(ctx, carrier)
		defer insert.End(&err)
		if rows[id] != nil {
			return nil
		}
		rows[id] = carrier
		insert.Committed(id)
		return nil
	}
	_ = put(context.Background(), "talk-1")
	_ = put(context.Background(), "talk-1")

	fmt.Println(rec.Counter("video_processing_jobs_total", label("status", "queued")), "queued")
	// Output:
	// 1 queued
}
