package ffmpeg

import (
	"context"
	"fmt"
)

// maxProbe bounds the output of ffprobe, in bytes. A stream takes about 2 KB.
const maxProbe = 16 << 20

// Probe describes the local media file path, which is opened as by [Input]. A file for which it
// succeeds may still be truncated; see [Check]. Values may be missing or wrong; see [Info].
func Probe(ctx context.Context, path string, opts ...Option) (Info, error) {
	c, err := newConfig(opProbe, opts)
	if err != nil {
		return Info{}, err
	}
	answer := limitedBuffer{max: maxProbe}
	c.stdout = &answer
	s := newSession(ctx, &c, nil)
	args := []string{"-hide_banner", "-loglevel", "level+warning", "-print_format", "json", "-show_format", "-show_streams"}
	args = append(args, inputArgs(path, c.formats, c.protocols)...)
	s.exit = s.process(&c, args).run(orBackground(ctx))
	if err := s.failure(); err != nil {
		return Info{}, err
	}
	info, err := parseInfo(answer.buf)
	if err != nil {
		return Info{}, s.newError(TypeExit, fmt.Errorf("%s did not answer in JSON: %w", c.binary, err))
	}
	return info, nil
}
