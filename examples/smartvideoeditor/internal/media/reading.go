package media

import (
	"bufio"
	"cmp"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The filters whose log Reading reads, at the end of the picture's filters and of the sound's.
const (
	PictureReader = "settb=AVTB,showinfo@picture=checksum=0"
	SoundReader   = SoundFormat + ",asettb=AVTB,ashowinfo@sound"
)

// The sound that SoundReader passes on.
const (
	SampleRate  = 48000
	SampleBytes = 4 // of both channels
)

// A Reading collects what ffmpeg logs while it decodes a file whole through PictureReader and
// SoundReader, and the list of the picture's packets. The zero value is ready to use for a file
// whose damage does not matter.
type Reading struct {
	Picture, Sound int // the indexes of the streams

	frames     int
	first      time.Duration
	last       time.Duration
	interlaced int
	shapes     map[shape]int
	colors     Colors
	packets    packets

	// Runs has the stretches of sound without a gap, in the order of their samples.
	Runs []Run

	bad map[complaint]int // how often
}

// A shape is what makes ffmpeg build its filters anew when it changes.
type shape struct {
	size, sar, format string
}

// maxShapes bounds how many shapes are told from each other.
const maxShapes = 100

// A Run is a stretch of sound without a gap.
type Run struct {
	Start   time.Duration // in the time of the file
	Samples int64
}

// End returns the time of the run's end.
func (r Run) End() time.Duration { return r.Start + samples(r.Samples) }

func samples(n int64) time.Duration {
	return time.Duration(n/SampleRate)*time.Second + time.Duration(n%SampleRate)*time.Second/SampleRate
}

// Log returns the writer for ffmpeg's log. It is used by one run.
func (r *Reading) Log() *Log {
	return &Log{
		Filters: map[string]func(string){"showinfo@picture": r.picture, "ashowinfo@sound": r.sound},
		Others:  r.complaint,
	}
}

// picture reads a line of showinfo.
func (r *Reading) picture(message string) {
	at, ok := microseconds(field(message, "pts:"))
	if !ok {
		if r.frames == 1 && strings.HasPrefix(message, "color_range:") {
			r.colors = Colors{
				Range: field(message, "color_range:"), Matrix: field(message, "color_space:"),
				Primaries: field(message, "color_primaries:"), Transfer: field(message, "color_trc:"),
			}
		}
		return
	}
	if r.frames == 0 {
		r.first, r.last, r.shapes = at, at, make(map[shape]int)
	}
	r.frames++
	r.first, r.last = min(r.first, at), max(r.last, at)
	if field(message, "i:") == "T" || field(message, "i:") == "B" {
		r.interlaced++
	}
	s := shape{size: field(message, "s:"), sar: field(message, "sar:"), format: field(message, "fmt:")}
	if _, known := r.shapes[s]; known || len(r.shapes) < maxShapes {
		r.shapes[s]++
	}
}

// drift is how far the sound's samples may be from their time stamps. It is less than anyone sees,
// and more than containers round.
const drift = 40 * time.Millisecond

// sound reads a line of ashowinfo.
func (r *Reading) sound(message string) {
	at, ok := microseconds(field(message, "pts:"))
	count, err := strconv.ParseInt(field(message, "nb_samples:"), 10, 64)
	if err != nil || count <= 0 {
		return
	}
	if n := len(r.Runs); n > 0 && (!ok || (at-r.Runs[n-1].End()).Abs() <= drift) {
		r.Runs[n-1].Samples += count
		return
	}
	r.Runs = append(r.Runs, Run{Start: at, Samples: count})
}

// A complaint is what ffmpeg says it could not read or decode.
type complaint struct {
	decoded bool   // a frame, not a packet
	stream  string // the index
}

var (
	badPacket = regexp.MustCompile(`: corrupt input packet in stream (\d+)|#0:(\d+)[^\]]*\] .*corrupt input packet`)
	badFrame  = regexp.MustCompile(`: corrupt decoded frame in stream (\d+)|Error while decoding stream #0:(\d+)|` +
		`#0:(\d+)[^\]]*\] .*(?:corrupt decoded frame|Error submitting packet to decoder)`)
)

func (r *Reading) complaint(line string) {
	if r.bad == nil {
		r.bad = make(map[complaint]int)
	}
	for i, kind := range []*regexp.Regexp{badPacket, badFrame} {
		if found := kind.FindStringSubmatch(line); found != nil {
			c := complaint{decoded: i == 1, stream: strings.Join(found[1:], "")}
			if _, known := r.bad[c]; known || len(r.bad) < maxShapes {
				r.bad[c]++
			}
		}
	}
}

// damaged returns how many packets of a stream came damaged, or frames of it could not be decoded,
// if those are more.
func (r *Reading) damaged(stream int) int {
	name := strconv.Itoa(stream)
	return max(r.bad[complaint{false, name}], r.bad[complaint{true, name}])
}

// packets keeps the last packets of the picture, of which the one that is shown last says for how
// long.
type packets struct {
	kept [64]Span
	n    int
}

// ReadPackets reads the list that ffmpeg's framecrc muxer writes of the picture's packets.
func (r *Reading) ReadPackets(list io.Reader) error {
	base := 0.0
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		line := lines.Text()
		if text, ok := strings.CutPrefix(line, "#tb 0: "); ok {
			num, den, _ := strings.Cut(text, "/")
			n, okN := finite(num)
			d, okD := finite(den)
			if okN && okD && d > 0 {
				base = n / d
			}
			continue
		}
		fields := strings.Split(line, ",")
		if len(fields) < 4 || base == 0 {
			continue
		}
		at, okAt := finite(fields[2])
		length, okLength := finite(fields[3])
		if okAt && okLength && length > 0 && math.Abs((at+length)*base) < maxPosition.Seconds() {
			start := Seconds(at * base)
			r.packets.kept[r.packets.n%len(r.packets.kept)] = Span{start, start + Seconds(length*base)}
			r.packets.n++
		}
	}
	_, err := io.Copy(io.Discard, list) // what a line that is too long has left
	return cmp.Or(lines.Err(), err)
}

