package report

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/stagemeter/stagemeter/internal/secrets"
)

// maxText is how many bytes of a foreign error are shown.
const maxText = 500

// ValidUTF8 returns text with U+FFFD in place of the bytes that are not UTF-8.
func ValidUTF8(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }

// Hide returns text without the secrets of URLs in it; see [secrets.Hide].
func Hide(text string) string { return secrets.Hide(text) }

// Hidden returns err with its text as Hide returns it. The result wraps err.
func Hidden(err error) error {
	if err == nil {
		return nil
	}
	return hiding{err}
}

type hiding struct{ error }

func (e hiding) Error() string { return Hide(e.error.Error()) }

func (e hiding) Unwrap() error { return e.error }

// maxSearched is how many bytes of a foreign error are searched for URLs.
const maxSearched = 1 << 16

// short hides the secrets of URLs, cuts text to maxText bytes and replaces control characters
// by spaces. A receiver may answer with a whole page.
func short(text string) string {
	text = Hide(text[:min(len(text), maxSearched)])
	cut := len(text) > maxText
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, ValidUTF8(text[:min(len(text), maxText)]))
	if cut {
		text += "…"
	}
	return text
}

// Brief returns err with its text cut to one line of about 500 bytes, and without the secrets of
// URLs, see Hide. If secrets are given, the text has … in place of each of them. The result wraps
// err.
func Brief(err error, secrets ...string) error { return brief{err, secrets} }

type brief struct {
	error
	secrets []string
}

func (e brief) Error() string {
	text := e.error.Error()
	for _, s := range e.secrets {
		text = strings.ReplaceAll(text, s, "…")
	}
	return short(text)
}

func (e brief) Unwrap() error { return e.error }

// Join joins errs as errors.Join does. Of errors with the same text, also of those that errs have
// joined, it keeps the first.
func Join(errs ...error) error {
	var kept []error
	seen := map[string]bool{}
	for _, err := range flat(errs) {
		if text := err.Error(); !seen[text] {
			seen[text] = true
			kept = append(kept, err)
		}
	}
	return errors.Join(kept...)
}

// flat returns errs without nil, and the parts of an error of errors.Join in its place.
func flat(errs []error) (all []error) {
	for _, err := range errs {
		if err == nil {
			continue
		}
		joined, ok := err.(interface{ Unwrap() []error })
		if ok && err.Error() == errors.Join(joined.Unwrap()...).Error() { // not an error with a text of its own
			all = append(all, flat(joined.Unwrap())...)
		} else {
			all = append(all, err)
		}
	}
	return all
}

// Panicked returns the error for a panic with the value v. by names the function that panicked.
// Panicked does not follow pointers in v: another goroutine may be writing there.
func Panicked(by string, v any) error {
	switch v := v.(type) {
	case string:
		return fmt.Errorf("%s panicked: %s", by, short(v))
	case error:
		return fmt.Errorf("%s panicked: %w", by, brief{v, nil})
	default:
		return fmt.Errorf("%s panicked with a %T", by, v)
	}
}
