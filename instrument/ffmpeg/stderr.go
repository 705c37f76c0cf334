package ffmpeg

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

const (
	maxLogLine = 1 << 10
	maxLogTail = 8 << 10
	maxBrief   = 256
)

// A logTail reads a process's log line by line. It keeps the end of it and a verdict on all of it,
// in bounded memory. Lines of a level below a warning are kept only while there are no others.
type logTail struct {
	lines   lines
	hide    *strings.Replacer // from temporary names to those that the caller gave
	secrets []string          // the longest first
	verdict verdict
	words   [ranks][]byte // the last line of each rank

	undecodable map[int]bool // streams for which ffprobe has no decoder

	loud bool // kept has no line of a level below a warning
	kept []string
	size int // of kept, with line ends
}

// newLogTail returns a logTail that replaces the first name of each pair by the second.
func newLogTail(pairs ...string) *logTail {
	t := &logTail{hide: strings.NewReplacer(pairs...)}
	t.lines = lines{max: maxLogLine, take: t.take}
	return t
}

func (t *logTail) Write(p []byte) (int, error) { return t.lines.Write(p) }

func (t *logTail) take(line []byte) {
	decides := t.verdict.read(bytes.TrimSpace(line))
	if n, ok := undecodable(line); ok && len(t.undecodable) < maxStreams {
		if t.undecodable == nil {
			t.undecodable = map[int]bool{}
		}
		t.undecodable[n] = true
	}
	if decides {
		t.verdict.line = string(line)
	}
	if r, ok := rankOf(line); ok {
		t.words[r] = append(t.words[r][:0], line...)
	}
	_, level, _ := split(bytes.TrimSpace(line))
	switch loud := !quiet[level]; {
	case loud && !t.loud:
		t.loud, t.kept, t.size = true, nil, 0
	case !loud && t.loud:
		return // a filter that logs each frame would leave nothing else
	}
	t.kept = append(t.kept, string(line)) // to be cleaned when it is shown: most lines never are
	t.size += len(line) + 1
	for t.size > maxLogTail {
		t.size -= len(t.kept[0]) + 1
		t.kept = t.kept[1:]
	}
}

// quiet has the levels below a warning.
var quiet = map[string]bool{"info": true, "verbose": true, "debug": true, "trace": true}

// show returns a line of the log as it may be shown.
func (t *logTail) show(line string) string {
	return clean(t.withoutSecrets(t.hide.Replace(line)))
}

// decisive returns the line that the verdict follows from, for an error's text.
func (t *logTail) decisive() string { return brief(t.show(t.verdict.line)) }

// withoutSecrets returns a line without the secrets of the arguments. If the line is long, so that
// it may have been cut, its end may be the beginning of one.
func (t *logTail) withoutSecrets(line string) string {
	for _, s := range t.secrets {
		line = strings.ReplaceAll(line, s, hidden)
	}
	if len(line) < maxLogLine/2 {
		return line
	}
	for _, s := range t.secrets {
		for n := min(len(s), len(line)); n >= minSecret; n-- {
			if strings.HasSuffix(line, s[:n]) {
				return line[:len(line)-n] + hidden
			}
		}
	}
	return line
}

// The ranks of lines: which is most likely to say why a run failed.
const (
	fatal = iota
	failure
	foreign // without a level, of a library or a script
	warning
	ranks
)

// rankOf returns the rank of a line; ok is false if it says nothing about a failure.
func rankOf(line []byte) (rank int, ok bool) {
	_, level, message := split(bytes.TrimSpace(line))
	switch level {
	case "fatal", "panic":
		return fatal, true
	case "error":
		return failure, true
	case "warning":
		return warning, true
	case "": // but for ffmpeg's own continuations of a message
		return foreign, !bytes.HasPrefix(message, []byte("Last message repeated ")) && !bytes.HasPrefix(message, []byte("Consider increasing the value for "))
	}
	return 0, false
}

// lastWords returns the line that is most likely to say why a run failed: the last fatal one, or
// else the last error, line of something else, or warning.
func (t *logTail) lastWords() string {
	for _, w := range t.words {
		if len(w) > 0 {
			return brief(t.show(string(w)))
		}
	}
	return ""
}

// blocked matches the list of formats in ffmpeg's refusal of one that is not on it.
var blocked = regexp.MustCompile(`(Format not on whitelist) '.*`)

// brief returns a line for an error's text: without its level, and shortened.
func brief(line string) string {
	line = strings.TrimSpace(levels.Replace(line))
	line = blocked.ReplaceAllString(line, "$1: not one of the formats that may be opened")
	return shorten(line, maxBrief)
}

// shorten returns at most the first limit bytes of a text, and an ellipsis if there are more.
func shorten(text string, limit int) string {
	if len(text) > limit {
		text = strings.ToValidUTF8(text[:limit], "") + "…"
	}
	return text
}

// flush takes a last line that has no end.
func (t *logTail) flush() { t.lines.flush() }

// tail returns the end of the log, in whole lines.
func (t *logTail) tail() string {
	t.flush()
	var shown []string
	for size := 0; len(shown) < len(t.kept); {
		line := t.show(t.kept[len(t.kept)-1-len(shown)])
		if size += len(line) + 1; size > maxLogTail {
			break
		}
		shown = append(shown, line)
	}
	slices.Reverse(shown)
	return strings.Join(shown, "\n")
}

var (
	levels  = strings.NewReplacer("[warning] ", "", "[error] ", "", "[fatal] ", "", "[panic] ", "")
	address = regexp.MustCompile(` @ 0x[0-9a-f]+\]`)
)

// clean returns a line that may be shown and stored: valid UTF-8, without control characters,
// memory addresses, and what may be secret.
func clean(line string) string {
	line = strings.ToValidUTF8(line, "\uFFFD")
	line = strings.Map(func(r rune) rune {
		if r != '\t' && !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, line)
	return redact(address.ReplaceAllString(line, "]"))
}
