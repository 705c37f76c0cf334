//go:build unix

package ffmpeg_test

import (
	"context"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/ffmpeg"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// In a stage a run reports its progress by itself, to the last report at its end.
func TestProgressOfAStage(t *testing.T) {
	var heard []instrument.Progress // the run is over before it is read
	p, _ := instrumenttest.New(t, instrument.WithEvents(instrument.Events{
		Progress: func(_ context.Context, e instrument.ProgressEvent) { heard = append(heard, e.Progress) },
	}))
	run := func(ctx context.Context, opts ...ffmpeg.Option) error {
		_, err := ffmpeg.Run(ctx, args(ffmpeg.Input(clip()), "-t", "0.5", "-f", "null", "-"), opts...)
		return err
	}
	err := p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
		if err := run(ctx); err != nil || len(heard) != 0 {
			t.Errorf("outside of a stage: %+v, %v", heard, err)
		}
		return instrument.RunStage(ctx, "rendering", func(ctx context.Context) error {
			return run(ctx, ffmpeg.WithDuration(2*time.Second)) // a total that was too high
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(heard) == 0 {
		t.Fatal("nothing was reported")
	}
	last := heard[len(heard)-1]
	if last.Stage != "rendering" || last.Done != 2 || last.Total != 2 || last.Unit != "s" || last.Speed <= 0 {
		t.Errorf("last report %+v", last)
	}
	for i, p := range heard[1:] {
		if p.Done < heard[i].Done {
			t.Errorf("report %d falls: %+v after %+v", i+1, p, heard[i])
		}
	}
}
