package editor

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/ffmpeg"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/media"
)

// stall is how long ffmpeg may run without progress before it is stopped.
const stall = 2 * time.Minute

// maxLength is the length of the longest video that is edited. Time stamps that jump by days make
// others.
const maxLength = 24 * time.Hour

// The shares of the runs of ffmpeg in the work of the validation.
var (
	checking = ffmpeg.WithShare(0, 0.05)
	reading  = ffmpeg.WithShare(0.05, 0.9)
	trying   = ffmpeg.WithShare(0.9, 0.95)
	seeking  = ffmpeg.WithShare(0.95, 1)
)

// video is the result of the first stage: what other stages need to know of the input.
type video struct {
	media.Source
	Streams     streams // those that are edited
	SoundTracks int
	Rate        float64  // frames per second of the reel
	Seeks       bool     // ffmpeg finds any time of the picture without reading all before it
	Shown       string   // the filters that make the picture's colors those of the reel
	Said        []string // what the reel cannot have, in sentences for people
}

// hasSound reports whether there is a sound track. It may be silence.
func (v video) hasSound() bool { return v.Streams.Sound >= 0 }

func (v video) summary() string {
	sound := "no sound"
	switch {
	case !v.hasSound():
	case v.SoundTracks == 1:
		sound = "with sound"
	default:
		sound = fmt.Sprintf("one of %d sound tracks", v.SoundTracks)
	}
	words := fmt.Sprintf("%dx%d, %v, %s", v.Width, v.Height, v.Length.Round(10*time.Millisecond), sound)
	return strings.Join(append([]string{words}, v.Said...), "; ")
}

func (v video) lost() error { return nil }

// validation checks whether the input can be edited, and sets the video duration of the job.
func (r *run) validation(ctx context.Context) (err error) {
	r.video, err = stage(ctx, r, Validation, func(ctx context.Context) (video, error) {
		return r.validate(ctx)
	})
	instrument.JobFromContext(ctx).SetVideoDuration(r.video.Length)
	return err
}

func (r *run) validate(ctx context.Context) (video, error) {
	if err := readable(r.task.Path); err != nil {
		return video{}, err
	}
	info, err := ffmpeg.Probe(ctx, r.task.Path)
	if err != nil {
		return video{}, explain(err)
	}
	_, seen := info.Video()
	_, heard := info.Audio()
	switch {
	case !seen && heard:
		return video{}, errAudioOnly
	case !seen:
		return video{}, errNoVideo
	}

	// The stated length holds until the file has been read.
	if stated := info.Duration(); stated <= maxLength {
		instrument.JobFromContext(ctx).SetVideoDuration(stated)
	}

	// A file that is cut off is refused. How much of it is damaged shows when it is decoded.
	_, err = ffmpeg.Check(ctx, r.task.Path, ffmpeg.WithDuration(info.Duration()), ffmpeg.WithStallTimeout(stall), checking)
	if err != nil && !decoding(err) {
		return video{}, explain(err)
	}
	chosen, read, notes, err := r.choose(ctx, info)
	if err != nil {
		return video{}, explain(err)
	}
	if read.Damaged*10 > read.Frames {
		return video{}, errDamaged
	}
	v := video{
		Source:      read,
		Streams:     chosen,
		SoundTracks: len(info.Of("audio")),
		Rate:        reelRate(read, chosen.Rate),
		Said:        append(notes, read.Notes()...),
	}
	if err := r.tryReel(ctx, &v); err != nil {
		return video{}, explain(err)
	}
	v.Seeks, err = r.seeks(ctx, info, v)
	instrument.JobFromContext(ctx).SetVideoDuration(v.Length)
	return v, err
}

// readable returns an error of the file system, if there is one, before ffmpeg reports its own.
func readable(path string) error {
	stat, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !stat.Mode().IsRegular():
		return errNotAFile
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if stat.Size() == 0 {
		return errEmpty
	}
	return nil
}
