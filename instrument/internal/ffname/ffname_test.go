package ffname

import "testing"

func TestIs(t *testing.T) {
	for path, want := range map[string]bool{
		"ffmpeg": true, "/usr/bin/ffprobe": true, "ffplay": true, "FFmpeg": true, "/opt/ffmpeg-7.1": true, "ffmpeg6": true,
		"ffmpeg_static": true, "ffprobe.exe": true,
		"sh": false, "sox": false, "ffmpegthumbnailer": false, "my-ffmpeg": false, "ff": false, "": false, "/ffmpeg/sh": false,
	} {
		if got := Is(path); got != want {
			t.Errorf("Is(%q) = %v, want %v", path, got, want)
		}
	}
}
