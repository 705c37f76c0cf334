package livepage

import (
	"bytes"
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
)

// every is the time between two snapshots of a stream. For fresh, a little less, a snapshot answers
// all requests, so that each tick of a stream has a new one.
const (
	every = time.Second
	fresh = every * 9 / 10
)

// An encoder makes a snapshot at most once a tick, for all clients, and only if one asks.
type encoder struct {
	make func(match string) snapshot

	mu   sync.Mutex // held while a snapshot is made
	last *encoded
}

// encoded is a snapshot as it is sent. Each form is made once, at the first need.
type encoded struct {
	at     time.Time
	plain  []byte        // JSON
	gzip   func() []byte // of plain
	event  func() []byte // of the stream
	blocks func() []byte // event as blocks of deflate, which refer to nothing before them and do not end the stream
}

// now returns the newest snapshot.
func (e *encoder) now() (*encoded, error) { return e.since(time.Now()) }

// since returns a snapshot for a request of this time. One that was begun later is new enough,
// however long it took, so that the requests that waited for it share it.
func (e *encoder) since(asked time.Time) (*encoded, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.last != nil && (time.Since(e.last.at) < fresh || !e.last.at.Before(asked)) {
		return e.last, nil
	}
	at := time.Now()
	made, err := encode(e.make(""))
	if err != nil {
		return nil, err
	}
	made.at, e.last = at, made
	return made, nil
}

// forget lets go of the newest snapshot.
func (e *encoder) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last = nil
}

// encode returns v as it is sent.
func encode(v any) (*encoded, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	e := &encoded{plain: text}
	e.gzip = sync.OnceValue(func() []byte {
		w := zippers.Get().(*gzip.Writer)
		defer zippers.Put(w)
		return pack(text, w, w.Close)
	})
	e.event = sync.OnceValue(func() []byte {
		return bytes.Join([][]byte{[]byte("event: snapshot\ndata: "), text, []byte("\n\n")}, nil)
	})
	e.blocks = sync.OnceValue(func() []byte {
		w := deflaters.Get().(*flate.Writer)
		defer deflaters.Put(w)
		return pack(e.event(), w, w.Flush)
	})
	return e, nil
}

var (
	zippers   = sync.Pool{New: func() any { w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed); return w }}
	deflaters = sync.Pool{New: func() any { w, _ := flate.NewWriter(nil, flate.BestSpeed); return w }}
)

// pack returns text compressed by w, as the start of a stream. Writing to memory does not fail.
func pack(text []byte, w interface {
	io.Writer
	Reset(io.Writer)
}, finish func() error) []byte {
	var b bytes.Buffer
	w.Reset(&b)
	_, _ = w.Write(text)
	_ = finish()
	w.Reset(nil)
	return b.Bytes()
}
