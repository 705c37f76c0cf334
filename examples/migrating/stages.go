package migrating

import (
	"context"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

// page: track_processing_time
func transcribe(ctx context.Context, video Video) (text string, err error) {
	ctx, stage := instrument.StartStage(ctx, "transcription", instrument.WithVideoDuration(5*time.Minute))
	defer stage.End(&err)
	return listen(ctx, video)
}

// end

func listen(context.Context, Video) (string, error) { return "hello", nil }

// page: track_processing_stage
var analyze = instrument.WrapStage("analysis", func(ctx context.Context, v Video) (segments int, err error) {
	return detect(ctx, v)
})

// end

func check(ctx context.Context, video Video) error {
	// page: track_processing_stage, around one call
	err := instrument.RunStage(ctx, "validation", func(ctx context.Context) error {
		return validate(ctx, video)
	})
	// end
	return err
}

func validate(context.Context, Video) error { return nil }

func detect(context.Context, Video) (int, error) { return 15, nil }

func recordError(ctx context.Context, err error) {
	// page: track_error
	instrument.RecordError(ctx, err)
	// end
}

// page: track_error, by its name

type APIError struct{ Message string }

func (e *APIError) Error() string     { return e.Message }
func (e *APIError) ErrorType() string { return "APIError" }

// end
