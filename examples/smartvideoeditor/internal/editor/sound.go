package editor

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/stagemeter/stagemeter/instrument/ffmpeg"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/media"
)

// soundInput returns the arguments that open span of the sound as ffmpeg's next input. Its only
// stream is the sound as the reel will have it before normalization: it starts with the picture's
// first frame, is as long as the picture, and is silent where the input has no sound. Span must lie
// in it. If the file of the sound is gone, which validation made, soundInput makes it again.
func (r *run) soundInput(ctx context.Context, span media.Span) ([]string, error) {
	file := r.soundFile()
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		if _, err := r.read(ctx, r.video.Streams, r.video.Length); err != nil {
			return nil, err
		}
	}
	return append(span.Cut(), pcmInput(file)...), nil
}

// soundFile returns the path of the job's sound.
func (r *run) soundFile() string { return filepath.Join(r.workspace(r.task.ID), "sound.pcm") }

// pcmInput opens a file of samples without a header. They are media.SampleRate stereo ones a
// second, of 16 bits.
func pcmInput(path string) []string {
	return []string{"-f", "s16le", "-ar", "48000", "-ac", "2", "-protocol_whitelist", "file", "-i", ffmpeg.File(path)}
}

// lay writes the sound that a reading has found, each run of samples at its time, to a file that
// starts with the picture and is as long. decoded has the samples of all runs without the gaps
// between them. The gaps take no space on most file systems.
func lay(path, decoded string, runs []media.Run, origin, length time.Duration) (err error) {
	from, err := os.Open(decoded)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	defer func() {
		if to != nil {
			err = errors.Join(err, to.Close())
		}
	}()
	whole := bytesOf(length)
	if err := to.Truncate(whole); err != nil {
		return err
	}
	next := int64(0)
	for _, run := range runs {
		start, at, size := next, bytesOf(run.Start-origin), run.Samples*media.SampleBytes
		next += size
		if at < 0 {
			start, size, at = start-at, size+at, 0
		}
		if size = min(size, whole-at); size <= 0 {
			continue
		}
		if _, err := io.Copy(io.NewOffsetWriter(to, at), io.NewSectionReader(from, start, size)); err != nil {
			return err
		}
	}
	closing := to
	to = nil
	if err := closing.Close(); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

// bytesOf returns the size of a sound of the given length, in whole samples.
func bytesOf(length time.Duration) int64 {
	const second = media.SampleRate * media.SampleBytes
	whole, part := int64(length/time.Second), int64(length%time.Second)
	return whole*second + part*media.SampleRate/int64(time.Second)*media.SampleBytes
}
