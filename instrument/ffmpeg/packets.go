package ffmpeg

import (
	"bytes"
	"math"
	"strconv"
	"time"
)

// maxStreams bounds the streams that are kept of a file. ffmpeg itself reads 1,000.
const maxStreams = 4096

// A packetCounter is a writer that sums up the output of ffmpeg's muxer framecrc: lines that
// describe the streams, such as "#tb 0: 1/90000", and one line a packet:
//
//	stream, dts, pts, duration, size, checksum[, F=0xflags][, S=side data…]
//
// Flags are written unless they are "key frame" alone. Lines of another form are ignored.
type packetCounter struct {
	lines
	beat    func() // called after each packet; may be nil
	streams []StreamReport
	kinds   []string // video, audio, subtitle
	bases   []timeBase
	timed   []bool // a packet with a time was seen
	video   int    // the first video stream, -1 without one
}

type timeBase struct{ num, den int64 }

func newPacketCounter() *packetCounter {
	p := &packetCounter{video: -1}
	p.lines = lines{max: 256, take: p.take}
	return p
}

// noTime is a time that is unknown.
const noTime = math.MinInt64

const (
	flagKey     = 1
	flagCorrupt = 2
	flagDiscard = 4 // decoded and not shown
)

func (p *packetCounter) take(line []byte) {
	if line[0] == '#' {
		p.describe(line)
		return
	}
	var n [5]int64
	rest := line
	for i := range n {
		field, after, ok := bytes.Cut(rest, []byte(","))
		v, err := strconv.ParseInt(string(bytes.TrimSpace(field)), 10, 64)
		if !ok || err != nil {
			return
		}
		n[i], rest = v, after
	}
	flags := int64(flagKey)
	if _, after, ok := bytes.Cut(rest, []byte("F=0x")); ok {
		digits, _, _ := bytes.Cut(after, []byte(","))
		flags, _ = strconv.ParseInt(string(bytes.TrimSpace(digits)), 16, 64)
	}
	p.packet(n[0], n[1], n[2], n[3], n[4], flags)
}

// describe takes a line about a stream: "#tb 0: 1/90000" or "#media_type 0: video".
func (p *packetCounter) describe(line []byte) {
	name, rest, _ := bytes.Cut(line[1:], []byte(" "))
	number, value, ok := bytes.Cut(rest, []byte(": "))
	stream, err := strconv.ParseInt(string(number), 10, 64)
	if !ok || err != nil || !p.grow(stream) {
		return
	}
	switch string(name) {
	case "tb":
		num, den, _ := bytes.Cut(value, []byte("/"))
		n, _ := strconv.ParseInt(string(num), 10, 32)
		d, _ := strconv.ParseInt(string(bytes.TrimSpace(den)), 10, 32)
		if n > 0 && d > 0 {
			p.bases[stream] = timeBase{n, d}
		}
	case "media_type":
		if p.kinds[stream] = string(value); p.video < 0 && p.kinds[stream] == "video" {
			p.video = int(stream)
		}
	}
}

// grow makes room for a stream, and reports whether it is one of those that are kept.
func (p *packetCounter) grow(stream int64) bool {
	if stream < 0 || stream >= maxStreams {
		return false
	}
	for int64(len(p.bases)) <= stream {
		p.kinds = append(p.kinds, "")
		p.bases = append(p.bases, timeBase{})
		p.timed = append(p.timed, false)
		p.streams = append(p.streams, StreamReport{})
	}
	return true
}

func (p *packetCounter) packet(stream, dts, pts, duration, size, flags int64) {
	if size <= 0 || !p.grow(stream) { // the end of FLAC is a packet without data
		return
	}
	s := &p.streams[stream]
	s.Packets++
	s.Bytes += size
	if flags&flagCorrupt != 0 {
		s.Damaged++
	}
	if pts == noTime {
		pts = dts
	}
	if base := p.bases[stream]; base.den > 0 && pts != noTime && flags&flagDiscard == 0 {
		start, end := base.time(pts), base.time(pts)+base.time(max(duration, 0))
		if !p.timed[stream] || start < s.Start {
			s.Start = start
		}
		if !p.timed[stream] || end > s.End {
			s.End = end
		}
		p.timed[stream] = true
	}
	if p.beat != nil {
		p.beat()
	}
}

// time returns n ticks as a time, at most 73 years of either sign.
func (b timeBase) time(n int64) time.Duration {
	const limit = 1 << 61
	t := float64(n) * float64(b.num) / float64(b.den) * float64(time.Second)
	if math.Abs(t) >= limit {
		return time.Duration(math.Copysign(limit, t))
	}
	return time.Duration(math.Round(t))
}

// state returns what is read so far, as ffmpeg would report it.
func (p *packetCounter) state() (b block) {
	for i, s := range p.streams {
		b.time = max(b.time, s.End)
		b.hasTime = b.hasTime || p.timed[i]
	}
	if p.video >= 0 {
		b.frames, b.hasFrames = p.streams[p.video].Packets, true
	}
	return b
}
