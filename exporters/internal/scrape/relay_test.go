package scrape

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
)

// A chunkWriter calls write with the number of each chunk.
type chunkWriter struct {
	got    []string
	write  func(chunk int) error
	closed bool
}

func (w *chunkWriter) Write(p []byte) (int, error) {
	w.got = append(w.got, string(p))
	if w.write == nil {
		return len(p), nil
	}
	return len(p), w.write(len(w.got) - 1)
}

func (w *chunkWriter) Close() error {
	w.closed = true
	return nil
}

// printing reuses one buffer for its chunks, as an exposition does.
func printing(chunks int) func(io.Writer) error {
	return func(w io.Writer) error {
		var buf []byte
		for i := range chunks {
			buf = fmt.Appendf(buf[:0], "chunk %d", i)
			if n, err := w.Write(buf); n != len(buf) || err != nil {
				return fmt.Errorf("%d, %w", n, err)
			}
		}
		return nil
	}
}

// In a bubble, a goroutine that is left behind or waits for ever is a failure.

func TestRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r relay
		for _, chunks := range []int{0, 1, 2, 3, 100, 1} {
			w := &chunkWriter{}
			if err := r.run(w, printing(chunks)); err != nil || len(w.got) != chunks || !w.closed {
				t.Fatalf("%d chunks: %d, closed: %v, %v", chunks, len(w.got), w.closed, err)
			}
			for i, chunk := range w.got {
				if chunk != fmt.Sprintf("chunk %d", i) {
					t.Errorf("%d is %q", i, chunk)
				}
			}
		}
	})
}

// The next chunk is printed while the last one is compressed.
func TestRelayWorksAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r relay
		second := make(chan struct{})
		w := &chunkWriter{write: func(chunk int) error {
			if chunk == 0 {
				<-second
			}
			return nil
		}}
		err := r.run(w, func(w io.Writer) error {
			_, err := io.WriteString(w, "first")
			close(second)
			_, err2 := io.WriteString(w, "second")
			return errors.Join(err, err2)
		})
		if err != nil || strings.Join(w.got, " ") != "first second" {
			t.Errorf("%q, %v", w.got, err)
		}
	})
}

func TestRelayFails(t *testing.T) {
	broken := errors.New("broken")
	for name, write := range map[string]func(chunk int) error{
		"error":           func(int) error { return broken },
		"panic":           func(int) error { panic(broken) },
		"panic with text": func(int) error { panic("broken") },
		"a later error": func(chunk int) error {
			if chunk < 2 {
				return nil
			}
			return broken
		},
		"a later panic": func(chunk int) error {
			if chunk < 2 {
				return nil
			}
			panic(broken)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var r relay
				err := r.run(&chunkWriter{write: write}, printing(50))
				if err == nil || !strings.Contains(err.Error(), "broken") {
					t.Errorf("%v", err)
				}
			})
		})
	}
	t.Run("both", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var r relay
			other := errors.New("other")
			w := &chunkWriter{write: func(int) error { return broken }}
			err := r.run(w, func(w io.Writer) error { return errors.Join(printing(3)(w), other) })
			if !errors.Is(err, broken) || !errors.Is(err, other) {
				t.Errorf("%v", err)
			}
		})
	})
}

// A panic of print reaches the caller, and leaves no goroutine behind.
func TestRelayOfAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r relay
		w := &chunkWriter{}
		func() {
			defer func() {
				if v := recover(); v != "printer" {
					t.Errorf("recovered %v", v)
				}
			}()
			_ = r.run(w, func(w io.Writer) error {
				_, _ = io.WriteString(w, "first")
				panic("printer")
			})
			t.Error("returned")
		}()
		if !w.closed {
			t.Error("still open")
		}
	})
}
