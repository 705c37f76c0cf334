package editor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

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

// soundFormat is the format in which sound of any format is measured and edited.
const soundFormat = "aformat=sample_rates=48000:channel_layouts=stereo"

// findScenes reads the video once, for cuts, detail and motion of a small picture, and for the
// loudness over time.
func (r *run) findScenes(ctx context.Context) (found scenes, err error) {
	folder, err := os.MkdirTemp("", "smartvideoeditor-")
	if err != nil {
		return scenes{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	pictureLog, soundLog := filepath.Join(folder, "picture"), filepath.Join(folder, "sound")

	graph := fmt.Sprintf("[0:%d]scale=160:-2,scdet=threshold=8,siti,metadata=print:file=%s[v]",
		r.video.Picture, media.EscapePath(pictureLog))
	maps := []string{"-map", "[v]"}
	if r.video.hasSound() {
		graph += fmt.Sprintf(";[0:%d]%s,%s[a]", r.video.Sound, soundFormat, loudnessFilter(soundLog))
		maps = append(maps, "-map", "[a]")
	}
	args := append(ffmpeg.Input(r.task.Path), "-filter_complex", graph)
	args = append(append(args, maps...), "-f", "null", "-")
	if _, err := ffmpeg.Run(ctx, args, ffmpeg.WithDuration(r.video.Length), ffmpeg.WithProgress(r.progress),
		ffmpeg.WithStallTimeout(stall)); err != nil {
		return scenes{}, err
	}

	picture, err := os.Open(pictureLog)
	if err != nil {
		return scenes{}, err
	}
	defer picture.Close()
	sound, err := openSound(soundLog)
	if err != nil {
		return scenes{}, err
	}
	defer sound.Close()
	if found.Segments, err = media.Analyze(r.video.Length, picture, sound); err != nil {
		return scenes{}, err
	}
	found.Spread = spread(found.Segments)
	return found, nil
}

// loudnessFilter writes the loudness over time to a file.
func loudnessFilter(path string) string {
	return "ebur128=metadata=1:framelog=verbose,ametadata=print:key=lavfi.r128.M:file=" + media.EscapePath(path)
}

// openSound opens the file that loudnessFilter wrote. A video without sound has no such file; its
// loudness is empty.
func openSound(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return io.NopCloser(strings.NewReader("")), nil
	}
	return f, err
}

func spread(segments []media.Segment) *instrument.LU {
	if lu, ok := media.Spread(segments); ok {
		return &lu
	}
	return nil
}
