package livepage

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

const (
	every       = time.Second // between two snapshots of a stream
	maxStreams  = 32          // further clients ask for snapshot.json
	writeTime   = 5 * time.Second
	retryStream = "10" // seconds, for a client that has no stream
)

// streams are the clients of live/events. Each has the ticks of its own request, and no goroutine
// but that; what it is sent is made once for all.
type streams struct {
	page *Page

	mu    sync.Mutex
	n     int
	at    time.Time // of plain and packed
	plain []byte    // the event
	parts []byte    // the same, as blocks of deflate that refer to nothing before them
}

// gzipHeader begins a stream of gzip. The blocks of any number of events may follow.
var gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}

// serve sends a snapshot every second, until the client leaves or the server shuts down.
func (s *streams) serve(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		w.Header().Set("Retry-After", retryStream)
		http.Error(w, "too many streams: ask for snapshot.json", http.StatusServiceUnavailable)
		return
	}
	defer s.leave()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // a proxy that waits for more would show nothing
	h.Set("Vary", "Accept-Encoding")
	packed := takesGzip(r)
	if packed {
		h.Set("Content-Encoding", "gzip")
	}
	if r.Method == http.MethodHead {
		return
	}
	control := http.NewResponseController(w)
	send := func(text []byte) bool {
		_ = control.SetWriteDeadline(time.Now().Add(writeTime)) // one that cannot has the deadline of its server
		_, err := w.Write(text)
		return err == nil && control.Flush() == nil
	}
	if packed && !send(gzipHeader) {
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		plain, parts := s.event()
		if packed {
			plain = parts
		}
		if !send(plain) {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

func (s *streams) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n == maxStreams {
		return false
	}
	s.n++
	return true
}

func (s *streams) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n--
	if s.n == 0 {
		s.plain, s.parts = nil, nil
	}
}

// event returns the newest event, which is made anew if it is nearly a tick old.
func (s *streams) event() (plain, parts []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.plain != nil && time.Since(s.at) < every*9/10 {
		return s.plain, s.parts
	}
	text, err := json.Marshal(s.page.snapshot())
	if err != nil {
		text = []byte("null")
	}
	var event, packed bytes.Buffer
	event.WriteString("event: snapshot\ndata: ")
	event.Write(text)
	event.WriteString("\n\n")
	blocks, _ := flate.NewWriter(&packed, flate.BestSpeed)
	_, _ = blocks.Write(event.Bytes())
	_ = blocks.Flush()
	s.at, s.plain, s.parts = time.Now(), event.Bytes(), packed.Bytes()
	return s.plain, s.parts
}
