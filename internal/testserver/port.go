package testserver

import (
	"context"
	"math/rand/v2"
	"net"
	"strconv"
)

// FreeAddr returns an address of 127.0.0.1 on which nothing listens, for a server that has to be told its port. Until
// the test ends, no other call returns it, neither in this process nor in another.
//
// The port is below those that systems hand out by themselves (32768 and up on Linux), so that no outgoing
// connection takes it before the server does.
func FreeAddr(t T) string {
	t.Helper()
	const first, last, tries = 20000, 32000, 100
	var err error
	for range tries {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(first+rand.IntN(last-first)))
		// The port's UDP side, which no server here uses, marks the TCP side as given away.
		var mark net.PacketConn
		if mark, err = net.ListenPacket("udp", addr); err != nil {
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp", addr); err == nil {
			err = l.Close()
		}
		if err == nil {
			t.Cleanup(func() { _ = mark.Close() })
			return addr
		}
		_ = mark.Close()
	}
	t.Fatalf("no free port among %d tried: %v", tries, err)
	return ""
}

// Listening returns a ready function for [Process.WaitReady]: it returns nil once something accepts connections on
// addr.
func Listening(addr string) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}
