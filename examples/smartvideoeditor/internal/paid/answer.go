package paid

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A Transcript is the answer of the service to a recording.
type Transcript struct {
	Text       string
	Utterances []Utterance   // with their times, if the service says them
	Billed     time.Duration // the billed length of the recording; 0: the service does not say
}

// An Utterance is a part of a transcript. Its times are counted from the start of the recording.
type Utterance struct {
	Start, End time.Duration
	Text       string
}

// An AnswerError is the error of an answer that is not what was asked for although its status is a
// success.
// The call may have been charged.
type AnswerError struct{ Reason string }

func (e *AnswerError) Error() string { return "the answer of the service " + e.Reason }

// ErrorType returns the type, for package instrument.
func (e *AnswerError) ErrorType() string { return "invalid_answer" }

// maxBilled bounds a billed length that is believed: no recording that fits the service is longer.
const maxBilled = 24 * time.Hour

// decode reads an answer. Whatever its Content-Type is, a JSON object with a text and without an
// error is a transcript. A usage that makes no sense is none: it costs no transcript that is paid.
func decode(answer []byte, s secrets) (Transcript, error) {
	answer = bytes.TrimSpace(bytes.TrimPrefix(answer, []byte("\uFEFF")))
	if len(answer) == 0 {
		return Transcript{}, &AnswerError{"is empty"}
	}
	var fields struct{ Text, Error, Segments, Duration, Usage json.RawMessage }
	if err := json.Unmarshal(answer, &fields); err != nil {
		return Transcript{}, &AnswerError{fmt.Sprintf("is no transcript: %v; it begins with %q", err, s.short(string(answer), 40))}
	}
	switch string(fields.Error) {
	case "", "null", "false", `""`, "{}", "[]":
	default:
		return Transcript{}, &AnswerError{"holds an error: " + s.reason(answer)}
	}
	var text *string
	if err := json.Unmarshal(fields.Text, &text); err != nil || text == nil {
		return Transcript{}, &AnswerError{"has no transcript" + after(": ", s.reason(answer))}
	}
	t := Transcript{Text: strings.TrimSpace(*text), Utterances: utterances(fields.Segments)}
	if t.Billed = billed(fields.Usage); noUsage(fields.Usage) {
		t.Billed = BegunSeconds(seconds(fields.Duration))
	}
	return t, nil
}

// billed returns the billed length of a usage, or 0 if it does not say one that can be true.
func billed(usage json.RawMessage) time.Duration {
	var said struct {
		Type    string
		Seconds json.RawMessage
	}
	if json.Unmarshal(usage, &said) != nil || said.Type != "duration" {
		return 0
	}
	return seconds(said.Seconds)
}

func noUsage(usage json.RawMessage) bool { return len(usage) == 0 || string(usage) == "null" }

// seconds reads a length, or returns 0 if it is none that can be true.
func seconds(text json.RawMessage) time.Duration {
	var n float64
	if json.Unmarshal(text, &n) != nil || n <= 0 || n > maxBilled.Seconds() {
		return 0
	}
	return time.Duration(n * float64(time.Second))
}

// utterances reads the parts of a transcript. If one of them makes no sense there are none, and the
// text still counts.
func utterances(segments json.RawMessage) []Utterance {
	var said []struct {
		Start, End float64
		Text       string
	}
	if json.Unmarshal(segments, &said) != nil {
		return nil
	}
	var list []Utterance
	for _, s := range said {
		if s.Start < 0 || s.End < s.Start || s.End > maxBilled.Seconds() {
			return nil
		}
		list = append(list, Utterance{
			Start: time.Duration(s.Start * float64(time.Second)), End: time.Duration(s.End * float64(time.Second)), Text: strings.TrimSpace(s.Text),
		})
	}
	return list
}

// reason returns the words of the service in an answer that is an error, or "". It knows the shapes
// of OpenAI and of those who imitate it.
func (s secrets) reason(answer []byte) string {
	var fields struct{ Error, Message, Detail json.RawMessage }
	if json.Unmarshal(answer, &fields) != nil {
		return ""
	}
	for _, field := range []json.RawMessage{fields.Error, fields.Message, fields.Detail} {
		var text string
		if json.Unmarshal(field, &text) == nil && text != "" {
			return s.short(text, maxReason)
		}
		var inner struct{ Message string }
		if json.Unmarshal(field, &inner) == nil && inner.Message != "" {
			return s.short(inner.Message, maxReason)
		}
	}
	if len(fields.Error) > 0 && string(fields.Error) != "null" {
		return s.short(string(fields.Error), maxReason)
	}
	return ""
}

// maxReason bounds the words of the service in an error, in runes.
const maxReason = 300

// after returns text behind lead, or "" if there is none.
func after(lead, text string) string {
	if text == "" {
		return ""
	}
	return lead + text
}
