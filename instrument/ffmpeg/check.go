package ffmpeg

import "context"

// Check reads the local media file path to its end: every packet of every stream, without decoding them, which takes
// about as long as reading the file does. It finds files that are cut off or damaged in their structure, of which [Probe]
// sees nothing because their beginning is whole. The input is opened as by [Input].
//
// A file that is cut off is an [*Error] of type truncated: MP4, MOV, Matroska, WebM, AVI, FLV and WAV know where they
// should end. MPEG-TS, FLAC, MP3 without a header and the like do not, and are then merely shorter.
func Check(ctx context.Context, path string, opts ...Option) (Result, error) {
	c, err := newConfig(opCheck, opts)
	if err != nil {
		return Result{}, err
	}
	args := append([]string{"-xerror"}, inputArgs(path, c.formats, c.protocols)...)
	return c.run(ctx, append(args, "-map", "0", "-c", "copy", "-f", "null", "-"), nil)
}
