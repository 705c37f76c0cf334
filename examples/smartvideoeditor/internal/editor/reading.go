package editor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument/ffmpeg"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/media"
)

// streams are the streams of the input that are edited.
type streams struct {
	Picture int
	Sound   int     // -1: none
	Rate    float64 // of the picture's frames, as the file states it
	Turned  bool    // the picture is turned by players
	Mix     string  // the filter that the sound needs before any other; "": none
}

// beside returns an output that only makes ffmpeg read the picture and the sound, up to a time of
// the file; 0: to its end. ffmpeg takes the times of some formats from the streams that it reads,
// so that all runs have to read the same; and it has progress where another output makes none.
func (s streams) beside(until time.Duration) []string {
	args := []string{"-map", fmt.Sprintf("0:%d", s.Picture), "-c:v", "copy"}
	if s.Sound >= 0 {
		args = append(args, "-map", fmt.Sprintf("0:%d", s.Sound), "-af", s.Mix+"anull")
	}
	if until > 0 {
		args = append(args, "-t", media.Timestamp(until))
	}
	return append(args, "-f", "null", "-")
}

// input returns the arguments that open the video as ffmpeg's next input. ffmpeg looks further than
// it would for what it has to know of a stream that starts late.
func (r *run) input() []string {
	return append([]string{"-analyzeduration", "60M", "-probesize", "50M"}, ffmpeg.Input(r.task.Path)...)
}

// choose reads the file whole with the first streams that can be decoded: those that a player
// takes, else the others in their order. It returns what was read of them, and a sentence for each
// sound track that had to be passed over.
func (r *run) choose(ctx context.Context, info ffmpeg.Info) (s streams, read media.Source, notes []string, err error) {
	var failed error
	for _, picture := range inOrder(info, "video") {
		s = streams{Picture: picture.Index, Sound: -1, Rate: picture.Rate(), Turned: picture.Rotation != 0}
		read, err = media.Source{}, nil
		notes = nil
		for _, sound := range inOrder(info, "audio") {
			var why error
			for _, mix := range mixes(sound) {
				s.Sound, s.Mix = sound.Index, mix
				if read, why = r.read(ctx, s, info.Duration()); why == nil || !decoding(why) {
					break
				}
			}
			if why == nil {
				return s, read, notes, nil
			}
			switch {
			case !decoding(why):
				return s, read, notes, why
			case errors.Is(why, errNoPicture): // the last word on this picture is without sound
				continue
			}
			notes = append(notes, fmt.Sprintf("sound track %d (%s) cannot be decoded: it is left out",
				sound.Index, cmp.Or(sound.Codec, "of an unknown codec")))
			s.Sound, s.Mix = -1, ""
		}
		if read, err = r.read(ctx, s, info.Duration()); err == nil || !decoding(err) {
			return s, read, notes, err
		}
		failed = cmp.Or(failed, err)
	}
	return s, read, notes, failed
}

// inOrder returns the streams of a type: that which a player takes, then the others.
func inOrder(info ffmpeg.Info, kind string) []ffmpeg.Stream {
	list := info.Of(kind)
	slices.SortStableFunc(list, func(a, b ffmpeg.Stream) int {
		switch {
		case a.Default == b.Default:
			return 0
		case a.Default:
			return -1
		}
		return 1
	})
	return list
}

// mixes returns the filters to try for a sound. ffmpeg mixes known layouts of channels to stereo by
// itself. Those of another layout, or of none, are added up.
func mixes(sound ffmpeg.Stream) []string {
	if sound.Channels < 1 || sound.Channels > 64 {
		return []string{""}
	}
	var sum []string
	for c := range sound.Channels {
		sum = append(sum, fmt.Sprintf("c%d", c))
	}
	all := strings.Join(sum, "+")
	return []string{"", fmt.Sprintf("pan=stereo|c0<%s|c1<%s,", all, all)}
}

// decoding reports whether an error may concern only one of the streams that were read.
func decoding(err error) bool {
	if errors.Is(err, errNoSound) || errors.Is(err, errNoPicture) {
		return true
	}
	var failed *ffmpeg.Error
	if !errors.As(err, &failed) {
		return false
	}
	switch failed.Type {
	case ffmpeg.TypeUnknownDecoder, ffmpeg.TypeInvalidData, ffmpeg.TypeDamaged, ffmpeg.TypeBadArgs, ffmpeg.TypeExit,
		ffmpeg.TypeMissingStream, ffmpeg.TypeEmptyOutput, ffmpeg.TypeUnknownFilter, ffmpeg.TypeCrashed:
		return true
	}
	return false
}

// read decodes two streams whole, and writes the sound to the job's file of it.
func (r *run) read(ctx context.Context, s streams, stated time.Duration) (_ media.Source, err error) {
	found := media.Reading{Picture: s.Picture, Sound: s.Sound}
	list, packets := io.Pipe()
	listed := make(chan error, 1)
	go func() { listed <- found.ReadPackets(list) }()

	picture := fmt.Sprintf("0:%d", s.Picture)
	args := append([]string{"-loglevel", "repeat+level+info"}, r.input()...)
	args = append(args, "-map", picture, "-vf", media.PictureReader, "-f", "null", "-")
	args = append(args, "-map", picture, "-c", "copy", "-f", "framecrc", "pipe:1")
	decoded := r.soundFile() + ".decoded"
	opts := []ffmpeg.Option{
		ffmpeg.WithStderr(found.Log()), ffmpeg.WithStdout(packets), ffmpeg.WithDuration(stated),
		reading, ffmpeg.WithStallTimeout(stall),
	}
	if s.Sound >= 0 {
		defer func() { err = errors.Join(err, remove(decoded)) }()
		args = append(args, "-map", fmt.Sprintf("0:%d", s.Sound), "-af", s.Mix+media.SoundReader, "-f", "s16le")
		opts = append(opts, ffmpeg.WithOutput(decoded))
	}
	_, err = ffmpeg.Run(ctx, args, opts...)
	packets.Close()
	if bad := <-listed; err == nil {
		err = bad
	}
	read, ok := found.Source(s.Rate)
	switch {
	case err == nil && !ok:
		return media.Source{}, errNoPicture
	case err != nil:
		return media.Source{}, err
	case read.Length > maxLength:
		return media.Source{}, errTooLong
	}
	if s.Sound >= 0 {
		if len(found.Runs) == 0 {
			return media.Source{}, errNoSound
		}
		if err := lay(r.soundFile(), decoded, found.Runs, read.Origin, read.Length); err != nil {
			return media.Source{}, err
		}
	}
	return read, nil
}

func remove(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
