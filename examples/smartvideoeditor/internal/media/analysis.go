package media

import (
	"fmt"
	"time"
)

// SoundFormat is the format in which sound of any format is measured and edited.
const SoundFormat = "aformat=sample_fmts=s16:sample_rates=48000:channel_layouts=stereo"

// Measured collects from the log of ffmpeg what PictureFilter and LoudnessFilter measure. The zero
// value is ready to use.
type Measured struct {
	picture picture
	sound   sound
}

// PictureFilter returns the filter that finds cuts and measures detail and motion, on a small
// picture of one size. s is what was read of the picture.
func PictureFilter(s Source) string {
	height := 2 * min(max(8, 80*s.Height/max(1, s.Width)), 320)
	return fmt.Sprintf("scale=160:%d,setpts=PTS-(%s)/TB,settb=AVTB,scdet=threshold=8,siti,metadata@picture=print",
		height, Timestamp(s.Origin))
}

// LoudnessFilter is the filter that measures the loudness over time.
const LoudnessFilter = "ebur128=metadata=1:framelog=verbose,asettb=AVTB,ametadata@sound=print:key=lavfi.r128.M"

// Log returns the writer for ffmpeg's log. It is used by one run.
func (m *Measured) Log() *Log {
	picture, sound := prints{each: m.picture.add}, prints{each: m.sound.add}
	return &Log{Filters: map[string]func(string){"metadata@picture": picture.line, "ametadata@sound": sound.line}}
}

// Segments returns the segments of a video of the given length, measured and scored.
func (m *Measured) Segments(length time.Duration) []Segment {
	segments := split(length, m.picture.cuts)
	m.picture.measure(segments)
	m.Loudness(segments)
	score(segments)
	return segments
}

// Loudness sets the loudness of the segments. Without sound they are silent.
func (m *Measured) Loudness(segments []Segment) { m.sound.measure(segments) }
