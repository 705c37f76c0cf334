package ffmpeg

import "bytes"

// lines is a writer that gives take each line of what is written to it, without its end, which is \n, \r or both, and
// without empty ones. A line longer than max bytes is cut. The bytes are valid during the call only.
type lines struct {
	max  int
	take func(line []byte)
	buf  []byte
}

func (l *lines) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		end := bytes.IndexAny(p, "\r\n")
		part := p
		if end >= 0 {
			part = p[:end]
		}
		l.buf = append(l.buf, part[:min(len(part), l.max-len(l.buf))]...)
		if end < 0 {
			break
		}
		l.flush()
		p = p[end+1:]
	}
	return n, nil
}

// flush ends a last line that has no end. It is safe on nil.
func (l *lines) flush() {
	if l != nil && len(l.buf) > 0 {
		l.take(l.buf)
		l.buf = l.buf[:0]
	}
}
