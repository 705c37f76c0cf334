package ffmpeg

import (
	"bytes"
	"regexp"
	"strings"
	"unicode"
)

const (
	maxLogLine = 1 << 10
	maxLogTail = 8 << 10
	maxBrief   = 256
)

// A logTail reads a process's log line by line. It keeps the end of it and a verdict on all of it,
// in bounded memory.
type logTail struct {
	lines   lines
	hide    *strings.Replacer // from temporary names to those that the caller gave
	verdict verdict

	undecodable map[int]bool // streams for which ffprobe has no decoder

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
	text := clean(t.hide.Replace(string(line)))
	if decides {
		t.verdict.line = brief(text)
	}
	t.kept = append(t.kept, text)
	t.size += len(text) + 1
	for t.size > maxLogTail {
		t.size -= len(t.kept[0]) + 1
		t.kept = t.kept[1:]
	}
}

// brief returns a line for an error's text: without its level, and shortened.
func brief(line string) string {
	line = strings.TrimSpace(levels.Replace(line))
	if len(line) > maxBrief {
		line = strings.ToValidUTF8(line[:maxBrief], "") + "…"
	}
	return line
}

// flush takes a last line that has no end.
func (t *logTail) flush() { t.lines.flush() }

// tail returns the end of the log, in whole lines.
func (t *logTail) tail() string {
	t.flush()
	return strings.Join(t.kept, "\n")
}

var (
	levels   = strings.NewReplacer("[warning] ", "", "[error] ", "", "[fatal] ", "", "[panic] ", "")
	address  = regexp.MustCompile(` @ 0x[0-9a-f]+\]`)
	userinfo = regexp.MustCompile(`(://)[^/\s'"]*@`)
	query    = regexp.MustCompile(`(://[^\s?'"]*\?)[^\s'"]*[^\s'":,]`)
)

// clean returns a line that may be shown and stored: valid UTF-8, without control characters,
// memory addresses, and the parts of a URL that may be secret.
func clean(line string) string {
	line = strings.ToValidUTF8(line, "\uFFFD")
	line = strings.Map(func(r rune) rune {
		if r != '\t' && !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, line)
	line = address.ReplaceAllString(line, "]")
	if strings.Contains(line, "://") {
		line = userinfo.ReplaceAllString(line, "$1***@")
		line = query.ReplaceAllString(line, "$1***")
	}
	return line
}