// Seconds converts ffmpeg's seconds to a duration, to the nearest microsecond.
func Seconds(s float64) time.Duration { return time.Duration(math.Round(s*1e6)) * time.Microsecond }

// lastFrame returns how long the last frame is shown.
func (r *Reading) lastFrame(statedRate float64) time.Duration {
	mean := time.Duration(0)
	if r.frames > 1 {
		mean = (r.last - r.first) / time.Duration(r.frames-1)
	}
	for _, p := range r.packets.kept[:min(r.packets.n, len(r.packets.kept))] {
		if (p.Start - r.last).Abs() <= time.Millisecond {
			return max(p.Len(), time.Millisecond)
		}
	}
	if mean <= 0 && statedRate > 0 {
		mean = Seconds(1 / min(max(statedRate, 0.1), 1000))
	}
	return cmp.Or(mean, 40*time.Millisecond)
}

// Source returns what was read. statedRate is the frame rate that the file states; it counts only
// for a single frame. Source reports false if no frame of picture could be decoded.
func (r *Reading) Source(statedRate float64) (Source, bool) {
	if r.frames == 0 {
		return Source{}, false
	}
	s := Source{
		Origin:     r.first,
		Length:     r.last - r.first + r.lastFrame(statedRate),
		Frames:     r.frames,
		Varies:     len(r.shapes) > 1,
		Interlaced: r.interlaced*10 > r.frames,
		Colors:     r.colors,
		Damaged:    r.damaged(r.Picture),
	}
	s.FrameRate = float64(r.frames) / s.Length.Seconds()
	var most shape
	for shape, count := range r.shapes {
		if count > r.shapes[most] || count == r.shapes[most] && shape.size > most.size {
			most = shape
		}
	}
	s.Width, s.Height = shown(most)
	if len(r.Runs) > 0 {
		s.DamagedSound = r.damaged(r.Sound)
	}
	s.listen(r.Runs)
	return s, true
}

// gap is the shortest time without sound that parts what is heard. Recordings are billed in begun
// seconds, so to leave out less can cost more than it saves.
const gap = time.Second

// listen fills in what is known of the sound.
func (s *Source) listen(runs []Run) {
	var heard []Span
	for _, run := range runs {
		at := Span{run.Start - s.Origin, run.End() - s.Origin}
		s.Before += max(0, min(at.End, 0)-at.Start)
		s.After += max(0, at.End-max(at.Start, s.Length))
		if part := at.Overlap(Span{End: s.Length}); part.Len() > 0 {
			heard = append(heard, part)
		}
	}
	slices.SortFunc(heard, func(a, b Span) int { return cmp.Compare(a.Start, b.Start) })
	for _, part := range heard {
		if n := len(s.Heard); n > 0 && part.Start-s.Heard[n-1].End < gap {
			s.Heard[n-1].End = max(s.Heard[n-1].End, part.End)
			continue
		}
		s.Heard = append(s.Heard, part)
	}
}

// maxSide is the longest side of a reel: libx264 takes no more than 16384, players often less.
const maxSide = 8192

// shown returns the size of the picture with square pixels and even sides.
func shown(s shape) (width, height int) {
	w, h := ratio(s.size, "x")
	num, den := ratio(s.sar, "/")
	if num > 0 && den > 0 {
		w *= num / den
	}
	if side := max(w, h); side > maxSide {
		w, h = w*maxSide/side, h*maxSide/side
	}
	return even(w), even(h)
}

func even(side float64) int { return max(2, int(side/2+0.01)*2) }

func ratio(text, sep string) (a, b float64) {
	left, right, _ := strings.Cut(text, sep)
	a, _ = finite(left) // 0 if it is no number
	b, _ = finite(right)
	return a, b
}
