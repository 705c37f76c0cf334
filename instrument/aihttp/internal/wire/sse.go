package wire

import "bytes"

// maxEvent is the most of one event that is looked at.
const maxEvent = 1 << 20

// Events cuts a stream of server-sent events. It takes lines that end in LF, CRLF or CR, and joins
// the data lines of an event.
type Events struct {
	// Handle is called with the data of each event. The data holds until it returns.
	Handle func(data []byte)
	// Wanted reports whether a line of an event is of interest. An event is handled if one of its
	// lines is. Nil wants all.
	Wanted func(line []byte) bool

	count   int
	line    []byte // the begin of a line whose end has not come
	data    []byte // of the event so far
	lines   int
	wanted  bool
	over    bool // the event is too long
	big     bool // the line is
	skipped bool
	cr      bool // the last line ended in CR: a LF that follows is of its end
}

// Skipped reports whether an event was longer than 1 MiB and not handled.
func (e *Events) Skipped() bool { return e.skipped }

// Count returns how many events have ended so far.
func (e *Events) Count() int { return e.count }

// Write takes the next piece of the stream. It returns len(p) and nil.
func (e *Events) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if e.cr {
			e.cr = false
			if p[0] == '\n' {
				p = p[1:]
				continue
			}
		}
		end := bytes.IndexByte(p, '\n')
		if cr := bytes.IndexByte(p[:max(end, 0)], '\r'); end < 0 {
			end = bytes.IndexByte(p, '\r')
		} else if cr >= 0 {
			end = cr
		}
		if end < 0 {
			e.hold(p)
			break
		}
		e.cr = p[end] == '\r'
		line := p[:end]
		if len(e.line) > 0 || e.big {
			e.hold(line)
			line = e.line
		}
		if e.big {
			e.big, e.skipped = false, true
		} else {
			e.take(line)
		}
		e.line = e.line[:0]
		p = p[end+1:]
	}
	return n, nil
}

// Close ends the stream: an event at its end needs no empty line.
func (e *Events) Close() {
	if len(e.line) > 0 && !e.big {
		e.take(e.line)
	}
	e.line = e.line[:0]
	e.event()
}

// Reset makes the Events ready for another stream.
func (e *Events) Reset() {
	line, data := e.line[:0], e.data[:0]
	if cap(line)+cap(data) > maxPooled {
		line, data = nil, nil
	}
	*e = Events{Handle: e.Handle, Wanted: e.Wanted, line: line, data: data}
}

func (e *Events) hold(p []byte) {
	if e.big || len(e.line)+len(p) > maxEvent {
		e.big, e.line = true, e.line[:0]
		return
	}
	e.line = append(e.line, p...)
}

func (e *Events) take(line []byte) {
	if len(line) == 0 {
		e.event()
		return
	}
	data, ok := bytes.CutPrefix(line, []byte("data:"))
	if !ok {
		return
	}
	data = bytes.TrimPrefix(data, []byte(" "))
	if e.over || len(e.data)+len(data) > maxEvent {
		e.over = true
		return
	}
	e.wanted = e.wanted || e.Wanted == nil || e.Wanted(data)
	if e.lines > 0 {
		e.data = append(e.data, '\n')
	}
	e.data = append(e.data, data...)
	e.lines++
}

func (e *Events) event() {
	if e.lines > 0 || e.over {
		e.count++
	}
	switch {
	case e.over:
		e.skipped = true
	case e.wanted:
		e.Handle(e.data)
	}
	e.data, e.lines, e.wanted, e.over = e.data[:0], 0, false, false
}
