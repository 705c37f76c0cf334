//go:build unix

package ffmpeg_test

import (
	"path/filepath"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/ffmpeg"
)

// Formats write headers, pictures and indices without any media, and an encoder may end with a packet that has no data.
func TestOutputWithoutMediaIsEmpty(t *testing.T) {
	sound := args("-f", "lavfi", "-i", "sine=d=1")
	none := args(sound, "-af", "atrim=start=5")
	subtitles := write(t, "a.srt", "1\n00:00:00,000 --> 00:00:01,000\nhello\n")
	cover := made("cover.m4a", "-i", clip(), "-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-map", "0:a", "-map", "1:v", "-c:a", "copy",
		"-c:v", "mjpeg", "-frames:v", "1", "-disposition:v", "attached_pic")()
	other := filepath.Join(t.TempDir(), "other.mp4")
	tests := map[string]struct {
		out  string
		args []string
		want bool // it is an output
	}{
		"FLAC without a sample":                {out: "a.flac", args: none},
		"FLAC in Matroska":                     {out: "a.mka", args: args(none, "-c:a", "flac")},
		"FLAC in Ogg":                          {out: "a.ogg", args: args(none, "-c:a", "flac")},
		"FLAC in MP4":                          {out: "a.mp4", args: args(none, "-c:a", "flac", "-strict", "-2")},
		"FLAC in AVI":                          {out: "a.avi", args: args(none, "-c:a", "flac")},
		"WavPack":                              {out: "a.wv", args: none},
		"WAV":                                  {out: "a.wav", args: none},
		"AIFF":                                 {out: "a.aiff", args: none},
		"CAF":                                  {out: "a.caf", args: none},
		"ADTS":                                 {out: "a.aac", args: none},
		"a cover and no sound":                 {out: "a.flac", args: args("-i", cover, "-map", "0", "-c:v", "copy", "-af", "atrim=start=50", "-disposition:v", "attached_pic")},
		"a copy of nothing":                    {out: "a.mkv", args: args("-i", clip(), "-an", "-c", "copy", "-t", "0")},
		"the second output, not the first":     {out: "a.flac", args: args("-i", clip(), "-map", "0:v", "-c", "copy", "-y", other, "-map", "0:a", "-af", "atrim=start=50")},
		"the second output, of another format": {out: "a.wav", args: args("-i", clip(), "-map", "0:v", "-c", "copy", "-y", other+".mp4", "-map", "0:a", "-af", "atrim=start=50")},

		"50 ms of FLAC":      {out: "a.flac", args: args(sound, "-t", "0.05"), want: true},
		"50 ms of WavPack":   {out: "a.wv", args: args(sound, "-t", "0.05"), want: true},
		"50 ms of no format": {out: "a.pcm", args: args(sound, "-t", "0.05", "-f", "s16le"), want: true},
		"a cover with sound": {out: "a.flac", args: args("-i", cover, "-map", "0", "-c:v", "copy", "-t", "0.2", "-disposition:v", "attached_pic"), want: true},
		"one frame":          {out: "a.mp4", args: args("-i", clip(), "-an", "-frames:v", "1"), want: true},
		"a picture":          {out: "a.png", args: args("-i", clip(), "-frames:v", "1"), want: true},
		"subtitles":          {out: "a.vtt", args: args("-i", subtitles), want: true},
		"subtitles in MP4":   {out: "a.mp4", args: args("-i", subtitles, "-c:s", "mov_text"), want: true},
		"a checksum":         {out: "a.md5", args: args(sound, "-f", "md5"), want: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			_, err := ffmpeg.Run(t.Context(), tt.args, ffmpeg.WithOutput(filepath.Join(dir, tt.out)))
			if tt.want {
				if err != nil {
					t.Fatal(err)
				}
				wantFiles(t, dir, tt.out)
				return
			}
			wantType(t, err, ffmpeg.TypeEmptyOutput)
			wantFiles(t, dir)
		})
	}
}
