package ffmpeg

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

// drainTime is how long a tap waits for more bytes after the process has ended. All bytes of the
// process are in the pipe by then. A tap waits only if another process has left the group and kept
// the pipe open.
const drainTime = 200 * time.Millisecond

// A tap reads the pipe that a process writes to, on a goroutine of its own that ends with the
// process.
type tap struct {
	r, w  *os.File
	done  chan struct{}
	ended atomic.Bool
}

func newTap() (*tap, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &tap{r: r, w: w, done: make(chan struct{})}, nil
}

// drop closes a tap whose process did not start. It is safe on nil.
func (t *tap) drop() {
	if t != nil {
		_ = t.r.Close()
		_ = t.w.Close()
	}
}

// start copies the pipe to dst, which must not fail. The process must have started.
func (t *tap) start(dst io.Writer) {
	_ = t.w.Close()
	go func() {
		defer close(t.done)
		defer func() { _ = t.r.Close() }() // if dst ends the goroutine, the process must not wait for a reader
		buf := make([]byte, 32<<10)
		for wait := drainTime; ; {
			began, ended := time.Now(), t.ended.Load()
			if ended {
				_ = t.r.SetReadDeadline(began.Add(wait))
			}
			n, err := t.r.Read(buf)
			if ended { // the sum of all waits: a process that has left the group may write for ever
				wait -= time.Since(began)
			}
			_, _ = dst.Write(buf[:n])
			if err != nil {
				return
			}
		}
	}()
}

// finish returns when everything that the process wrote is copied. The process must have ended.
func (t *tap) finish() {
	t.ended.Store(true)
	if t.r.SetReadDeadline(time.Now().Add(drainTime)) != nil {
		// Pipes have no deadlines on this system.
		select {
		case <-t.done:
		case <-time.After(drainTime):
			_ = t.r.Close()
		}
	}
	<-t.done
}

// A guard is between a tap and a caller's writer. If that fails or panics, failed is called, and
// the rest is discarded so that the process does not block.
type guard struct {
	w      io.Writer
	failed func(error)
	err    error
}

func (g *guard) Write(p []byte) (int, error) {
	if g.err != nil || len(p) == 0 {
		return len(p), nil
	}
	if g.err = g.write(p); g.err != nil {
		g.failed(g.err)
	}
	return len(p), nil
}

func (g *guard) write(p []byte) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &instrument.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	n, err := g.w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return err
}

var errTooLong = errors.New("the answer is too long")

// A limitedBuffer fails when it would exceed max bytes.
type limitedBuffer struct {
	max int
	buf []byte
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if len(p) > b.max-len(b.buf) {
		return 0, fmt.Errorf("%w: more than %d bytes", errTooLong, b.max)
	}
	b.buf = append(b.buf, p...)
	return len(p), nil
}
