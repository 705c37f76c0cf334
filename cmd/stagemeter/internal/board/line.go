package board

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// A Tone is the look of a text on a screen with colors. A word always says the same as the tone.
type Tone int

// The tones of a text.
const (
	Normal Tone = iota
	Soft
	Strong
	Good
	Warn
	Bad
)

// A Span is a text of one tone.
type Span struct {
	Text string
	Tone Tone
}

// A Line is one line, of spans from left to right.
type Line []Span

// String returns the text of a line without the spaces at its end.
func (l Line) String() string {
	var b strings.Builder
	for _, s := range l {
		b.WriteString(s.Text)
	}
	return strings.TrimRight(b.String(), " ")
}

// Width returns how many cells a line takes.
func (l Line) Width() int {
	n := 0
	for _, s := range l {
		n += ansi.StringWidth(s.Text)
	}
	return n
}

// Cut returns a line that takes at most width cells. One that was longer ends with an ellipsis.
func (l Line) Cut(width int) Line {
	var cut Line
	for i, s := range l {
		size := ansi.StringWidth(s.Text)
		if size > width || size == width && len(l[i+1:].String()) > 0 {
			return append(cut, Span{clip(s.Text+"  ", width), s.Tone})
		}
		width -= size
		cut = append(cut, s)
	}
	return cut
}

// clip returns a text that takes at most width cells.
func clip(text string, width int) string {
	if width <= 0 {
		return ""
	}
	return ansi.Truncate(text, width, "…")
}

// clipLeft returns the end of a text, which takes at most width cells.
func clipLeft(text string, width int) string {
	if more := ansi.StringWidth(text) - width; more > 0 {
		return ansi.TruncateLeft(text, more+1, "…")
	}
	return text
}

// pad returns a text that takes exactly width cells, aligned left or right.
func pad(text string, width int, right bool) string {
	text = clip(text, width)
	space := strings.Repeat(" ", max(0, width-ansi.StringWidth(text)))
	if right {
		return space + text
	}
	return text + space
}

// fit returns the first text that takes at most width cells, or else the last one, cut.
func fit(width int, texts ...string) string {
	for _, text := range texts {
		if ansi.StringWidth(text) <= width {
			return text
		}
	}
	return clip(texts[len(texts)-1], width)
}
