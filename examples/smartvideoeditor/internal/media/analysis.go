package media

import (
	"io"
	"time"
)

// Analyze reads the output of the filters of one pass, and returns the segments of the video,
// measured and scored. sound is nil for a video without sound.
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

// Loudness sets the loudness of the segments, from the output of ebur128. A nil reader makes them
// silent.
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
