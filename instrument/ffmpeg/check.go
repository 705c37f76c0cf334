package ffmpeg

import "context"

// Check reads the local media file path to its end: every packet of every stream, without decoding.
// That takes about as long as reading the file. It finds files that are cut off or damaged in their
// structure, which [Probe] does not notice because their beginning is whole. The input is opened as
// by [Input].
//
// For a file that is cut off, Check returns an [*Error] of type truncated, if the format records
// where it should end: MP4, MOV, Matroska, WebM, AVI, FLV and WAV do. MPEG-TS, FLAC, MP3 without a
// header and the like do not; such a file is merely shorter.
func Check(ctx context.Context, path string, opts ...Option) (Result, error) {
	c, err := newConfig(opCheck, opts)
	if err != nil {
		return Result{}, err
	}
	args := append([]string{"-xerror"}, inputArgs(path, c.formats, c.protocols)...)
	return c.run(ctx, append(args, "-map", "0", "-c", "copy", "-f", "null", "-"), nil)
}
