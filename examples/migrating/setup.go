package migrating

import (
	"context"
	"log/slog"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
)

// The page shows the code between a comment "page" and the next comment "end". The comment names
// its heading.

func setUp(ctx context.Context) (stop func()) {
	// page: start_http_server
	tel, err := exporters.Start(ctx, exporters.WithServiceName("video-worker"))
	if err != nil {
		slog.Warn("telemetry", "error", err) // a port that is taken, for example; the program goes on
	}
	defer tel.Shutdown(ctx)

	p, err := instrument.New(
		instrument.WithStages("validation", "analysis", "transcription"),
		instrument.WithAPIs("openai", "whisper"))
	if err != nil {
		slog.Warn("telemetry", "error", err)
	}
	instrument.SetDefault(p)
	// end
	return func() { _ = p.Close(context.Background()) }
}

func keepJobIDs() (*instrument.Pipeline, error) {
	// page: job_id
	p, err := instrument.New(instrument.WithJobIDLabel())
	// end
	return p, err
}
