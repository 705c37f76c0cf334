package migrating

import (
	"context"

	"go.opentelemetry.io/otel/propagation"

	"github.com/stagemeter/stagemeter/instrument"
)

// Video is a job of the migrating program. Reel is its result.
type (
	Video struct{ ID string }
	Reel  struct{ Path string }
)

func enqueue(ctx context.Context, video Video) propagation.MapCarrier {
	// page: increment_job
	headers := propagation.MapCarrier{}
	instrument.Enqueue(ctx, video.ID, headers) // then send the headers along with the message
	// end
	return headers
}

func work(ctx context.Context, video Video, headers propagation.MapCarrier) error {
	// page: with_job_tracking
	err := instrument.RunJob(ctx, video.ID, func(ctx context.Context) error {
		return edit(ctx, video)
	}, instrument.WithCarrier(headers))
	// end
	return err
}

func edit(context.Context, Video) error { return nil }

// page: with_job_tracking, as a decorator
var processVideo = instrument.WrapJob(
	func(v Video) string { return v.ID },
	func(ctx context.Context, v Video) (Reel, error) {
		return Reel{Path: v.ID + ".mp4"}, edit(ctx, v)
	})

// end
