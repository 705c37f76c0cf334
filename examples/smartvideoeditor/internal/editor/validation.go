package editor

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/ffmpeg"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/media"
)

// stall is how long ffmpeg may run without progress before it is stopped.
const stall = 2 * time.Minute

// video is the result of the first stage: properties of the input that other stages need.
type video struct {
	media.Source
	Width, Height int // as players show it
	FrameRate     float64
	Picture       int // the stream that is edited
	Sound         int // the stream that is edited, -1 without sound
	SoundTracks   int
}

// hasSound reports whether there is a sound track. It may be silence.
func (v video) hasSound() bool { return v.Sound >= 0 }

func (v video) summary() string {
	sound := "no sound"
	switch {
	case v.SoundTracks == 1:
		sound = "with sound"
	case v.SoundTracks > 1:
		sound = fmt.Sprintf("the main one of %d sound tracks", v.SoundTracks)
	}
	return fmt.Sprintf("%dx%d, %v, %s", v.Width, v.Height, v.Length.Round(10*time.Millisecond), sound)
}

func (v video) lost() error { return nil }

// validation checks whether the input can be edited, and sets the video duration of the job.
func (r *run) validation(ctx context.Context) (err error) {
	r.video, err = stage(ctx, r, Validation, func(ctx context.Context) (video, error) {
		return validate(ctx, r.task.Path, r.progress)
	})
	instrument.JobFromContext(ctx).SetVideoDuration(r.video.Length)
	return err
}

func validate(ctx context.Context, path string, progress func(ffmpeg.Progress)) (video, error) {
	if err := readable(path); err != nil {
		return video{}, err
	}
	info, err := ffmpeg.Probe(ctx, path)
	if err != nil {
		return video{}, explain(err)
	}
	picture, ok := info.Video()
	sound, heard := info.Audio()
	switch {
	case !ok && heard:
		return video{}, errAudioOnly
	case !ok:
		return video{}, errNoVideo
	}

	// The header of a file may promise more than can be read, so read it to its end.
	read, err := ffmpeg.Check(ctx, path, ffmpeg.WithDuration(info.Duration()), ffmpeg.WithProgress(progress),
		ffmpeg.WithStallTimeout(stall))
	if err != nil {
		return video{}, explain(err)
	}
	if err := decodes(ctx, path, picture.Index); err != nil {
		return video{}, err
	}

	v := video{
		Source:    media.Source{Length: cmp.Or(picture.Duration, info.Duration(), read.Time)},
		FrameRate: picture.Rate(),
		Picture:   picture.Index,
		Sound:     -1,
	}
	if v.Length <= 0 {
		return video{}, errNoDuration
	}
	v.Width, v.Height = picture.DisplaySize()
	if heard {
		v.Sound, v.SoundTracks = sound.Index, len(info.Of("audio"))
		v.Heard = []media.Span{{End: min(cmp.Or(sound.Duration, v.Length), v.Length)}}
	}
	return v, nil
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

// decodes returns an error if this ffmpeg cannot decode the picture.
func decodes(ctx context.Context, path string, stream int) error {
	args := append(ffmpeg.Input(path), "-map", fmt.Sprintf("0:%d", stream), "-frames:v", "1", "-f", "null", "-")
	got, err := ffmpeg.Run(ctx, args, ffmpeg.WithStallTimeout(stall))
	if err != nil {
		return err
	}
	if got.Frames == 0 {
		return errNoVideo
	}
	return nil
}

// progress shows the progress of ffmpeg.
func (r *run) progress(p ffmpeg.Progress) { r.screen.Progress(p.Fraction) }
