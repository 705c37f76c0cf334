package web

import (
	"context"
	"net"
	"net/http"
)

// perConn is how many requests may be under way for each connection that a server may have.
const perConn = 2

// connKey is the context key of a request's *conn.
type connKey struct{}

// context adds nc to the context of its requests. It is the server's http.Server.ConnContext.
func (c *conns) context(ctx context.Context, nc net.Conn) context.Context {
	if conn := connOf(nc); conn != nil {
		return context.WithValue(ctx, connKey{}, conn)
	}
	return ctx
}

// limited bounds the requests that are under way on all connections. Over HTTP/2 a connection may
// have many, each with its memory, and a client that grants no room for the answers keeps them all.
// Past the limit, the connection with the most requests is closed.
func (c *conns) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if conn, ok := r.Context().Value(connKey{}).(*conn); ok {
			c.enter(conn)
			defer c.leave(conn)
		}
		next.ServeHTTP(w, r)
		if r.ProtoMajor == 2 {
			_ = http.NewResponseController(w).Flush() // net/http would wait for the client after leave
		}
	})
}

// enter counts a request on a connection.
func (c *conns) enter(conn *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.open[conn] {
		return
	}
	conn.requests++
	c.requests++
	if c.requests > perConn*c.max {
		c.remove(c.busiest())
	}
}

// leave ends what enter began.
func (c *conns) leave(conn *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[conn] {
		conn.requests--
		c.requests--
	}
}

// busiest returns the connection with the most requests. The caller has c.mu.
func (c *conns) busiest() (busiest *conn) {
	for o := range c.open {
		if busiest == nil || o.requests > busiest.requests {
			busiest = o
		}
	}
	return busiest
}

// remove closes a connection, which no longer counts. The caller has c.mu.
func (c *conns) remove(conn *conn) {
	c.forget(conn)
	_ = conn.Conn.Close() // does not block: nothing sets SO_LINGER
}

// forget takes a connection and its requests out of the count. The caller has c.mu.
func (c *conns) forget(conn *conn) {
	if c.open[conn] {
		delete(c.open, conn)
		c.requests -= conn.requests
		c.changed()
	}
}
