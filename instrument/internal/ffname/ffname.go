// Package ffname recognizes FFmpeg's programs by their names.
package ffname

import (
	"path/filepath"
	"strings"
)

// Is reports whether path is one of FFmpeg's programs, by the name of its file: ffmpeg, ffprobe or
// ffplay, also with a version or a suffix, such as ffmpeg-7.1 and ffprobe.exe.
func Is(path string) bool {
	name := strings.ToLower(filepath.Base(path))
	for _, program := range []string{"ffmpeg", "ffprobe", "ffplay"} {
		if rest, ok := strings.CutPrefix(name, program); ok && (rest == "" || rest[0] < 'a' || rest[0] > 'z') {
			return true
		}
	}
	return false
}
