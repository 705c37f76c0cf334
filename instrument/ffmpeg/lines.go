package ffmpeg

import "bytes"

// lines is a writer that calls take for each line that is not empty. A line ends with \n, \r or
// both, which are removed. It is cut at max bytes. The bytes are valid only during the call.
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

// flush passes on a last line that has no end. It is safe on nil.
func (l *lines) flush() {
	if l != nil && len(l.buf) > 0 {
		l.take(l.buf)
		l.buf = l.buf[:0]
	}
}
