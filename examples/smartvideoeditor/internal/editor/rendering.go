package editor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/ffmpeg"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/media"
)

// reel is the result of the last stage.
type reel struct {
	Output     string
	Highlights []media.Span
	Length     time.Duration
}

func (r reel) summary() string {
	return fmt.Sprintf("%s, %v", count(len(r.Highlights), "highlight"), r.Length.Round(10*time.Millisecond))
}

func (r reel) lost() error {
	_, err := os.Stat(r.Output)
	return err
}

// rendering cuts the highlights together.
func (r *run) rendering(ctx context.Context) (err error) {
	r.reel, err = stage(ctx, r, Rendering, func(ctx context.Context) (reel, error) {
		made := reel{Output: r.output(r.task.ID), Highlights: media.Reel(r.scenes.Segments)}
		for _, h := range made.Highlights {
			made.Length += h.Len()
		}
		rendered := filepath.Join(r.workspace(r.task.ID), "reel.mp4") // so that even a kill -9 leaves no partial file in Out
		if _, err := ffmpeg.Run(ctx, r.renderArgs(made.Highlights),
			ffmpeg.WithOutput(rendered),
			ffmpeg.WithDuration(made.Length),
			ffmpeg.WithProgress(r.progress),
			ffmpeg.WithStallTimeout(stall)); err != nil {
			return reel{}, err
		}
		return made, os.Rename(rendered, made.Output)
	})
	return err
}

// renderArgs opens the video once for each excerpt, at its start, so that ffmpeg decodes nothing
// else; then the normalized sound in the same way.
func (r *run) renderArgs(excerpts []media.Span) []string {
	sound, stream := r.normalized.File, 0
	if sound == "" && r.video.hasSound() {
		sound, stream = r.task.Path, r.video.Sound
	}
	var args, parts []string
	var joined strings.Builder
	for _, e := range excerpts {
		args = append(append(args, e.Cut()...), ffmpeg.Input(r.task.Path)...)
	}
	for i, e := range excerpts {
		parts = append(parts, fmt.Sprintf("[%d:%d]%s[v%d]", i, r.video.Picture, r.pictureFilter(), i))
		fmt.Fprintf(&joined, "[v%d]", i)
		if sound != "" {
			args = append(append(args, e.Cut()...), ffmpeg.Input(sound)...)
			parts = append(parts, fmt.Sprintf("[%d:%d]%s[a%d]", len(excerpts)+i, stream, soundFormat, i))
			fmt.Fprintf(&joined, "[a%d]", i)
		}
	}
	outputs, maps := "[v]", []string{"-map", "[v]"}
	tracks := 0
	if sound != "" {
		outputs, tracks = "[v][a]", 1
		maps = append(maps, "-map", "[a]", "-c:a", "aac", "-b:a", "160k")
	}
	parts = append(parts, fmt.Sprintf("%sconcat=n=%d:v=1:a=%d%s", &joined, len(excerpts), tracks, outputs))
	args = append(args, "-filter_complex", strings.Join(parts, ";"))
	args = append(args, maps...)
	return append(args, "-c:v", "libx264", "-preset", "veryfast", "-crf", "21", "-movflags", "+faststart")
}

// pictureFilter returns a filter whose output every player shows: upright (by ffmpeg itself), a
// constant frame rate, even sides, square pixels, 8 bits.
func (r *run) pictureFilter() string {
	rate := r.video.FrameRate
	if rate < 1 || rate > 60 {
		rate = 30
	}
	return fmt.Sprintf("fps=%.5g,scale=w='max(2,trunc(iw*sar/2)*2)':h='max(2,trunc(ih/2)*2)',setsar=1,format=yuv420p", rate)
}
