package migrating

import (
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// page: reading a metric in a test
func TestAnalyzeIsMeasured(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)

	before := rec.Snapshot()
	if _, err := analyze(ctx, Video{ID: "video-1"}); err != nil {
		t.Fatal(err)
	}
	diff := rec.Snapshot().Sub(before)
	if n := diff.Histogram("video_processing_duration_seconds", attribute.String("stage", "analysis")).Count; n != 1 {
		t.Errorf("the stage was measured %d times, want once", n)
	}
}

// end
