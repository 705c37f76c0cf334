package migrating

import (
	"context"

	"github.com/stagemeter/stagemeter/instrument"
)

func spread(ctx context.Context) {
	// page: track_audio_spread
	instrument.RecordLoudnessSpread(ctx, instrument.AfterNormalization, 1.2)
	// end
}

func normalization(ctx context.Context) {
	// page: track_audio_normalization
	instrument.RecordNormalization(ctx, -3.5)
	// end
}

func segments(ctx context.Context) {
	// page: track_segments_detected
	instrument.RecordSegments(ctx, 15)
	// end
}

func highlight(ctx context.Context) {
	// page: track_highlight_score
	instrument.RecordHighlight(ctx, 0.92)
	// end
}
