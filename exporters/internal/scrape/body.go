package scrape

import (
	"net/http"
	"time"

	"github.com/prometheus/common/expfmt"

	"github.com/stagemeter/stagemeter/exporters/internal/exposition"
)

// chunkSize is the size of the parts of a body: what a client that is cut off may still hold.
const chunkSize = 32 << 10

// A kind is what the bodies on a shelf have in common.
type kind struct {
	format   expfmt.FormatType
	encoding string
}

// A body is the body of an answer. It is made once, and shared by the clients that wait for it. Its
// content does not change from then until none of them reads it any more.
type body struct {
	kind    kind
	variant string // bodies of a kind with another variant have other content
	seq     uint64 // of its collection
	began   time.Time
	stock   *shelves

	// Of whoever makes it, until made is true. They do not change later.
	length int64
	header http.Header // of the upstream exporter; nil: package exposition made it
	status int         // of the upstream exporter
	size   exposition.Size
	err    error // why there is no answer with metrics

	// Guarded by shelves.mu. While it is made, chunks are of whoever makes it.
	made     bool
	finished time.Time
	took     time.Duration
	chunks   [][]byte
	clients  map[*client]struct{}
	moved    time.Time // when a client took a chunk, or it was made
	cut      bool
	borrowed bool // a client that failed may still hold a chunk, which must not be used again
}

// whole reports whether b may be sent. An error with a status of the upstream exporter is.
func (b *body) whole() bool { return b.err == nil || b.status != 0 }

// Write appends p. It never fails.
func (b *body) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		last := len(b.chunks) - 1
		if last < 0 || len(b.chunks[last]) == cap(b.chunks[last]) {
			b.chunks = append(b.chunks, b.stock.chunk())
			last++
		}
		n := min(len(rest), cap(b.chunks[last])-len(b.chunks[last]))
		b.chunks[last] = append(b.chunks[last], rest[:n]...)
		b.length += int64(n)
		rest = rest[n:]
	}
	return len(p), nil
}
