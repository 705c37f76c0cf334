package ffmpeg

import (
	"cmp"
	"time"
)

// Info describes a media file as ffprobe does. Its values come from the file itself, and may be
// missing or wrong. 0 and "" mean unknown. Numbers are never NaN or infinite, and never negative
// unless said otherwise. Texts may contain anything.
type Info struct {
	Format  Format
	Streams []Stream
}

// Format describes a container.
type Format struct {
	Name     string // as ffmpeg lists its demuxers: mov,mp4,m4a,3gp,3g2,mj2
	LongName string
	Start    time.Duration // of the first frame; may be negative
	Duration time.Duration
	Size     int64 // bytes
	BitRate  int64 // bits per second
	Tags     map[string]string
}

// Stream describes a stream. Fields that do not apply to its type are 0.
type Stream struct {
	Index   int    // as in -map 0:Index
	Type    string // video, audio, subtitle, data, attachment
	Codec   string // h264, aac
	Profile string
	// Decodable reports whether this ffprobe has a decoder for the stream. The ffmpeg that belongs
	// to it has the same. Whether the stream's data can be decoded, only decoding it shows.
	Decodable bool
	Start     time.Duration // may be negative
	Duration  time.Duration
	Frames    int64
	BitRate   int64 // bits per second

	Width, Height int     // as coded; see DisplaySize
	Rotation      int     // degrees clockwise by which a player turns the picture: 0 to 359
	PixelFormat   string  // yuv420p, yuv420p10le
	FrameRate     float64 // average, frames per second
	BaseRate      float64 // the lowest rate that has a tick for every frame; far above FrameRate if that varies
	StillPicture  bool    // a cover or a thumbnail, not a video

	SampleRate    int // Hz
	Channels      int
	ChannelLayout string // mono, stereo, 5.1
	SampleFormat  string // fltp, s16

	Default  bool
	Language string // as in the file: eng, und
	Tags     map[string]string
}

// Duration returns the length of the media: that of the container or, if unknown, that of its
// longest stream.
func (i Info) Duration() time.Duration {
	d := i.Format.Duration
	if d > 0 {
		return d
	}
	for _, s := range i.Streams {
		d = max(d, s.Duration)
	}
	return d
}

// Video returns the stream that a player shows: the default one, else the first. Still pictures do
// not count.
func (i Info) Video() (Stream, bool) { return i.pick("video") }

// Audio returns the stream that a player plays: the default one, else the first.
func (i Info) Audio() (Stream, bool) { return i.pick("audio") }

func (i Info) pick(kind string) (found Stream, ok bool) {
	for _, s := range i.Of(kind) {
		if !ok || s.Default && !found.Default {
			found, ok = s, true
		}
	}
	return found, ok
}

// Of returns all streams of a type (video, audio, subtitle, data, attachment) in their order,
// without still pictures.
func (i Info) Of(kind string) []Stream {
	var of []Stream
	for _, s := range i.Streams {
		if s.Type == kind && !s.StillPicture {
			of = append(of, s)
		}
	}
	return of
}

// DisplaySize returns the size of the picture as a player shows it, after Rotation.
func (s Stream) DisplaySize() (width, height int) {
	if quarters := (s.Rotation + 45) / 90; quarters%2 == 1 {
		return s.Height, s.Width
	}
	return s.Width, s.Height
}

// Rate returns FrameRate or, if that is unknown, BaseRate.
func (s Stream) Rate() float64 { return cmp.Or(s.FrameRate, s.BaseRate) }
