package aihttp

import (
	"bytes"
	"unicode/utf8"
)

// maxHead is how much of the begin of a long event is kept: its type stands there.
const maxHead = 512

// longEvent is an event of a stream that is too long to be held, such as one with a picture.
type longEvent struct {
	head  []byte
	begun bool
}

// longPiece reads a piece of a long event, or its end.
func (x *exchange) longPiece(p []byte) {
	if x.over {
		return
	}
	e := &x.long
	if !e.begun {
		x.readHeld()
		x.beginEvent()
		e.begun, e.head = true, e.head[:0]
	}
	if p != nil {
		e.head = append(e.head, p[:min(len(p), maxHead-len(e.head))]...)
		_, _ = x.ans.Write(p)
		return
	}
	e.begun = false
	x.ep.read(x, x.ans)
	x.over = x.ep.last != nil && x.ep.last(e.head)
}

// sniff finds out whether an answer without a type is a stream: it then begins with a field's name or
// a colon.
func (x *exchange) sniff(p []byte) {
	if p = bytes.TrimLeft(p, "\ufeff\r\n\t "); len(p) == 0 || p[0] >= utf8.RuneSelf {
		return
	}
	x.sniffs = false
	if bytes.IndexByte([]byte("deir:"), p[0]) >= 0 {
		x.stream()
	}
}
