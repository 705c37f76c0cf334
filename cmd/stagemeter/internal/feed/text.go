package feed

import (
	"encoding/json"
	"strings"
	"unicode"
)

// longest is how many characters a Text has at most. Ids are cut at 256 bytes by the library.
const longest = 512

// A Text is a text of a worker that is safe to print: see [Clean].
type Text string

// UnmarshalJSON reads a string and cleans it.
func (t *Text) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	*t = Text(Clean(s))
	return nil
}

// Clean returns a text as one line of at most 512 characters: without control characters,
// characters that change the direction of others, invisible ones, and more than two marks on one
// character. White space becomes spaces.
func Clean(s string) string {
	var b strings.Builder
	n, marks := 0, 0
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case unicode.IsSpace(r):
			r = ' '
		case !unicode.IsPrint(r):
			continue
		}
		if unicode.In(r, unicode.Mn, unicode.Me) {
			if marks++; marks > 2 {
				continue
			}
		} else {
			marks = 0
		}
		if n++; n > longest {
			b.WriteRune('…')
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}
