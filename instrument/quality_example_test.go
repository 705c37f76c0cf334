package instrument_test

import (
	"context"
	"fmt"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// What a pipeline found in a video, and what it made of its audio.
func ExampleRecordLoudnessSpread() {
	t := new(exampleT) // in a test: its *testing.T
	defer t.end()
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(context.Background(), "job-1")
	instrument.RecordSegments(ctx, 12)
	instrument.RecordHighlight(ctx, 0.92)
	instrument.RecordLoudnessSpread(ctx, instrument.Before, 9.5)
	for _, gain := range []instrument.Decibel{-4, 3.5, 1} {
		instrument.RecordNormalization(ctx, gain)
	}
	instrument.RecordLoudnessSpread(ctx, instrument.After, 1.5)
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
	fmt.Print(rec.Exposition("video_processing_invalid_values_total"))
	// Output:
	// 0 scores
	// # HELP video_processing_invalid_values_total Number of values that could not be recorded as given, by metric and reason.
	// # TYPE video_processing_invalid_values_total counter
	// video_processing_invalid_values_total{metric="highlight_scores",reason="out_of_range"} 1
}
