package aihttp

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
)

const (
	maxPacked   = 1 << 20  // bytes of a compressed answer that are kept
	maxUnpacked = 64 << 20 // bytes that they may become
)

// packed is a compressed answer, which a client gets that has asked for one by itself. It is read
// when it is whole.
type packed struct {
	coding string
	text   []byte
	big    bool
}

func (k *packed) take(p []byte) {
	if k.big = k.big || len(k.text)+len(p) > maxPacked; k.big {
		k.text = nil
		return
	}
	k.text = append(k.text, p...)
}

// open gives what is in it to parse, and returns why it could not, or "". A part of an answer that
// was cut off is given, too.
func (k *packed) open(parse func([]byte)) string {
	if k.big {
		return reasonTooLarge
	}
	var r io.Reader
	var err error
	switch strings.ToLower(strings.TrimSpace(k.coding)) {
	case "gzip", "x-gzip":
		r, err = gzip.NewReader(bytes.NewReader(k.text))
	case "deflate": // with zlib's head, or without one as some servers send it
		if r, err = zlib.NewReader(bytes.NewReader(k.text)); err != nil {
			r, err = flate.NewReader(bytes.NewReader(k.text)), nil
		}
	case "identity":
		r = bytes.NewReader(k.text)
	default:
		return reasonEncoding
	}
	if err != nil {
		return reasonMalformed
	}
	piece := make([]byte, 32<<10)
	for left := maxUnpacked; ; {
		n, err := r.Read(piece)
		parse(piece[:n])
		if left -= n; left < 0 {
			return reasonTooLarge
		}
		if err != nil {
			return ""
		}
	}
}
