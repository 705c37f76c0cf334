package media

import "bytes"

// maxLine is the longest line of a log that is read; the rest of a longer one is left out.
const maxLine = 4 << 10

// A Log is written to by ffmpeg, with its log at -loglevel level+info, and hands on its lines. The
// results of filters are read from there and not from files: ffmpeg builds its filters anew when
// the input changes its size or format, and they would then empty their file.
type Log struct {
	// Filters has a function for each named filter, such as siti@picture, that gets the messages of
	// that filter.
	Filters map[string]func(message string)
	// Others gets all other lines. It may be nil.
	Others func(line string)

	line []byte
}

// Write never fails.
func (l *Log) Write(p []byte) (int, error) {
	n := len(p)
	for {
		end := bytes.IndexByte(p, '\n')
		part := p
		if end >= 0 {
			part = p[:end]
		}
		l.line = append(l.line, part[:min(len(part), maxLine-len(l.line))]...)
		if end < 0 {
			return n, nil
		}
		l.take(string(l.line))
		l.line, p = l.line[:0], p[end+1:]
	}
}

// take hands on "[name @ 0x55d0] [info] message".
func (l *Log) take(line string) {
	name, rest, found := cutTag(line)
	if each := l.Filters[name]; found && each != nil {
		if _, message, ok := cutTag(rest); ok {
			each(message)
			return
		}
	}
	if l.Others != nil {
		l.Others(line)
	}
}

// cutTag splits "[name @ 0x55d0] rest" and "[info] rest".
func cutTag(line string) (name, rest string, found bool) {
	if len(line) == 0 || line[0] != '[' {
		return "", line, false
	}
	for i := 1; i < len(line); i++ {
		switch {
		case line[i] == ' ' && name == "":
			name = line[1:i]
		case line[i] == ']':
			if name == "" {
				name = line[1:i]
			}
			rest = line[i+1:]
			if len(rest) > 0 && rest[0] == ' ' {
				rest = rest[1:]
			}
			return name, rest, true
		}
	}
	return "", line, false
}
