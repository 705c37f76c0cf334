package aihttp

import "bytes"

// lines reads an answer of one JSON text a line.
type lines struct {
	x     *exchange
	count int
	some  bool // of the line has come
}

func (l *lines) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n') + 1
		line := p[:end]
		if end == 0 {
			line = p
		}
		l.some = l.some || len(bytes.TrimSpace(line)) > 0
		_, _ = l.x.ans.Write(line)
		if p = p[len(line):]; end > 0 {
			l.end()
		}
	}
	return n, nil
}

func (l *lines) end() {
	if l.some {
		l.count++
		l.x.ep.read(l.x, l.x.ans)
	}
	l.x.ans.Reset()
	l.some = false
}

// Close ends the answer: its last line needs no end. One that was cut off tells that later the rest
// may be read.
func (l *lines) Close() {
	if !l.some {
		return
	}
	if _, _ = l.x.ans.Write(newline); !l.x.ans.Done() {
		l.x.job.state = jobPending
		return
	}
	l.end()
}

func (l *lines) Count() int    { return l.count }
func (l *lines) Skipped() bool { return false }
