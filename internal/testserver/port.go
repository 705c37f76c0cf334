package testserver

import (
	"context"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// given are the ports that this process has handed out: their servers may not listen yet.
var given sync.Map

// FreeAddr is an address of 127.0.0.1 on which nothing listens, for a server that has to be told its port. It returns
// none twice.
//
// The port is below those that systems hand out by themselves (32768 and up on Linux), so that no outgoing
// connection takes it before the server does.
func FreeAddr(t testing.TB) string {
	t.Helper()
	const first, last, tries = 20000, 32000, 100
	var err error
	for range tries {
		port := strconv.Itoa(first + rand.IntN(last-first))
		if _, before := given.LoadOrStore(port, true); before {
			continue
		}
		addr := net.JoinHostPort("127.0.0.1", port)
		var l net.Listener
		if l, err = net.Listen("tcp", addr); err == nil {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			return addr
		}
	}
	t.Fatalf("no free port among %d tried: %v", tries, err)
	return ""
}

// Listening is a ready function for [Process.WaitReady]: something accepts connections on addr.
func Listening(addr string) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}
