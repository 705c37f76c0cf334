package ffmpeg

import (
	"bytes"
	"math"
	"strconv"
	"time"
)

// Progress is the state of a run.
type Progress struct {
	// Fraction is the share of WithDuration's total that is written: 0 to 1, never falling. It is
	// -1 while the total is unknown, and 1 on the last call.
	Fraction float64
	// ETA is the time left at the average rate so far, or -1 while that is unknown.
	ETA time.Duration
	// Speed is media time per elapsed time, as ffmpeg averages it; 0 if unknown.
	Speed float64
	// Time is the media time written, Total the time of WithDuration, Elapsed the time since the
	// start.
	Time, Total, Elapsed time.Duration
	// Frames counts the frames (with -c copy: packets) of the output's first video stream; it is 0
	// without one. Dropped and Duplicated count the frames that ffmpeg dropped or repeated to keep
	// the frame rate.
	Frames, Dropped, Duplicated int64
	// FPS is frames written per second of elapsed time.
	FPS float64
	// Size is the number of bytes written; 0 if unknown, as for -f null.
	Size int64
	// Done is set on the last call of a run that succeeded, and on no other.
	Done bool
}

// A block is one report of ffmpeg's -progress: key=value lines up to progress=continue or
// progress=end.
type block struct {
	frames, dropped, duplicated, size int64
	time                              time.Duration
	fps, speed                        float64
	hasTime, hasFrames, end           bool
}

// progressParser parses lines into blocks. It ignores unknown keys and values that are not numbers,
// such as N/A. out_time_ms is in microseconds, as out_time_us is; older versions of ffmpeg write
// only out_time_ms.
type progressParser struct{ b block }

// line takes one line. It returns the block that the line ended; ok is false if it ended none.
func (p *progressParser) line(line []byte) (b block, ok bool) {
	k, v, found := bytes.Cut(line, []byte("="))
	if !found {
		return block{}, false
	}
	value := string(bytes.TrimSpace(v))
	switch string(bytes.TrimSpace(k)) {
	case "frame":
		p.b.frames, p.b.hasFrames = count(value)
	case "fps":
		p.b.fps = positiveFloat(value)
	case "total_size":
		p.b.size, _ = count(value)
	case "out_time_us", "out_time_ms":
		if us, err := strconv.ParseInt(value, 10, 64); err == nil && us <= math.MaxInt64/int64(time.Microsecond) {
			p.b.time, p.b.hasTime = time.Duration(max(us, 0))*time.Microsecond, true
		}
	case "drop_frames":
		p.b.dropped, _ = count(value)
	case "dup_frames":
		p.b.duplicated, _ = count(value)
	case "speed":
		if n := len(value); n > 0 && value[n-1] == 'x' {
			p.b.speed = positiveFloat(value[:n-1])
		}
	case "progress":
		b, p.b = p.b, block{}
		b.end = value == "end"
		return b, true
	}
	return block{}, false
}

func count(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return max(n, 0), err == nil
}

// positiveFloat returns s as a finite number above 0, else 0.
func positiveFloat(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || f < 0 {
		return 0
	}
	return f
}

// A meter keeps the progress of one run.
type meter struct {
	total time.Duration
	start time.Time
	now   Progress

	seen      int // blocks
	firstAt   time.Time
	firstTime time.Duration
	hasFrames bool
	end       bool
}

// update takes a block that came at the time at. It reports whether the output has grown since the
// last one.
func (m *meter) update(b block, at time.Time) (p Progress, grew bool) {
	last := m.now
	p = Progress{
		Fraction: -1, ETA: -1, Speed: b.speed, FPS: b.fps, Total: m.total, Elapsed: at.Sub(m.start),
		// A block may lack keys that an earlier one had, and ffmpeg's time may step back between
		// streams.
		Time: max(b.time, last.Time), Frames: max(b.frames, last.Frames), Size: max(b.size, last.Size),
		Dropped: max(b.dropped, last.Dropped), Duplicated: max(b.duplicated, last.Duplicated),
	}
	if m.total > 0 {
		p.Fraction = min(1, float64(p.Time)/float64(m.total))
		p.ETA = m.eta(p, at)
	}
	m.seen++
	m.hasFrames = m.hasFrames || b.hasFrames
	m.end = m.end || b.end
	m.now = p
	return p, p.Time > last.Time || p.Frames > last.Frames || p.Size > last.Size
}

// eta returns the time left at the rate since the first block. Before that, ffmpeg starts up.
func (m *meter) eta(p Progress, at time.Time) time.Duration {
	if m.seen == 0 {
		m.firstAt, m.firstTime = at, p.Time
		return -1
	}
	took, wrote := at.Sub(m.firstAt), p.Time-m.firstTime
	if took <= 0 || wrote <= 0 {
		return -1
	}
	left := float64(max(m.total-p.Time, 0)) * (float64(took) / float64(wrote))
	if left >= math.MaxInt64 {
		return -1
	}
	return time.Duration(left)
}

// done returns the state after a success.
func (m *meter) done(at time.Time) Progress {
	p := m.now
	p.Fraction, p.ETA, p.Total, p.Elapsed, p.Done = 1, 0, m.total, at.Sub(m.start), true
	return p
}
