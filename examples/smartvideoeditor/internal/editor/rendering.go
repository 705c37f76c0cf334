package editor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/ffmpeg"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/media"
)

// reel is the result of the last stage.
type reel struct {
	Output     file
	Highlights []media.Span
	Length     time.Duration
}

func (r reel) summary() string {
	return fmt.Sprintf("%s, %v", count(len(r.Highlights), "highlight"), r.Length.Round(10*time.Millisecond))
}

func (r reel) lost() error {
	_, err := os.Stat(string(r.Output))
	return err
}

// rendering cuts the highlights together.
func (r *run) rendering(ctx context.Context) (err error) {
	r.reel, err = stage(ctx, r, Rendering, func(ctx context.Context) (reel, error) {
		made := reel{Output: file(r.output(r.task.ID)), Highlights: media.Reel(r.scenes.Segments)}
		for _, h := range made.Highlights {
			made.Length += h.Len()
		}
		args, reads, err := r.renderArgs(ctx, made)
		if err != nil {
			return reel{}, err
		}
		rendered := filepath.Join(r.workspace(r.task.ID), "reel.mp4") // so that even a kill -9 leaves no partial file in Out
		if _, err := ffmpeg.Run(ctx, args, ffmpeg.WithOutput(rendered), ffmpeg.WithDuration(reads),
			ffmpeg.WithStallTimeout(stall)); err != nil {
			return reel{}, err
		}
		return made, os.Rename(rendered, string(made.Output))
	})
	return err
}

// renderArgs returns the arguments for the reel, and how much time ffmpeg goes through for it.
func (r *run) renderArgs(ctx context.Context, made reel) (args []string, reads time.Duration, err error) {
	var pictures, sounds []string
	for _, e := range made.Highlights {
		at := media.Span{Start: e.Start + r.video.Origin, End: e.End + r.video.Origin}
		pictures = append(append(pictures, at.Cut()...), r.input()...)
		if !r.video.hasSound() {
			continue
		}
		sound := append(e.Cut(), ffmpeg.Input(string(r.normalized.File))...)
		if r.normalized.File == "" {
			if sound, err = r.soundInput(ctx, e); err != nil {
				return nil, 0, err
			}
		}
		sounds = append(sounds, sound...)
	}
	if r.video.Seeks {
		args, reads = r.seekArgs(made, pictures, sounds), made.Length
	} else {
		args, reads = r.throughArgs(made, sounds), r.video.Origin+made.Highlights[len(made.Highlights)-1].End
	}
	if r.video.hasSound() {
		args = append(args, "-map", "[a]", "-c:a", "aac", "-b:a", "160k")
	}
	// The chapters of the video would have its times, which are not those of the reel.
	args = append(append(args, encoding...), "-map_chapters", "-1", "-movflags", "+faststart", "-write_tmcd", "0")
	return args, reads, nil
}

// seekArgs opens the video once for each excerpt, at its start, so that ffmpeg decodes nothing
// else; then the sound in the same way.
func (r *run) seekArgs(made reel, pictures, sounds []string) []string {
	var parts []string
	var joined strings.Builder
	tracks, outputs := 0, "[v]"
	if r.video.hasSound() {
		tracks, outputs = 1, "[v][a]"
	}
	n := len(made.Highlights)
	for i, e := range made.Highlights {
		parts = append(parts, fmt.Sprintf("[%d:%d]%s:start_time=0,%s,tpad=stop=-1:stop_mode=clone,trim=end=%s[v%d]",
			i, r.video.Streams.Picture, r.video.steady(), r.video.pictureFilter(), media.Timestamp(e.Len()), i))
		fmt.Fprintf(&joined, "[v%d]", i)
		if tracks > 0 {
			fmt.Fprintf(&joined, "[%d:a]", n+i)
		}
	}
	parts = append(parts, fmt.Sprintf("%sconcat=n=%d:v=1:a=%d%s", &joined, n, tracks, outputs))
	args := slices.Concat(pictures, sounds)
	return append(args, "-filter_complex", strings.Join(parts, ";"), "-map", "[v]", "-t", media.Timestamp(made.Length))
}

// throughArgs reads the video from its start and takes the excerpts when they come, for a file in
// which ffmpeg cannot seek, or whose picture changes. After a change ffmpeg may build the picture's
// filters anew, so that none of them counts: the time of each frame in the reel follows from its
// time in the video.
func (r *run) throughArgs(made reel, sounds []string) []string {
	args := slices.Concat(r.input(), sounds)
	if !r.video.Streams.Turned && !r.video.Interlaced {
		args = append([]string{"-reinit_filter:v", "0"}, args...) // all filters of the picture take frames of any size
	}
	last := made.Highlights[len(made.Highlights)-1]
	args = append(args, r.video.Streams.beside(r.video.Origin+last.End+time.Second)...)
	if r.video.hasSound() {
		var joined strings.Builder
		for i := range made.Highlights {
			fmt.Fprintf(&joined, "[%d:a]", 1+i)
		}
		args = append(args, "-filter_complex", fmt.Sprintf("%sconcat=n=%d:v=0:a=1[a]", &joined, len(made.Highlights)))
	}
	var chosen []string
	var moved, ends strings.Builder
	before := time.Duration(0)
	for i, e := range made.Highlights {
		by := media.Timestamp(e.Start - before)
		before += e.Len()
		if i < len(made.Highlights)-1 {
			fmt.Fprintf(&moved, "if(lt(T,%s),%s,", media.Timestamp(e.End), by)
			ends.WriteByte(')')
		} else {
			moved.WriteString(by)
		}
		chosen = append(chosen, fmt.Sprintf("gte(t,%s)*lt(t,%s)", media.Timestamp(e.Start), media.Timestamp(e.End)))
	}
	filter := fmt.Sprintf("setpts=PTS-(%s)/TB,%s,select='%s',%s,settb=AVTB,setpts='round((T-%s%s)/TB)',tpad=stop=-1:stop_mode=clone",
		media.Timestamp(r.video.Origin), r.video.steady(), strings.Join(chosen, "+"), r.video.pictureFilter(), &moved, &ends)
	return append(args, "-map", fmt.Sprintf("0:%d", r.video.Streams.Picture), "-vf", filter,
		"-fps_mode", "cfr", "-r", fmt.Sprintf("%.5g", r.video.Rate), "-t", media.Timestamp(made.Length))
}
