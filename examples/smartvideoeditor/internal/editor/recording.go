package editor

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/stagemeter/stagemeter/instrument/ffmpeg"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/media"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/paid"
)

const (
	// chunk is the length of sound that is sent at once. Ten minutes of noise, which nothing
	// compresses, have 19.2 MB.
	chunk = 10 * time.Minute
	// shortestHalf is the shortest part into which a part is cut that a service calls too large.
	shortestHalf = 10 * time.Second
)

// parts cuts the sound into parts that the service takes. What is left behind the last whole chunk
// and is shorter than the service's shortest recording is joined with the chunk before it, since a
// word may be cut there. A sound that is shorter by itself has no neighbor, and record pads it.
func parts(sounds []media.Span) []media.Span {
	var cut []media.Span
	for _, s := range sounds {
		if s.Len() < time.Millisecond { // ffmpeg takes 0 for no limit
			continue
		}
		for s.Len() >= chunk+paid.MinLength {
			cut = append(cut, media.Span{Start: s.Start, End: s.Start + chunk})
			s.Start += chunk
		}
		cut = append(cut, s)
	}
	return cut
}

// sampleRate is the number of samples a second of a recording: as few as speech recognition allows.
const sampleRate = 16000

// A recording is a part of the sound in a file that the service takes.
type recording struct {
	path  string
	meter meter // of what is in the file
}

// length returns how long the recording is, as read and not as any header says.
func (r recording) length() time.Duration { return r.meter.length() }

func (r recording) silent() bool { return r.meter.silent() }

// record writes a part of the sound to a file. work is its share of the stage's work. The samples
// have 16 bits: for sound that is decoded to floats ffmpeg would otherwise write 24, and ten
// minutes of noise would be larger than the service accepts.
func (r *run) record(ctx context.Context, part media.Span, work ffmpeg.Option) (recording, error) {
	made, err := r.recordMixed(ctx, part, "anull", work)
	if err != nil || !made.silent() {
		return made, err
	}
	// Of channels in opposite phase the mix is silence. Each of them is not.
	return r.recordMixed(ctx, part, "pan=mono|c0=c0", work)
}

// recordMixed is record with a filter that mixes the channels.
func (r *run) recordMixed(ctx context.Context, part media.Span, mix string, work ffmpeg.Option) (recording, error) {
	made := recording{path: filepath.Join(r.workspace(r.task.ID), "speech.flac")}
	args, err := r.soundInput(ctx, part)
	if err != nil {
		return recording{}, err
	}
	samples := made.path + ".samples"
	if err := os.Remove(samples); err != nil && !errors.Is(err, os.ErrNotExist) { // of a run that was killed
		return recording{}, err
	}
	defer os.Remove(samples)
	filters := mix + ",aformat=sample_fmts=s16:sample_rates=16000:channel_layouts=mono,apad=whole_dur=" + media.Timestamp(paid.MinLength)
	args = append(args,
		"-map", "0:a:0", "-af", filters, "-f", "s16le", ffmpeg.File(samples),
		"-map", "0:a:0", "-af", filters, "-c:a", "flac")
	_, err = ffmpeg.Run(ctx, args, ffmpeg.WithOutput(made.path), ffmpeg.WithDuration(part.Len()), work, ffmpeg.WithStallTimeout(stall))
	var failed *ffmpeg.Error
	if errors.As(err, &failed) && failed.Type == ffmpeg.TypeEmptyOutput {
		return made, nil // not a sample, which is silence
	}
	if err != nil {
		return recording{}, err
	}
	in, err := os.Open(samples)
	if err != nil {
		return recording{}, err
	}
	defer in.Close()
	_, err = io.Copy(&made.meter, in)
	return made, err
}

// A meter measures sound that is written to it: one channel of signed 16-bit samples.
type meter struct {
	bytes     int64
	half      byte // the first byte of a sample whose second is in the next write
	low, high int16
	in        int // samples in the block
	swing     int // the widest swing of a block, from its lowest sample to its highest
}

// block is how many samples are looked at together. In it a constant voltage has no swing, and even
// the lowest voice has several.
const block = sampleRate / 10

// floor is the swing that is silence: −70 dBFS, the absolute gate of BS.1770.
const floor = 2 * 10

func (m *meter) Write(p []byte) (int, error) {
	written := len(p)
	if m.bytes%2 == 1 && len(p) > 0 {
		m.sample([]byte{m.half, p[0]})
		p, m.bytes = p[1:], m.bytes+1
	}
	for ; len(p) >= 2; p = p[2:] {
		m.sample(p)
		m.bytes += 2
	}
	if len(p) == 1 {
		m.half = p[0]
		m.bytes++
	}
	return written, nil
}

func (m *meter) sample(b []byte) {
	v := int16(binary.LittleEndian.Uint16(b))
	if m.in == 0 {
		m.low, m.high = v, v
	}
	m.low, m.high = min(m.low, v), max(m.high, v)
	m.swing = max(m.swing, int(m.high)-int(m.low))
	m.in = (m.in + 1) % block
}

func (m *meter) length() time.Duration { return time.Duration(m.bytes/2) * time.Second / sampleRate }

func (m *meter) silent() bool { return m.swing <= floor }
