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
	// Piece is called with the pieces of the data of an event that is longer than 1 MiB, and with
	// nil where it ends, in place of Handle. With a nil Piece such an event is skipped.
	Piece func(data []byte)

	passes  bool // after so many first events, those that have no needle and are not the last one
	first   int
	needles []Needle
	last    func(line []byte) bool

	begun   bool // the first line was read
	inPiece bool // the event is given in pieces
	inLine  bool // so is the line
	count   int
	line    []byte // the begin of a line whose end has not come
	data    []byte // of the event so far
	lines   int
	wanted  bool
	over    bool // the event is too long
	big     bool // the line is
	skipped bool
	cr      bool // the last line ended in CR: a LF that follows is of its end
	anyCR   bool // a line has ended so
}

// Skipped reports whether an event was longer than 1 MiB and neither handled nor given in pieces.
func (e *Events) Skipped() bool { return e.skipped }

// Count returns how many events have ended so far.
func (e *Events) Count() int { return e.count }

// Pass says that after so many first events none is wanted that has none of the texts in a line of
// data, and for none of whose lines last is true. It makes a long stream cheap. last may be nil. In
// events that are passed a CR alone ends no line, unless one did before.
func (e *Events) Pass(first int, texts []string, last func(line []byte) bool) {
	e.passes, e.first, e.last = true, first, last
	for _, text := range texts {
		e.needles = append(e.needles, NewNeedle(text))
	}
}

// Has reports whether a line has one of the texts of Pass.
func (e *Events) Has(line []byte) bool { return e.find(line) >= 0 }

// find returns where the first of the needles is, or -1.
func (e *Events) find(p []byte) int {
	first := -1
	for _, n := range e.needles {
		if at := n.Index(p); at >= 0 {
			first, p = at, p[:at]
		}
	}
	return first
}

// Write takes the next piece of the stream. It returns len(p) and nil.
func (e *Events) Write(p []byte) (int, error) {
	n := len(p)
	passes := e.passes
	for len(p) > 0 {
		if e.cr {
			e.cr = false
			if p[0] == '\n' {
				p = p[1:]
				continue
			}
		}
		if passes && !e.anyCR && e.count >= e.first && e.between() {
			passes = false
			p = p[e.pass(p):]
			continue
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
		e.anyCR = e.anyCR || e.cr
		line := p[:end]
		if len(e.line) > 0 || e.big || len(line) > maxEvent {
			e.hold(line)
			line = e.line
		}
		switch {
		case e.inLine:
			e.big, e.inLine = false, false
		case e.big:
			e.big, e.skipped = false, true
		default:
			e.take(line)
		}
		e.line = e.line[:0]
		p = p[end+1:]
	}
	return n, nil
}

// between reports whether nothing of an event has come since the last one.
func (e *Events) between() bool {
	return e.begun && e.lines == 0 && len(e.line) == 0 && !e.big && !e.over
}

// pass counts the events at the begin of p that are whole and not wanted, and returns how long they
// are. Nothing of them is copied. It ends at a line that ends in CR LF.
func (e *Events) pass(p []byte) int {
	end := lastEvent(p)
	if at := e.find(p[:end]); at >= 0 {
		end = lastEvent(p[:at])
	}
	last := e.last
	begin, lines := 0, 0 // of the event
	for at := 0; at < end; {
		if p[at] == '\n' {
			if lines > 0 {
				e.count++
			}
			at++
			begin, lines = at, 0
			continue
		}
		size := bytes.IndexByte(p[at:end], '\n')
		line := p[at : at+size]
		if line[size-1] == '\r' {
			return begin
		}
		if size > 5 && string(line[:5]) == "data:" {
			data := line[5:]
			if data[0] == ' ' {
				data = data[1:]
			}
			if lines++; last != nil && last(data) {
				return begin
			}
		} else if size == 5 && string(line) == "data:" {
			lines++
		}
		at += size + 1
	}
	return end
}

// lastEvent returns where the last event that is whole ends, or 0.
func lastEvent(p []byte) int {
	for at := len(p); at > 1; {
		if at = bytes.LastIndexByte(p[:at], '\n'); at > 0 && p[at-1] == '\n' {
			return at + 1
		}
	}
	return 0
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
	*e = Events{Handle: e.Handle, Wanted: e.Wanted, Piece: e.Piece, line: line, data: data, needles: e.needles[:0]}
}

func (e *Events) hold(p []byte) {
	if e.inLine {
		if len(p) > 0 {
			e.Piece(p)
		}
		return
	}
	if !e.big && len(e.line)+len(p) <= maxEvent {
		e.line = append(e.line, p...)
		return
	}
	if more := min(len(p), max(0, 16-len(e.line))); !e.big { // the field's name may be in p
		e.line, p = append(e.line, p[:more]...), p[more:]
	}
	if data, ok := dataOf(e.line); ok && !e.big && e.Piece != nil {
		e.inLine = true
		e.pieces(data)
		e.hold(p)
	}
	e.big, e.line = true, e.line[:0]
}

// pieces begins or goes on to give an event in pieces.
func (e *Events) pieces(data []byte) {
	e.inPiece = true
	if len(e.data) > 0 {
		e.Piece(e.data)
	}
	e.Piece([]byte{'\n'})
	if len(data) > 0 {
		e.Piece(data)
	}
	e.data = e.data[:0]
	e.lines++
}

// dataOf returns the data of a line, or false if the line is of another kind.
func dataOf(line []byte) ([]byte, bool) {
	data, ok := bytes.CutPrefix(line, []byte("data:"))
	return bytes.TrimPrefix(data, []byte(" ")), ok
}

func (e *Events) take(line []byte) {
	if !e.begun {
		e.begun = true
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	if len(line) == 0 {
		e.event()
		return
	}
	data, ok := dataOf(line)
	switch {
	case !ok:
		return
	case e.inPiece, e.Piece != nil && len(e.data)+len(data) > maxEvent:
		e.pieces(data)
		return
	case e.over || len(e.data)+len(data) > maxEvent:
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
	case e.inPiece:
		e.Piece(nil)
	case e.over:
		e.skipped = true
	case e.wanted:
		e.Handle(e.data)
	}
	e.data, e.lines, e.wanted, e.over, e.inPiece = e.data[:0], 0, false, false, false
}
