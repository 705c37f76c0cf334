package exporters

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// encodings of an answer, those that are liked better last.
var encodings = []string{identity, "gzip", "zstd"}

const identity = "identity"

// acceptedEncoding returns the one of encodings that the client names with the
// highest quality.
func acceptedEncoding(h http.Header) string {
	best, quality := identity, 0.0
	for item := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		name, params, _ := strings.Cut(item, ";")
		params, _, _ = strings.Cut(params, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		q := 1.0
		if v, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(params)), "q="); ok {
			q, _ = strconv.ParseFloat(v, 64) // 0, which is never, for what is no number
		}
		liked := slices.Index(encodings, name)
		if liked >= 0 && (q > quality || q == quality && liked > slices.Index(encodings, best)) && q > 0 {
			best, quality = name, q
		}
	}
	return best
}

// A compressor keeps its writers: each has a megabyte or so of state. They
// compress at the fastest level. A scrape is read once, mostly from a host
// nearby: of 7 MB the default level of gzip takes another 4 % away, in ten times
// the time that it takes to collect and write them.
type compressor struct {
	gzip  *gzip.Writer
	zstd  *zstd.Encoder
	relay relay
}

// write has print write to w what is compressed on the way.
func (c *compressor) write(encoding string, w io.Writer, print func(io.Writer) error) error {
	switch encoding {
	case "gzip":
		if c.gzip == nil {
			c.gzip, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // fails for a level that doesn't exist
		}
		c.gzip.Reset(w)
		return c.relay.run(c.gzip, print)
	case "zstd":
		if c.zstd == nil {
			c.zstd, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), // fails for options that don't exist
				zstd.WithEncoderConcurrency(1)) // without goroutines of its own: the relay has one
		}
		c.zstd.Reset(w)
		return c.relay.run(c.zstd, print)
	default:
		return print(w)
	}
}
