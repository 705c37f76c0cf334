package exportertest

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// A LogBook keeps log lines. The zero value is ready for use. It is safe for concurrent use.
type LogBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write appends p.
func (b *LogBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// Logger returns a logger to b.
func (b *LogBook) Logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// Lines returns the number of lines that have all of parts.
func (b *LogBook) Lines(parts ...string) int {
	n := 0
line:
	for line := range strings.Lines(b.String()) {
		for _, p := range parts {
			if !strings.Contains(line, p) {
				continue line
			}
		}
		n++
	}
	return n
}

// String returns all lines.
func (b *LogBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
