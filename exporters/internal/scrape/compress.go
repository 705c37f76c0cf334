package scrape

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/stagemeter/stagemeter/exporters/internal/report"
)

// encodings of an answer, the preferred ones last.
var encodings = []string{identity, "gzip", "zstd"}

const identity = "identity"

// acceptedEncoding returns the one of offers, which begin as encodings do, to which the client gives
// the highest quality.
func acceptedEncoding(h http.Header, offers []string) string {
	best, quality := identity, 0.0
	for item := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		name, params, _ := strings.Cut(item, ";")
		params, _, _ = strings.Cut(params, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		q := 1.0
		if v, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(params)), "q="); ok {
			q, _ = strconv.ParseFloat(v, 64) // 0, never, if v is not a number
		}
		rank := slices.Index(offers, name)
		if rank >= 0 && (q > quality || q == quality && rank > slices.Index(offers, best)) && q > 0 {
			best, quality = name, q
		}
	}
	return best
}

// A compressor keeps its writers, each of which has about a megabyte of state. They compress at the
// fastest level. A scrape is read once, mostly by a host nearby: the default level of gzip makes an
// answer of 7 MB another 4 % smaller, and takes ten times as long as collecting and printing it.
type compressor struct {
	gzip  *gzip.Writer
	zstd  *zstd.Encoder
	relay relay
}

// write calls print with a writer that compresses to w.
func (c *compressor) write(encoding string, w io.Writer, print func(io.Writer) error) error {
	switch encoding {
	case "gzip":
		if c.gzip == nil {
			c.gzip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // fails only for an unknown level
		}
		c.gzip.Reset(w)
		return c.relay.run(c.gzip, print)
	case "zstd":
		if c.zstd == nil {
			c.zstd, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), // fails only for unknown options
				zstd.WithEncoderConcurrency(1)) // no goroutines: the relay has one
		}
		c.zstd.Reset(w)
		return c.relay.run(c.zstd, print)
	default:
		return print(w)
	}
}

// A relay uses two goroutines for an answer: one prints the next chunk while the other compresses
// the last one, which takes as long or longer. The zero value is ready for use. It is not safe for
// concurrent use.
type relay struct {
	spare chan []byte // the chunks, of two, that are not in use
}

// run calls print with a writer that copies to w, and closes w. It returns when both have ended,
// even if print panics, with the errors of both. After an error or a panic of w the rest is
// dropped, w stays open, and the relay must not be used again.
func (r *relay) run(w io.WriteCloser, print func(io.Writer) error) (err error) {
	if r.spare == nil {
		r.spare = make(chan []byte, 2)
		r.spare <- nil
		r.spare <- nil
	}
	chunks, passed := make(chan []byte), make(chan error, 1)
	go func() { passed <- r.pass(w, chunks) }() // ends when chunks is closed, before run returns
	defer func() {
		close(chunks)
		err = errors.Join(err, <-passed)
	}()
	return print(chunker{r.spare, chunks})
}

// pass writes chunks to w and closes it. It recovers from a panic, which would end the process.
func (r *relay) pass(w io.WriteCloser, chunks <-chan []byte) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = report.Panicked("the compressor", v) // one chunk is lost; the other one is enough
		}
		for chunk := range chunks { // after an error print must not block
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

// A chunker sends copies of what is written to it to chunks.
type chunker struct {
	spare  <-chan []byte
	chunks chan<- []byte
}

func (c chunker) Write(p []byte) (int, error) {
	c.chunks <- append((<-c.spare)[:0], p...)
	return len(p), nil
}
