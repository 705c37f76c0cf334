package scrape

import (
	"net/http"
	"sync"
	"time"
)

// A client is a request that waits for an answer or reads one.
type client struct {
	control *http.ResponseController

	// Guarded by shelves.mu.
	body    *body
	moved   time.Time // when it took its last chunk
	cut     bool
	counted bool

	writing sync.Mutex // guards what follows, and the deadline
	left    bool
	stopped bool
}

// stop ends a write that blocks, and those to come. The client may be gone already: then its
// connection may serve another request, and keeps its deadline.
func (c *client) stop() {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.stopped = true
	if !c.left {
		_ = c.control.SetWriteDeadline(time.Unix(1, 0)) // where it is not supported, next ends the answer
	}
}

// extend sets the deadline of the next write, unless c has been stopped.
func (c *client) extend(deadline time.Time) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if !c.stopped {
		_ = c.control.SetWriteDeadline(deadline)
	}
}
