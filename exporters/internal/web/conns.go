package web

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of connections.
const (
	maxConns    = 512 // as Prometheus has
	minConns    = 8
	maxStreams  = 250 // requests at a time on a connection of HTTP/2
	windowBytes = 64 << 10
	grace       = 250 * time.Millisecond // in which a connection must have sent a request, if others want its place
	relief      = 50 * time.Millisecond  // between two calls of conns.relieve
)

// connLimit returns how many connections a server may have in a process that may have some file
// descriptors: at most half of them.
func connLimit(descriptors uint64) int { return max(minConns, int(min(maxConns, descriptors/2))) }

// conns are a listener that limits its open connections. Past the limit, a new connection takes the
// place of the one that has been without a request for the longest time: idle, or still sending its
// header. While all have one, relieve makes room, or the new connection waits. Later ones wait in the
// system's queue, where they take no file descriptor.
type conns struct {
	net.Listener
	max     int
	relieve func()        // ends a request whose client does not read the answer, if there is one
	change  chan struct{} // holds a value if Accept should look again

	mu       sync.Mutex
	open     map[*conn]bool
	requests int // under way on open connections
	closed   bool
}

// A conn is a connection of conns.
type conn struct {
	net.Conn
	of *conns

	// Guarded by of.mu.
	waits    bool // for a request
	since    time.Time
	requests int // under way
}

func newConns(l net.Listener, max int, relieve func()) *conns {
	return &conns{Listener: l, max: max, relieve: relieve, change: make(chan struct{}, 1), open: make(map[*conn]bool)}
}

// Accept waits for a connection and for its place. It must not be called at the same time.
func (c *conns) Accept() (net.Conn, error) {
	accepted, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	for {
		fresh, retry := c.place(accepted)
		switch {
		case fresh != nil:
			return fresh, nil
		case retry < 0:
			_ = accepted.Close()
			return nil, net.ErrClosed
		case retry == 0: // no connection waits for a request
			c.relieve()
			retry = relief
		}
		select {
		case <-c.change:
		case <-time.After(retry):
		}
	}
}

// place returns an accepted connection in its place, or the time after which to try again: 0 if no
// place will be free by then on its own, less than 0 for never.
func (c *conns) place(accepted net.Conn) (fresh net.Conn, retry time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, -1
	}
	if len(c.open) >= c.max {
		oldest := c.oldest()
		if oldest == nil {
			return nil, 0
		}
		if age := time.Since(oldest.since); age < grace {
			return nil, grace - age
		}
		c.remove(oldest)
	}
	placed := &conn{Conn: accepted, of: c, waits: true, since: time.Now()}
	c.open[placed] = true
	return placed, 0
}

// changed makes Accept look again.
func (c *conns) changed() {
	select {
	case c.change <- struct{}{}:
	default:
	}
}

// oldest returns the connection that has waited for a request for the longest time, or nil.
func (c *conns) oldest() (oldest *conn) {
	for o := range c.open {
		if o.waits && (oldest == nil || o.since.Before(oldest.since)) {
			oldest = o
		}
	}
	return oldest
}

// Close closes the listener. It leaves the connections open.
func (c *conns) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.changed()
	return c.Listener.Close()
}

// Close closes the connection and makes room for another.
func (c *conn) Close() error {
	err := c.Conn.Close()
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.of.forget(c)
	return err
}

// connOf returns nc, or what is under its TLS; nil if that is not a *conn.
func connOf(nc net.Conn) *conn {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	c, _ := nc.(*conn)
	return c
}

// state follows a connection. It is the server's http.Server.ConnState, which learns of a request
// when its header is complete.
func (c *conns) state(nc net.Conn, state http.ConnState) {
	conn := connOf(nc)
	if conn == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	waits := state == http.StateNew || state == http.StateIdle
	if waits && !conn.waits {
		conn.since = time.Now()
		c.changed()
	}
	conn.waits = waits
}
