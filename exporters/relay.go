package exporters

import (
	"errors"
	"io"
)

// A relay has two goroutines at work on an answer: one prints the next chunk
// while the other compresses the last, which takes as long or longer. The zero
// value is ready for use. It is not safe for concurrent use.
type relay struct {
	spare chan []byte // the chunks that nobody works on: two in all
}

// run has print write to w, and closes w. It ends when both have, also when
// print panics, and returns the errors of both. After an error or a panic of w
// the rest goes nowhere, w stays open, and the relay is of no more use.
func (r *relay) run(w io.WriteCloser, print func(io.Writer) error) (err error) {
	if r.spare == nil {
		r.spare = make(chan []byte, 2)
		r.spare <- nil
		r.spare <- nil
	}
	chunks, passed := make(chan []byte), make(chan error, 1)
	go func() { passed <- r.pass(w, chunks) }() // ends when chunks is closed, which is before run does
	defer func() {
		close(chunks)
		err = errors.Join(err, <-passed)
	}()
	return print(chunker{r.spare, chunks})
}

// pass writes chunks to w, and closes it. A panic here would end the process.
func (r *relay) pass(w io.WriteCloser, chunks <-chan []byte) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked("the compressor", v) // one chunk is lost, and the other is enough
		}
		for chunk := range chunks { // after an error: print must not wait
			r.spare <- chunk
		}
	}()
	for chunk := range chunks {
		_, err := w.Write(chunk)
		r.spare <- chunk
		if err != nil {
			return err
		}
	}
	return w.Close()
}

// A chunker gives away a copy of what is written to it.
type chunker struct {
	spare  <-chan []byte
	chunks chan<- []byte
}

func (c chunker) Write(p []byte) (int, error) {
	c.chunks <- append((<-c.spare)[:0], p...)
	return len(p), nil
}
