//go:build unix

package ffmpeg_test

import (
	"context"
	"math"
	"path/filepath"
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
	rises(t, heard)
	last := heard[len(heard)-1]
	if last.Stage != "rendering" || last.Done != 2 || last.Total != 2 || last.Unit != "s" || last.Speed <= 0 {
		t.Errorf("last report %+v", last)
	}
}

func rises(t *testing.T, heard []instrument.Progress) {
	t.Helper()
	for i, p := range heard[1:] {
		if p.Done < heard[i].Done {
			t.Errorf("report %d falls: %+v after %+v", i+1, p, heard[i])
		}
	}
}

// The runs of a stage can share its progress, also one whose total is unknown, and a short output
// that is read to see whether it is empty adds nothing to it.
func TestProgressOfAShare(t *testing.T) {
	var heard []instrument.Progress
	p, _ := instrumenttest.New(t, instrument.WithEvents(instrument.Events{
		Progress: func(_ context.Context, e instrument.ProgressEvent) { heard = append(heard, e.Progress) },
	}))
	err := p.RunJob(t.Context(), "job-1", func(ctx context.Context) error {
		return instrument.RunStage(ctx, "rendering", func(ctx context.Context) error {
			in := ffmpeg.Input(clip())
			if _, err := ffmpeg.Check(ctx, clip(), ffmpeg.WithShare(0, 0.25)); err != nil {
				return err
			}
			if n := len(heard); n != 1 || heard[0].Done != 0.25 || heard[0].Total != 1 {
				t.Errorf("%+v, want the end of a check of unknown length", heard)
			}
			_, err := ffmpeg.Run(ctx, args(in, "-t", "0.5", "-f", "null", "-"), ffmpeg.WithDuration(time.Second), ffmpeg.WithShare(0.25, 0.5))
			if err != nil {
				return err
			}
			if last := heard[len(heard)-1]; last.Done != 0.5 {
				t.Errorf("%+v, want half", last)
			}
			_, err = ffmpeg.Run(ctx, args(in, "-t", "0.1", "-c:v", "copy", "-an"), ffmpeg.WithDuration(time.Second/10),
				ffmpeg.WithOutput(filepath.Join(t.TempDir(), "out.mkv")), ffmpeg.WithShare(0.5, 1))
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	rises(t, heard)
	for _, p := range heard {
		if p.Total != 1 || p.Unit != "" {
			t.Errorf("%+v, want a share of 1", p)
		}
	}
	if last := heard[len(heard)-1]; last.Done != 1 {
		t.Errorf("%+v, want all", last)
	}
	for _, wrong := range [][2]float64{{-0.1, 1}, {0, 1.1}, {0.5, 0.5}, {math.NaN(), 1}} {
		if _, err := ffmpeg.Run(t.Context(), nil, ffmpeg.WithShare(wrong[0], wrong[1])); instrument.ErrorType(err) != ffmpeg.TypeBadArgs {
			t.Errorf("%v: %v, want bad_args", wrong, err)
		}
	}
}
