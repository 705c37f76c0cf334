package ffmpeg

import (
	"context"
	"fmt"
	"time"
)

const (
	maxProbe = 8 << 20 // bytes of ffprobe's answer; a stream takes about 2 KB
	maxTags  = 1024    // of the container, and of each stream
)

// defaultProbeTime bounds a Probe in time. It reads the beginning of a file, and its index.
const defaultProbeTime = time.Minute

// Probe describes the local media file path, which is opened as by [Input]. A file for which it
// succeeds may still be truncated; see [Check]. Values may be missing or wrong; see [Info].
//
// An ffprobe that has not answered after a minute, or the time of [WithStallTimeout], is ended; the
// error is of type stalled. At most 4,096 streams and 1,024 tags of each are described, and an
// answer of more than 8 MiB is an error.
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
	s.log.flush()
	info, err := parseInfo(answer.buf)
	if err != nil {
		return Info{}, s.newError(TypeExit, fmt.Errorf("%s did not answer in JSON: %w", c.binary, err))
	}
	for i := range info.Streams {
		info.Streams[i].Decodable = !s.log.undecodable[info.Streams[i].Index]
	}
	return info, nil
}
