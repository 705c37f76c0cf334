//go:build unix

package testserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRedisAnswers(t *testing.T) {
	u, err := url.Parse(Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		t.Fatal(err)
	}
	if got, err := bufio.NewReader(conn).ReadString('\n'); got != "+PONG\r\n" {
		t.Errorf("PING answered %q, %v", got, err)
	}
}

func TestPostgresAnswers(t *testing.T) {
	url := Postgres(t)
	out, err := exec.Command(filepath.Join(postgresPrograms(t), "psql"), url, "-tAc", "select 6*7").CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != "42" {
		t.Errorf("psql %s answered %q, %v", url, got, err)
	}
}

// Two servers that have not started yet must not be told the same port, whichever process they belong to.
func TestFreeAddrReservesItsPort(t *testing.T) {
	seen := make(map[string]bool)
	t.Run("until the test ends", func(t *testing.T) {
		for range 50 {
			addr := FreeAddr(t)
			if seen[addr] {
				t.Errorf("%s was returned twice", addr)
			}
			seen[addr] = true
			if mark, err := net.ListenPacket("udp", addr); err == nil {
				_ = mark.Close()
				t.Errorf("%s is not marked for other processes", addr)
			}
			l, err := net.Listen("tcp", addr)
			if err != nil {
				t.Fatalf("%s is not free: %v", addr, err)
			}
			_ = l.Close()
		}
	})
	for addr := range seen {
		mark, err := net.ListenPacket("udp", addr)
		if err != nil {
			t.Errorf("%s is still marked after the test: %v", addr, err)
			continue
		}
		_ = mark.Close()
	}
}

// What a program leaves behind in its process group must not outlive the test.
func TestStartEndsTheWholeGroup(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	t.Run("with a grandchild", func(t *testing.T) {
		cmd := exec.Command("sh", "-c", "sleep 1000 & echo started; wait")
		cmd.ExtraFiles = []*os.File{w} // held open by the shell and by sleep
		p := Start(t, "sh", cmd)
		p.WaitReady(t, contains(p, "started"))
	})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.SetReadDeadline(time.Now().Add(stopWithin)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); err != nil {
		t.Errorf("something of the group still holds the pipe after the test: %v", err)
	}
}

func TestOutputOfALongRunIsItsEnd(t *testing.T) {
	var log logBuffer
	for range 3 {
		if _, err := log.Write([]byte(strings.Repeat("x", keepBytes/2))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := log.Write([]byte("\nlast words\n")); err != nil {
		t.Fatal(err)
	}
	if got := log.String(); len(got) != keepBytes || !strings.HasSuffix(log.tail(), "last words") {
		t.Errorf("kept %d bytes, want %d, ending in the last line", len(got), keepBytes)
	}
}

// contains is ready when the process has written text.
func contains(p *Process, text string) func(context.Context) error {
	return func(context.Context) error {
		if !strings.Contains(p.Output(), text) {
			return fmt.Errorf("no %q in its output", text)
		}
		return nil
	}
}
