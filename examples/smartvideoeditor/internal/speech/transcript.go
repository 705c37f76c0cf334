package speech

import (
	"context"
	"strings"
	"time"
)

// A Transcript is the speech in a recording.
type Transcript struct {
	Duration   time.Duration // of the recording
	Utterances []Utterance   // in order
}

// An Utterance is the speech between two pauses.
type Utterance struct {
	Start, End time.Duration
	Text       string
}

// Text is all that was said.
func (t Transcript) Text() string {
	texts := make([]string, len(t.Utterances))
	for i, u := range t.Utterances {
		texts[i] = u.Text
	}
	return strings.Join(texts, " ")
}

// A Recognizer listens to recordings. It is safe for concurrent use.
type Recognizer interface {
	// Recognize transcribes the recording in a file. Meanwhile it calls progress with the fraction
	// that is done, from 0 to 1, never concurrently and not after its return. It returns
	// ErrNotAudio for a file without sound that it can read, and ErrTooLong for one that is too
	// long.
	Recognize(ctx context.Context, path string, progress func(fraction float64)) (Transcript, error)
}
