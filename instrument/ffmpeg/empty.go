package ffmpeg

import (
	"context"
	"os"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/stagemeter/stagemeter/instrument"
)

// An output that is smaller or shorter than this may hold nothing but headers.
const (
	smallOutput = 64 << 10
	shortOutput = time.Second
)

// readTime bounds the look at an output that may be empty.
const readTime = 30 * time.Second

// isEmpty reports whether the output holds no media. Its size does not tell: many formats write
// headers, indices and pictures all the same. Nor does ffmpeg's progress, which counts the frames
// and the time of all outputs together. So an output that is small or short is read. If it is of a
// format that is not read, or ctx ends meanwhile, it counts as written: -abort_on empty_output has
// seen a packet.
func (s *session) isEmpty(ctx context.Context, c *config) bool {
	info, err := os.Stat(s.out.temp)
	if err != nil || info.Size() == 0 || info.Size() >= smallOutput && s.meter.now.Time >= shortOutput {
		return false // publish finds the former two
	}
	reading := config{op: opCheck, binary: c.binary, grace: c.grace, stall: readTime, quiet: true}
	// The span is that of the run: it has its exit code.
	ctx = trace.ContextWithSpan(ctx, trace.SpanFromContext(context.Background()))
	packets, _, err := reading.read(ctx, s.out.temp)
	if t := instrument.ErrorType(err); t != "" && t != TypeTruncated && t != TypeMissingStream {
		return false // not a format that can be read, such as a picture's: ffmpeg has counted its packets
	}
	return packets.onlyHeaders()
}

// onlyHeaders reports whether the file has no packet, or sound of which there is none beside a
// picture, such as a cover.
func (p *packetCounter) onlyHeaders() bool {
	if p.count("") == 0 {
		return true
	}
	return slices.Contains(p.kinds, "audio") && p.count("audio")+p.count("subtitle") == 0 && p.count("video") <= 1
}

// count returns the number of packets of a kind, or of all kinds for "".
func (p *packetCounter) count(kind string) (n int64) {
	for i, s := range p.streams {
		if kind == "" || p.kinds[i] == kind {
			n += s.Packets
		}
	}
	return n
}
