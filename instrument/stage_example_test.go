package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/semconv"
)

// A stage around a function that returns a value and an error.
func ExampleRunStage() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(context.Background(), "talk-1")

	segments, err := instrument.RunStageValue(ctx, "analysis", func(context.Context) ([]string, error) {
		return []string{"intro", "talk"}, nil
	})
	job.End(&err)

	fmt.Println(segments, err)
	fmt.Println(rec.Histogram("video_processing_duration_seconds", semconv.AttrStage.String("analysis")).Count)
	// Output:
	// [intro talk] <nil>
	// 1
}

// A function that measures itself, and what an error of it becomes.
func ExampleStartStage() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, rec := instrumenttest.New(t)

	render := func(ctx context.Context) (err error) {
		ctx, stage := instrument.StartStage(ctx, "rendering")
		defer stage.End(&err)
		_, err = os.ReadFile("no such file")
		return err
	}

	_ = render(instrument.ContextWithPipeline(context.Background(), p))
	fmt.Println(rec.Counter("video_processing_errors_total",
		semconv.AttrStage.String("rendering"), semconv.AttrErrorType.String("not_found")))
	fmt.Print(rec.SpanTree())
	// Output:
	// 1
	// stage rendering error=not_found
}

// The decorator: the function that is used everywhere is wrapped once, and keeps its signature.
func ExampleWrapStage() {
	double := func(_ context.Context, n int) (int, error) { return 2 * n, nil }
	measured := instrument.WrapStage("doubling", double)

	p, _ := instrument.New()
	ctx, job := p.StartJob(context.Background(), "talk-1")
	defer job.End(nil)
	fmt.Println(measured(ctx, 21))
	// Output: 42 <nil>
}

// An error that the stage survives.
func ExampleRecordError() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, rec := instrumenttest.New(t)

	ctx, stage := instrument.StartStage(instrument.ContextWithPipeline(context.Background(), p), "transcription")
	if err := error(context.DeadlineExceeded); err != nil {
		instrument.RecordError(ctx, err) // and go on without
	}
	stage.End(nil)
	fmt.Println(rec.Counter("video_processing_errors_total", semconv.AttrErrorType.String("timeout")))
	// Output: 1
}

// Words of the program's own for its errors.
func ExampleWithErrorClassifier() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	errNoAudio := errors.New("no audio stream in talk.mp4")
	p, rec := instrumenttest.New(t, instrument.WithErrorClassifier(func(err error) string {
		if errors.Is(err, errNoAudio) {
			return "no_audio"
		}
		return ""
	}))

	ctx := instrument.ContextWithPipeline(context.Background(), p)
	for _, err := range []error{errNoAudio, io.ErrUnexpectedEOF} {
		instrument.RecordError(ctx, err)
	}
	for _, errorType := range []string{"no_audio", "unexpected_eof"} {
		fmt.Println(errorType, rec.Counter("video_processing_errors_total", semconv.AttrErrorType.String(errorType)))
	}
	// Output:
	// no_audio 1
	// unexpected_eof 1
}

// A process with its CPU time, counted while it runs.
func ExampleStartProcess() {
	p, _ := instrument.New()
	ctx := instrument.ContextWithPipeline(context.Background(), p)
	process, err := instrument.StartProcess(ctx, exec.Command("sh", "-c", "exit 3"))
	if err != nil {
		fmt.Println(err)
		return
	}
	err = process.Wait()
	fmt.Println(err, instrument.ErrorType(err), process.Usage().MaxRSS > 0)
	// Output: exit status 3 exec_exit true
}

// Any pool is shown by a function that reads it.
func ExamplePipeline_ObservePool() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, rec := instrumenttest.New(t)
	unregister, err := p.ObservePool(instrument.PoolRedis, "cache", func() instrument.PoolStats {
		return instrument.PoolStats{Used: 2, Idle: 8} // s := client.PoolStats(); …
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer unregister()
	fmt.Print(rec.Exposition("video_processing_redis_connections"))
	// Output:
	// # HELP video_processing_redis_connections Number of open Redis connections by pool and state.
	// # TYPE video_processing_redis_connections gauge
	// video_processing_redis_connections{pool="cache",state="idle"} 8
	// video_processing_redis_connections{pool="cache",state="used"} 2
}

// Outside of a job everything goes to the default pipeline, as with log/slog.
func ExampleSetDefault() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, rec := instrumenttest.New(t)
	defer instrument.SetDefault(p)()

	instrument.RecordSegments(context.Background(), 12)
	fmt.Println(rec.Histogram("video_processing_segments_detected").Sum)
	// Output: 12
}
