package livepage

import (
	"net/http"
	"sync"
	"time"
)

const (
	maxStreams = 32              // further clients poll snapshot.json
	writeTime  = 5 * time.Second // in which a client must take an event
	retryAfter = "10"            // seconds, for a client that has no stream
)

// gzipHeader begins a stream of gzip. The blocks of any number of events may follow.
var gzipHeader = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}

// streams counts the clients of live/events. The goroutine of its request serves each; there is no
// other.
type streams struct {
	mu sync.Mutex
	n  int
}

// serve sends a snapshot each second until the client leaves or stops reading, or the server shuts
// down.
func (s *streams) serve(w http.ResponseWriter, r *http.Request, e *encoder) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	if r.Method == http.MethodGet {
		if !s.enter() {
			h.Set("Retry-After", retryAfter)
			http.Error(w, "too many streams: ask for snapshot.json", http.StatusServiceUnavailable)
			return
		}
		defer s.leave(e)
	}
	h.Set("Content-Type", "text/event-stream")
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
	send := func(texts ...[]byte) bool {
		_ = control.SetWriteDeadline(time.Now().Add(writeTime)) // if it cannot be set, the server's own deadline holds
		for _, text := range texts {
			if _, err := w.Write(text); err != nil {
				return false
			}
		}
		return control.Flush() == nil
	}
	if packed && !send(gzipHeader) {
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		sent, err := e.now()
		if err != nil {
			return
		}
		text := sent.event
		if packed {
			text = sent.blocks
		}
		if !send(text()) {
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

// leave makes room for another client. After the last client has left, no snapshot is kept.
func (s *streams) leave(e *encoder) {
	s.mu.Lock()
	s.n--
	last := s.n == 0
	s.mu.Unlock()
	if last {
		e.forget()
	}
}
