package aihttp

import (
	"bytes"
	"io"
	"reflect"
	"strings"
)

// maxAhead is the longest request that is read before it is sent, in bytes.
const maxAhead = 64 << 10

// readAhead reads what a short request says while it still is in memory, and reports whether it
// could. The body is then sent as it is: net/http, which knows readers in memory, sends it together
// with the head and needs no buffer.
func (x *exchange) readAhead(body io.Reader) bool {
	switch r := unwrap(body).(type) {
	case *bytes.Buffer:
		if r.Len() > maxAhead {
			return false
		}
		x.sends(r.Bytes())
		return true
	case *bytes.Reader:
		return x.readAt(r, r.Size(), r.Len())
	case *strings.Reader:
		return x.readAt(r, r.Size(), r.Len())
	}
	return false
}

// readAt reads the rest of a reader, without moving it.
func (x *exchange) readAt(r io.ReaderAt, size int64, rest int) bool {
	if rest > maxAhead {
		return false
	}
	for at := size - int64(rest); at < size; {
		n, _ := r.ReadAt(x.piece[:], at)
		if n == 0 {
			break
		}
		x.sends(x.piece[:n])
		at += int64(n)
	}
	return true
}

// Types of io.NopCloser, which [http.NewRequest] puts around a reader.
var (
	nopCloser         = reflect.TypeOf(io.NopCloser(struct{ io.Reader }{}))
	nopCloserWriterTo = reflect.TypeOf(io.NopCloser(struct {
		io.Reader
		io.WriterTo
	}{}))
)

// unwrap returns the reader in an io.NopCloser, or else r. net/http does it in the same way.
func unwrap(r io.Reader) io.Reader {
	switch reflect.TypeOf(r) {
	case nopCloser, nopCloserWriterTo:
		if in, ok := reflect.ValueOf(r).Field(0).Interface().(io.Reader); ok {
			return in
		}
	}
	return r
}
