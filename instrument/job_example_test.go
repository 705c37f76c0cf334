package instrument_test

import (
	"context"
	"fmt"
	"io"
	"time"

	"go.opentelemetry.io/otel/propagation"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// A function that measures itself as a job. What happens within is found through ctx.
func ExamplePipeline_StartJob() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, rec := instrumenttest.New(t)

	edit := func(ctx context.Context, id string) (err error) {
		ctx, job := p.StartJob(ctx, id, instrument.WithVideoDuration(90*time.Second))
		defer job.End(&err)
		_, err = instrument.RunStageValue(ctx, "analysis", func(context.Context) (int, error) { return 12, nil })
		return err
	}

	fmt.Println(edit(context.Background(), "talk-1"))
	fmt.Print(rec.SpanTree())
	// Output:
	// <nil>
	// job
	//   stage analysis
}

// The same around a function, and what becomes of its errors.
func ExamplePipeline_RunJob() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, rec := instrumenttest.New(t)
	ctx := context.Background()

	_ = p.RunJob(ctx, "talk-1", func(context.Context) error { return nil })
	_ = p.RunJob(ctx, "talk-2", func(context.Context) error { return io.ErrUnexpectedEOF })
	ctx, cancel := context.WithCancel(ctx)
	_ = p.RunJob(ctx, "talk-3", func(ctx context.Context) error { cancel(); return ctx.Err() })

	fmt.Print(rec.Exposition("video_processing_jobs_total"))
	fmt.Print(rec.SpanTree())
	// Output:
	// # HELP video_processing_jobs_total Number of times that a job reached a status.
	// # TYPE video_processing_jobs_total counter
	// video_processing_jobs_total{status="canceled"} 1
	// video_processing_jobs_total{status="completed"} 1
	// video_processing_jobs_total{status="failed"} 1
	// video_processing_jobs_total{status="processing"} 3
	// video_processing_jobs_total{status="queued"} 0
	// job
	// job error=unexpected_eof
	// job
}

// A job that comes through a queue: the carrier takes trace context and time along.
func ExampleWithCarrier() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, rec := instrumenttest.New(t)

	headers := propagation.MapCarrier{} // of the message
	p.Enqueue(context.Background(), "talk-1", headers)

	// In the worker.
	_, job := p.StartJob(context.Background(), "talk-1", instrument.WithCarrier(headers), instrument.WithRemoteParent())
	job.End(nil)

	fmt.Println("waited:", rec.Histogram("video_processing_queue_wait_seconds").Count)
	fmt.Print(rec.SpanTree())
	// Output:
	// waited: 1
	// enqueue job (producer)
	//   job (consumer)
}

// A panic that becomes an error, so that one bad video does not end the worker.
func ExampleWithRecover() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, rec := instrumenttest.New(t, instrument.WithRecover())

	err := p.RunJob(context.Background(), "talk-1", func(context.Context) error {
		var frames []int
		_ = frames[7]
		return nil
	})
	fmt.Println(err)
	fmt.Print(rec.SpanTree())
	// Output:
	// panic: runtime error: index out of range [7] with length 0
	// job error=panic
}

// The decorator of a job: its id is found in the argument.
func ExampleWrapJob() {
	type request struct{ ID, Path string }
	edit := instrument.WrapJob(func(r request) string { return r.ID }, func(ctx context.Context, r request) (string, error) {
		return r.Path + ".out", nil
	})

	p, _ := instrument.New()
	out, err := edit(instrument.ContextWithPipeline(context.Background(), p), request{"talk-1", "talk.mp4"})
	fmt.Println(out, err)
	// Output: talk.mp4.out <nil>
}
