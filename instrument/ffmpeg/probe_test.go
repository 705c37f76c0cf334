//go:build unix

package ffmpeg_test

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/ffmpeg"
)

func TestProbe(t *testing.T) {
	info, err := ffmpeg.Probe(t.Context(), clip())
	if err != nil {
		t.Fatal(err)
	}
	if info.Format.Name != "mov,mp4,m4a,3gp,3g2,mj2" || info.Duration() != 4*time.Second || info.Format.BitRate == 0 || info.Format.Size == 0 {
		t.Errorf("format: %+v", info.Format)
	}
	v, ok := info.Video()
	if !ok || v.Codec != "h264" || v.Width != 160 || v.Height != 120 || v.FrameRate != 25 || v.Frames != 100 || v.PixelFormat != "yuv420p" ||
		v.Duration != 4*time.Second || !v.Default || v.Rotation != 0 || v.Language != "und" {
		t.Errorf("video: %+v", v)
	}
	a, ok := info.Audio()
	if !ok || a.Index != 1 || a.Codec != "aac" || a.SampleRate != 44100 || a.Channels != 1 || a.ChannelLayout != "mono" || a.SampleFormat != "fltp" {
		t.Errorf("audio: %+v", a)
	}
}

func TestProbeFindsTheStreamsThatCount(t *testing.T) {
	path := made("many.mkv", "-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-f", "lavfi", "-i", "sine=d=1", "-f", "lavfi", "-i", "sine=f=800:d=1",
		"-map", "0:v", "-map", "1:a", "-map", "2:a", "-metadata:s:a:1", "language=deu", "-disposition:a:0", "0", "-disposition:a:1", "default",
		"-c:v", "mpeg4", "-c:a", "flac")()
	info, err := ffmpeg.Probe(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if a, ok := info.Audio(); !ok || a.Language != "deu" || len(info.Of("audio")) != 2 {
		t.Errorf("of two sound tracks the second is the default one: %+v", a)
	}
	if v, _ := info.Video(); v.Duration != time.Second {
		t.Errorf("Matroska tells a stream's length in a tag: %+v", v)
	}

	cover := made("cover.m4a", "-i", clip(), "-f", "lavfi", "-i", "testsrc2=s=64x64:d=1", "-map", "0:a", "-map", "1:v", "-c:a", "copy",
		"-c:v", "mjpeg", "-frames:v", "1", "-disposition:v", "attached_pic")()
	if info, err = ffmpeg.Probe(t.Context(), cover); err != nil {
		t.Fatal(err)
	}
	if v, ok := info.Video(); ok || len(info.Streams) != 2 {
		t.Errorf("a cover is no video: %+v", v)
	}
	if _, ok := (ffmpeg.Info{}).Audio(); ok {
		t.Error("sound in nothing")
	}
}

// The picture is dark but for its upper left corner. What ffmpeg makes of it when it turns it by itself says which way
// Rotation must say.
func TestRotationIsClockwise(t *testing.T) {
	upright := made("upright.mp4", "-f", "lavfi", "-i", "color=black:s=64x32:d=0.2,drawbox=0:0:16:16:white:fill", "-c:v", "mpeg4")()
	for _, tag := range []string{"90", "180", "270"} {
		turned := made("turned"+tag+".mp4", "-i", upright, "-c", "copy", "-metadata:s:v", "rotate="+tag)()
		info, err := ffmpeg.Probe(t.Context(), turned)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := info.Video()
		w, h := v.DisplaySize()
		gray, err := exec.Command("ffmpeg", "-nostdin", "-v", "error", "-i", turned, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-").Output()
		if err != nil || len(gray) != w*h {
			t.Fatalf("%d bytes of a picture of %dx%d: %v", len(gray), w, h, err)
		}
		bright := func(x, y int) bool { return gray[y*w+x] > 128 }
		corner := map[int][2]int{0: {4, 4}, 90: {w - 5, 4}, 180: {w - 5, h - 5}, 270: {4, h - 5}}[v.Rotation]
		if v.Rotation == 0 || !bright(corner[0], corner[1]) {
			t.Errorf("tag %s: Rotation = %d, but the corner is not at %v", tag, v.Rotation, corner)
		}
	}
}

func TestProbeFails(t *testing.T) {
	elsewhere := write(t, "elsewhere.ts", "x")
	hls := func(target string) string {
		return write(t, "a.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n"+target+"\n#EXT-X-ENDLIST\n")
	}
	tests := map[string]struct {
		path string
		opt  ffmpeg.Option
		want string
	}{
		"missing":                    {path: "/no/such/file.mp4", want: ffmpeg.TypeNotFound},
		"empty name":                 {path: "", want: ffmpeg.TypeNotFound},
		"NUL in the name":            {path: "a\x00b", want: ffmpeg.TypeBadArgs},
		"empty":                      {path: write(t, "a.mp4", ""), want: ffmpeg.TypeInvalidData},
		"folder":                     {path: t.TempDir(), want: ffmpeg.TypeInvalidData},
		"text":                       {path: write(t, "a.mp4", "no video"), want: ffmpeg.TypeInvalidData},
		"index missing":              {path: cut(t, made("tail.mp4", "-i", clip(), "-c", "copy")(), 0.5), want: ffmpeg.TypeTruncated},
		"playlist of a local file":   {path: hls("file://" + elsewhere), want: ffmpeg.TypeFormatBlocked},
		"playlist of an address":     {path: hls("http://127.0.0.1:1/a.ts"), want: ffmpeg.TypeFormatBlocked},
		"list of files":              {path: write(t, "a.mp4", "ffconcat version 1.0\nfile elsewhere.ts\n"), want: ffmpeg.TypeFormatBlocked},
		"still image":                {path: made("still.png", "-i", clip(), "-frames:v", "1")(), want: ffmpeg.TypeFormatBlocked},
		"address":                    {path: "http://127.0.0.1:1/a.mp4", want: ffmpeg.TypeNotFound},
		"address, other protocol":    {path: "http://127.0.0.1:1/a.mp4", opt: ffmpeg.WithProtocols("https"), want: ffmpeg.TypeProtocolBlocked},
		"address, allowed":           {path: "http://127.0.0.1:1/a.mp4", opt: ffmpeg.WithProtocols("http", "tcp"), want: ffmpeg.TypeNetwork},
		"not ffprobe":                {path: clip(), opt: script(t, "echo hello"), want: ffmpeg.TypeExit},
		"an answer without an end":   {path: clip(), opt: script(t, "yes '{'"), want: ffmpeg.TypeInvalidData},
		"an answer that is cut off":  {path: clip(), opt: script(t, `echo '{"format": {'`), want: ffmpeg.TypeExit},
		"playlist that is asked for": {path: hls("http://127.0.0.1:1/a.ts"), opt: ffmpeg.WithFormats("hls"), want: ffmpeg.TypeProtocolBlocked},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			info, err := ffmpeg.Probe(t.Context(), tt.path, tt.opt)
			wantType(t, err, tt.want)
			if len(info.Streams) > 0 {
				t.Errorf("%+v", info)
			}
			if !strings.HasPrefix(name, "an answer") && name != "not ffprobe" {
				_, err = ffmpeg.Check(t.Context(), tt.path, tt.opt)
				wantType(t, err, tt.want)
			}
		})
	}
}

