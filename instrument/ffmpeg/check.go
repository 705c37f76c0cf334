package ffmpeg

import (
	"context"
	"time"
)

// A Report is what [Check] has read of a file.
type Report struct {
	Result // Time is the end of the stream that ends last; Frames counts packets; Size is 0

	// Streams has one entry for each of the file's streams, at its [Stream.Index], up to the last
	// that has packets. It may be shorter than Info.Streams.
	Streams []StreamReport
}

// Stream returns what was read of the stream with this [Stream.Index]: nothing if there is none.
func (r Report) Stream(index int) StreamReport {
	if index < 0 || index >= len(r.Streams) {
		return StreamReport{}
	}
	return r.Streams[index]
}

// Damaged returns the number of packets, of all streams, that are marked as damaged.
func (r Report) Damaged() (n int64) {
	for _, s := range r.Streams {
		n += s.Damaged
	}
	return n
}

// A StreamReport is what [Check] has read of one stream.
type StreamReport struct {
	Packets int64 // with data; of video most often one a frame
	Damaged int64 // of Packets: those of which the container shows that data is missing or wrong
	Bytes   int64 // of all packets

	// Start is where the first packet begins and End where the last one ends, both 0 if no packet
	// has a time. They are on the clock of -ss and of what ffmpeg writes, on which the file begins
	// at 0: a stream that begins late has a Start above 0, though its [Stream.Start] may be higher.
	// Start may be below 0, if a stream begins with what a player leaves out.
	Start, End time.Duration
}

// Check reads the local media file path to its end: every packet of every stream, without decoding.
// That takes about as long as reading the file. It finds files that are cut off, which [Probe] does
// not notice because their beginning is whole, and how long each stream really is, whatever the
// header states. The input is opened as by [Input].
//
// For a file that is cut off, Check returns an [*Error] of type truncated, if the format records
// where it should end: MP4, MOV, Matroska, WebM, AVI, FLV and WAV do. MPEG-TS, FLAC, MP3 without a
// header and the like do not; such a file is merely shorter. If reading breaks off for another
// reason, the error is of that type, such as io_error. With any error the Report has what was read
// before.
//
// Damaged packets are no error: a broadcast with a lost packet, or two recordings put one behind
// the other, play everywhere. [StreamReport.Damaged] counts them. Streams that ffmpeg does not know
// are read, too; [Stream.Decodable] reports which of them can be decoded.
func Check(ctx context.Context, path string, opts ...Option) (Report, error) {
	c, err := newConfig(opCheck, opts)
	if err != nil {
		return Report{}, err
	}
	packets, res, err := c.read(ctx, path)
	return Report{Result: res, Streams: packets.streams}, err
}

// read reads a file to its end.
func (c *config) read(ctx context.Context, path string) (*packetCounter, Result, error) {
	packets := newPacketCounter()
	c.packets, c.stdout = packets, packets
	c.input = File(path)
	if len(c.protocols) > 0 {
		c.input = path
	}
	// With -copy_unknown no stream is left out, so each has the number that it has in the input.
	args := append([]string{"-copy_unknown"}, inputArgs(path, c.formats, c.protocols)...)
	args = append(args, "-map", "0", "-copyinkf", "-c", "copy", "-f", "framecrc", "pipe:1")
	res, err := c.run(ctx, args, nil)
	return packets, res, err
}
