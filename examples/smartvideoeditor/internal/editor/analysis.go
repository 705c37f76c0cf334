package editor

import (
	"context"
	"fmt"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/ffmpeg"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/media"
)

// scenes is the result of the second stage.
type scenes struct {
	Segments []media.Segment
	Spread   *instrument.LU // of the loudness of the segments; nil: silence
	Cached   bool           // found by another job
}

func (s scenes) summary() string {
	words := count(len(s.Segments), "scene")
	if s.Spread != nil {
		words += fmt.Sprintf(", loudness spread %.1f LU", *s.Spread)
	}
	if s.Cached {
		words += ", from the cache"
	}
	return words
}

func (s scenes) lost() error { return nil }

// silent reports whether no segment can be heard.
func (s scenes) silent() bool { return s.Spread == nil }

// analysis finds the scenes, and measures and scores each. It records the quality metrics in the
// context of the stage, so their exemplars lead to its span.
func (r *run) analysis(ctx context.Context) (err error) {
	r.scenes, err = stage(ctx, r, Analysis, func(ctx context.Context) (scenes, error) {
		found, err := r.cachedScenes(ctx)
		if err != nil {
			return scenes{}, err
		}
		instrument.RecordSegments(ctx, len(found.Segments))
		for _, segment := range found.Segments {
			instrument.RecordHighlight(ctx, segment.Score)
		}
		if found.Spread != nil {
			instrument.RecordLoudnessSpread(ctx, instrument.BeforeNormalization, *found.Spread)
		}
		return found, nil
	})
	return err
}

// cachedScenes returns the scenes from the cache, or finds them. A cache that does not answer only
// costs time.
func (r *run) cachedScenes(ctx context.Context) (scenes, error) {
	key := "smartvideoeditor:scenes:" + layout + ":" + r.task.Hash
	var found scenes
	hit, err := r.Cache.Get(ctx, key, &found)
	if err != nil {
		r.Screen.Printf("%s: %v", r.task.ID, err)
	}
	if hit {
		found.Cached = true
		return found, nil
	}
	if found, err = r.findScenes(ctx); err != nil {
		return scenes{}, err
	}
	if err := r.Cache.Put(ctx, key, found); err != nil {
		r.Screen.Printf("%s: %v", r.task.ID, err)
	}
	return found, nil
}

// findScenes reads the video once, for cuts, detail and motion of a small picture, and for the
// loudness over time.
func (r *run) findScenes(ctx context.Context) (found scenes, err error) {
	var measured media.Measured
	// reinit_filter 0: the filters go on when the picture changes its size, which is no cut.
	args := append([]string{"-loglevel", "repeat+level+info", "-noautorotate", "-reinit_filter:v", "0"}, r.input()...)
	if r.video.hasSound() {
		sound, err := r.soundInput(ctx, media.Span{End: r.video.Length})
		if err != nil {
			return scenes{}, err
		}
		args = append(args, sound...)
		args = append(args, "-map", "1:a", "-af", media.LoudnessFilter, "-f", "null", "-")
	}
	args = append(args, r.video.Streams.beside(0)...)
	args = append(args, "-map", fmt.Sprintf("0:%d", r.video.Streams.Picture), "-vf", media.PictureFilter(r.video.Source), "-f", "null", "-")
	if _, err := ffmpeg.Run(ctx, args, ffmpeg.WithDuration(r.video.Length),
		ffmpeg.WithStallTimeout(stall), ffmpeg.WithStderr(measured.Log())); err != nil {
		return scenes{}, err
	}
	found.Segments = measured.Segments(r.video.Length)
	found.Spread = spread(found.Segments)
	return found, nil
}

func spread(segments []media.Segment) *instrument.LU {
	if lu, ok := media.Spread(segments); ok {
		return &lu
	}
	return nil
}
