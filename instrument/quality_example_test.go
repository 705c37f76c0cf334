package instrument_test

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/semconv"
)

// What a pipeline found in a video, and what it made of its audio.
func ExampleRecordLoudnessSpread() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(context.Background(), "job-1")
	instrument.RecordSegments(ctx, 12)
	instrument.RecordHighlight(ctx, 0.92)
	instrument.RecordLoudnessSpread(ctx, instrument.BeforeNormalization, 9.5)
	for _, gain := range []instrument.Decibel{-4, 3.5, 1} {
		instrument.RecordNormalization(ctx, gain)
	}
	instrument.RecordLoudnessSpread(ctx, instrument.AfterNormalization, 1.5)
	job.End(nil)

	gains := rec.Histogram("video_processing_audio_normalization_db")
	fmt.Println(gains.Count, "gains from", gains.Min, "to", gains.Max, "dB")
	// Output: 3 gains from -4 to 3.5 dB
}

// A value that no score can have is counted, and stays out of the histogram.
func ExampleRecordHighlight() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(context.Background(), "job-1")
	instrument.RecordHighlight(ctx, 92)
	job.End(nil)

	fmt.Println(rec.Histogram("video_processing_highlight_scores").Count, "scores")
	fmt.Println(rec.Counter("video_processing_invalid_values_total",
		attribute.String("metric", semconv.HighlightScoresName), attribute.String("reason", "out_of_range")), "invalid value")
	// Output:
	// 0 scores
	// 1 invalid value
}
