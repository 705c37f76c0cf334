//go:build unix

package testserver

import (
	"net"
	"os/exec"
)

// Redis starts a redis-server that keeps nothing on disk, and returns its URL: "redis://127.0.0.1:PORT".
func Redis(t T) (url string) {
	t.Helper()
	addr := FreeAddr(t)
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatalf("redis-server: %v", err)
	}
	cmd := exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", t.TempDir(), "--save", "", "--appendonly", "no")
	Start(t, "redis-server", cmd).WaitReady(t, Listening(addr))
	return "redis://" + addr
}
