package errs

import "slices"

// outcomes are the words that an error may say of itself, the gravest first.
var outcomes = []string{"failed", "retried", "canceled", "interrupted", "snoozed", "completed"}

// Said returns what err says of its outcome with a method JobOutcome() string, on the error itself
// or on one that it wraps; the outermost holds. Of joined errors that say different words the
// gravest holds. Said returns "" if none says one of the six words, or if err wraps itself. It does
// not look into an error that opaque reports: beside such an error no other one is asked.
func Said(err error, opaque func(error) bool) string {
	if Plain(err) { // it has no such method
		return ""
	}
	return Apart("", func() string {
		if endless(err) {
			return ""
		}
		word, _ := said(err, opaque)
		return word
	})
}

func said(err error, opaque func(error) bool) (word string, closed bool) {
	if opaque(err) {
		return "", true
	}
	if s, ok := err.(interface{ JobOutcome() string }); ok {
		if word := Guarded("", s.JobOutcome); slices.Contains(outcomes, word) {
			return word, false
		}
	}
	for _, inner := range unwrap(err) {
		if inner == nil {
			continue
		}
		w, closed := said(inner, opaque)
		if closed {
			return "", true
		}
		if w != "" && (word == "" || slices.Index(outcomes, w) < slices.Index(outcomes, word)) {
			word = w
		}
	}
	return word, false
}