func TestProbeOfOtherInputs(t *testing.T) {
	still := made("still.png", "-i", clip(), "-frames:v", "1")()
	info, err := ffmpeg.Probe(t.Context(), still, ffmpeg.WithFormats("image2", "png_pipe"))
	if v, _ := info.Video(); err != nil || v.Codec != "png" {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestProbeIsCanceled(t *testing.T) {
	living := family(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := ffmpeg.Probe(ctx, clip(), script(t, "sleep 600"))
	wantType(t, err, ffmpeg.TypeTimeout)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	wantNone(t, living)
}

// Probe sees the beginning of a file only. Check sees what is missing.
func TestCheckFindsWhatIsCutOff(t *testing.T) {
	for _, name := range []string{"a.mp4", "a.mov", "a.mkv", "a.webm", "a.avi", "a.flv", "a.wav"} {
		t.Run(filepath.Ext(name), func(t *testing.T) {
			t.Parallel()
			flags := []string{"-i", clip(), "-t", "2", "-s", "64x48", "-ar", "44100"}
			if name == "a.mp4" || name == "a.mov" {
				flags = append(flags, "-movflags", "+faststart")
			}
			if name == "a.webm" {
				flags = append(flags, "-deadline", "realtime", "-ar", "48000")
			}
			whole := made(name, flags...)()
			res, err := ffmpeg.Check(t.Context(), whole)
			if err != nil || res.Time < 1900*time.Millisecond {
				t.Errorf("the whole file: %+v, %v", res, err)
			}
			half := cut(t, whole, 0.5)
			if _, err := ffmpeg.Probe(t.Context(), half); err != nil {
				t.Errorf("Probe: %v", err)
			}
			_, err = ffmpeg.Check(t.Context(), half)
			wantType(t, err, ffmpeg.TypeTruncated)
		})
	}
}

func TestContainersAreDemuxers(t *testing.T) {
	out, err := exec.Command("ffmpeg", "-hide_banner", "-demuxers").Output()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 1 && strings.Contains(f[0], "D") {
			for name := range strings.SplitSeq(f[1], ",") {
				known[name] = true
			}
		}
	}
	input := ffmpeg.Input("x")
	for name := range strings.SplitSeq(input[3], ",") {
		if !known[name] {
			t.Errorf("%s is no demuxer", name)
		}
	}
	for _, name := range []string{"hls", "dash", "concat", "imf", "image2", "sdp", "rtsp", "lavfi", "webm_dash_manifest", "vobsub"} {
		if strings.Contains(","+input[3]+",", ","+name+",") {
			t.Errorf("%s opens other files", name)
		}
	}
}
