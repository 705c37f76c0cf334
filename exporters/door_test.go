package exporters

import (
	"net"
	"sync"
	"testing"
)

// A door listens on an address for a whole test, also while the receiver behind it is down. So no
// other program can take the address meanwhile. A connection that nobody is behind the door for is
// closed at once.
type door struct {
	outer net.Listener
	done  chan struct{}

	mu   sync.Mutex
	room *room // nil: nobody is behind the door
}

// A room is the listener of one receiver behind a door.
type room struct {
	addr  net.Addr
	conns chan net.Conn
	left  chan struct{} // closed by leave
	leave func()
}

// newDoor listens on a free port of 127.0.0.1.
func newDoor(t *testing.T) *door {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{outer: l, done: make(chan struct{})}
	go d.run()
	t.Cleanup(func() { l.Close(); <-d.done })
	return d
}

// run hands connections to the room until the outer listener is closed.
func (d *door) run() {
	defer close(d.done)
	for {
		c, err := d.outer.Accept()
		if err != nil {
			return
		}
		d.mu.Lock()
		r := d.room
		d.mu.Unlock()
		if r == nil {
			c.Close()
			continue
		}
		select {
		case r.conns <- c:
		case <-r.left:
			c.Close()
		}
	}
}

// open returns a listener that gets the connections from now on.
func (d *door) open() net.Listener {
	left := make(chan struct{})
	r := &room{addr: d.outer.Addr(), conns: make(chan net.Conn), left: left, leave: sync.OnceFunc(func() { close(left) })}
	d.mu.Lock()
	d.room = r
	d.mu.Unlock()
	return r
}

// close makes the door close connections from now on.
func (d *door) close() {
	d.mu.Lock()
	d.room = nil
	d.mu.Unlock()
}

// Accept waits for a connection.
func (r *room) Accept() (net.Conn, error) {
	select {
	case c := <-r.conns:
		return c, nil
	case <-r.left:
		return nil, net.ErrClosed
	}
}

func (r *room) Close() error   { r.leave(); return nil }
func (r *room) Addr() net.Addr { return r.addr }
