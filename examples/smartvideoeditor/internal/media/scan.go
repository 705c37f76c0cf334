package media

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// scan reads the output of ffmpeg's filters metadata=print and ametadata=print, and calls each for every finite number
// in it, with the time of the frame that carries it. Frames without a time and values that are no number are passed
// over: a filter prints nan for a frame it could not measure.
func scan(r io.Reader, each func(at time.Duration, key string, value float64)) error {
	var at time.Duration
	timed := false
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "frame:") {
			_, field, _ := strings.Cut(line, "pts_time:")
			var s float64
			if s, timed = finite(field); timed {
				at, timed = position(s)
			}
			continue
		}
		key, text, found := strings.Cut(line, "=")
		if !found || !timed {
			continue
		}
		if value, ok := finite(text); ok {
			each(at, key, value)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading ffmpeg's frame metadata: %w", err)
	}
	return nil
}

// maxPosition is the longest time that a position in a video is believed to have: some 31 years.
const maxPosition = 1e9

func position(s float64) (time.Duration, bool) {
	if math.Abs(s) > maxPosition {
		return 0, false
	}
	return Seconds(s), true
}

func finite(text string) (float64, bool) {
	value, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return 0, false
	}
	return value, true
}

// Seconds converts ffmpeg's seconds to a duration, to the nearest microsecond.
func Seconds(s float64) time.Duration {
	return time.Duration(math.Round(s*1e6)) * time.Microsecond
}

// Timestamp writes a duration as ffmpeg's options and filters read it: seconds, to the microsecond.
func Timestamp(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', 6, 64)
}
