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
	// Recognize transcribes the recording in a file, and says meanwhile how much of it is done, from
	// 0 to 1. A file that holds no sound it can read is ErrNotAudio, and one that is too long
	// ErrTooLong. Progress is not called after it has returned, nor concurrently.
	Recognize(ctx context.Context, path string, progress func(fraction float64)) (Transcript, error)
}
