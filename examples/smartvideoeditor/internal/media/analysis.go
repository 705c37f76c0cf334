package media

import (
	"io"
	"time"
)

// Analyze reads what the filters of one pass printed and returns the video's segments, measured and scored. The sound
// is nil for a video without any.
func Analyze(length time.Duration, pictureLog, soundLog io.Reader) ([]Segment, error) {
	picture, err := readPicture(pictureLog)
	if err != nil {
		return nil, err
	}
	segments := split(length, picture.cuts)
	picture.measure(segments)
	if err := Loudness(segments, soundLog); err != nil {
		return nil, err
	}
	score(segments)
	return segments, nil
}

// Loudness measures the segments' loudness anew, from what ebur128 printed. A nil reader makes them silent.
func Loudness(segments []Segment, soundLog io.Reader) error {
	var heard sound
	if soundLog != nil {
		var err error
		if heard, err = readSound(soundLog); err != nil {
			return err
		}
	}
	heard.measure(segments)
	return nil
}
