package media

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// prints reads what a filter metadata=print or ametadata=print logs about frames whose time base is
// the microsecond, and calls each for every finite number, with the time of the frame that carries
// it. Frames without a time and values that are no number are passed over: a filter prints nan for
// a frame that it could not measure.
//
// The time is read from pts, since ffmpeg rounds pts_time and lavfi.scd.time to six digits, which
// is a tenth of a second after three hours.
type prints struct {
	each  func(at time.Duration, key string, value float64)
	at    time.Duration
	timed bool
}

func (p *prints) line(message string) {
	if strings.HasPrefix(message, "frame:") {
		p.at, p.timed = microseconds(field(message, "pts:"))
		return
	}
	key, text, found := strings.Cut(message, "=")
	if !found || !p.timed {
		return
	}
	if value, ok := finite(text); ok {
		p.each(p.at, strings.TrimSpace(key), value)
	}
}

// field returns the word that follows name and any spaces, or "".
func field(message, name string) string {
	for rest := message; ; {
		i := strings.Index(rest, name)
		if i < 0 {
			return ""
		}
		before := i == 0 || rest[i-1] == ' '
		rest = rest[i+len(name):]
		if before {
			word, _, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
			return word
		}
	}
}

// maxPosition is the longest time that a position in a video is believed to have: some 31 years.
const maxPosition = 1e9 * time.Second

// microseconds reads a time in microseconds.
func microseconds(text string) (time.Duration, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > int64(maxPosition/time.Microsecond) || n < -int64(maxPosition/time.Microsecond) {
		return 0, false
	}
	return time.Duration(n) * time.Microsecond, true
}

func finite(text string) (float64, bool) {
	value, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return 0, false
	}
	return value, true
}

// Timestamp writes a duration as ffmpeg's options and filters read it: seconds, to the microsecond.
func Timestamp(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', 6, 64)
}
