//go:build unix

package ffmpeg_test

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument/ffmpeg"
)

// broadcast is 4 s of a transport stream.
var broadcast = sync.OnceValue(func() string { return made("broadcast.ts", "-i", clip(), "-c", "copy")() })

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCheckTellsWhatIsDamaged(t *testing.T) {
	ts := read(t, broadcast())
	const packet = 188
	tests := map[string]struct {
		content string
		damaged int64         // at least
		frames  int64         // at least
		length  time.Duration // about
	}{
		"whole":                          {content: ts, frames: 100, length: 4 * time.Second},
		"one packet lost":                {content: ts[:200*packet] + ts[201*packet:], damaged: 1, frames: 99, length: 4 * time.Second},
		"many packets lost":              {content: lossy(ts, 20), damaged: 10, frames: 60, length: 4 * time.Second},
		"two, one behind the other":      {content: ts + ts, damaged: 1, frames: 200, length: 8 * time.Second},
		"cut off, which no format tells": {content: ts[:len(ts)/2], frames: 30, length: 2 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			report, err := ffmpeg.Check(t.Context(), write(t, "a.ts", tt.content))
			if err != nil {
				t.Fatal(err)
			}
			if n := report.Damaged(); n < tt.damaged || tt.damaged == 0 && n > 0 {
				t.Errorf("%d packets are damaged, want %d", n, tt.damaged)
			}
			picture := report.Stream(0)
			if picture.Packets < tt.frames || picture.Bytes < 10_000 || report.Frames != picture.Packets {
				t.Errorf("picture: %+v, want %d packets", picture, tt.frames)
			}
			if off := report.Time - tt.length; off.Abs() > 700*time.Millisecond {
				t.Errorf("it is %v long, want %v", report.Time, tt.length)
			}
		})
	}
}

// lossy leaves out one packet of every n.
func lossy(ts string, n int) string {
	var b strings.Builder
	for i := 0; i+188 <= len(ts); i += 188 {
		if (i/188)%n != n-1 {
			b.WriteString(ts[i : i+188])
		}
	}
	return b.String()
}

// A header may state anything, and streams need not begin and end together.
func TestCheckReadsHowLongEachStreamIs(t *testing.T) {
	picture := made("picture.mp4", "-i", clip(), "-c", "copy", "-an")
	near := func(got, want time.Duration) bool { return (got - want).Abs() < 150*time.Millisecond }
	for _, ext := range []string{"mov", "mkv", "ts"} {
		t.Run(ext, func(t *testing.T) {
			late := made("late."+ext, "-itsoffset", "6", "-i", picture(), "-f", "lavfi", "-i", "sine=d=8", "-map", "0", "-map", "1", "-c:v", "copy", "-c:a", "aac")()
			report, err := ffmpeg.Check(t.Context(), late)
			if err != nil {
				t.Fatal(err)
			}
			if p := report.Stream(0); !near(p.Start, 6*time.Second) || !near(p.End, 10*time.Second) {
				t.Errorf("picture from %v to %v, want 6 s to 10 s", p.Start, p.End)
			}
			if s := report.Stream(1); !near(s.Start, 0) || !near(s.End, 8*time.Second) {
				t.Errorf("sound from %v to %v, want 0 to 8 s", s.Start, s.End)
			}
			if !near(report.Time, 10*time.Second) {
				t.Errorf("Time = %v", report.Time)
			}
		})
	}
	t.Run("an AVI that was written to a pipe", func(t *testing.T) {
		avi := piped(t, "-i", clip(), "-c:v", "mpeg4", "-c:a", "mp3", "-f", "avi")
		info, err := ffmpeg.Probe(t.Context(), avi)
		if err != nil || info.Duration() < time.Minute {
			t.Fatalf("the header states %v (%v): not what this is about", info.Duration(), err)
		}
		report, err := ffmpeg.Check(t.Context(), avi)
		if err != nil || !near(report.Time, 4*time.Second) || !near(report.Stream(0).End, 4*time.Second) {
			t.Errorf("%+v, %v; want 4 s", report, err)
		}
	})
	if s := (ffmpeg.Report{}).Stream(3); s != (ffmpeg.StreamReport{}) {
		t.Errorf("a stream of nothing: %+v", s)
	}
}

// piped is what ffmpeg writes where it cannot seek back to its header.
func piped(t *testing.T, flags ...string) string {
	t.Helper()
	var out bytes.Buffer
	if _, err := ffmpeg.Run(t.Context(), append(flags, "pipe:1"), ffmpeg.WithStdout(&out)); err != nil {
		t.Fatal(err)
	}
	return write(t, "piped.avi", out.String())
}

// A broadcaster's own data is no reason to refuse a recording, but nobody can decode it.
func TestStreamsThatNobodyKnows(t *testing.T) {
	mkv := read(t, made("known.mkv", "-i", clip(), "-c", "copy")())
	tests := map[string]struct {
		path    string
		unknown int // the stream
		packets int64
	}{
		"data in a broadcast":    {path: write(t, "a.ts", withUnknownStream(read(t, broadcast()))), unknown: 2, packets: 5},
		"sound of another codec": {path: write(t, "a.mkv", strings.ReplaceAll(mkv, "A_AAC", "A_XYZ")), unknown: 1, packets: 100},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			info, err := ffmpeg.Probe(t.Context(), tt.path)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range info.Streams {
				if s.Decodable != (s.Index != tt.unknown) {
					t.Errorf("stream %d (%s): Decodable = %v", s.Index, s.Codec, s.Decodable)
				}
			}
			report, err := ffmpeg.Check(t.Context(), tt.path)
			if err != nil {
				t.Fatal(err)
			}
			if n := report.Stream(tt.unknown).Packets; n < tt.packets {
				t.Errorf("%d packets of the unknown stream, want %d", n, tt.packets)
			}
			if report.Stream(0).Packets != 100 || report.Damaged() != 0 {
				t.Errorf("%+v", report)
			}
		})
	}
}

// withUnknownStream adds a stream of type 5 on PID 0x150 to a transport stream of ffmpeg's.
func withUnknownStream(ts string) string {
	var out strings.Builder
	data := "\x00\x00\x01\xbd\x00\xb0\x84\x80\x05\x21\x00\x01\x00\x01" + strings.Repeat("\xaa", 170)
	for i := 0; i+188 <= len(ts); i += 188 {
		p := []byte(ts[i : i+188])
		if int(p[1]&0x1f)<<8|int(p[2]) == 0x1000 && p[1]&0x40 != 0 { // ffmpeg's program map
			head := 4
			if p[3]&0x20 != 0 {
				head += 1 + int(p[4])
			}
			start := head + 1 + int(p[head])
			length := int(p[start+1]&15)<<8 | int(p[start+2])
			section := append(bytes.Clone(p[start:start+3+length-4]), 5, 0xe1, 0x50, 0xf0, 0)
			section[1], section[2] = section[1]&0xf0|byte((length+5)>>8), byte(length+5)
			sum := crc(section)
			section = append(section, byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum))
			copy(p[start:], section)
		}
		out.Write(p)
		if n := i / 188; n%50 == 25 {
			out.WriteString("\x47\x41\x50" + string(rune(0x10|n/50%16)) + data)
		}
	}
	return out.String()
}

// crc is the checksum of MPEG-2's sections.
func crc(b []byte) uint32 {
	c := ^uint32(0)
	for _, x := range b {
		c ^= uint32(x) << 24
		for range 8 {
			if c&(1<<31) != 0 {
				c = c<<1 ^ 0x04c11db7
			} else {
				c <<= 1
			}
		}
	}
	return c
}

func TestProbeIsBoundedInTime(t *testing.T) {
	living := family(t)
	_, err := ffmpeg.Probe(t.Context(), clip(), script(t, `trap "" TERM; while :; do echo '{'; sleep 0.01; done`),
		ffmpeg.WithStallTimeout(300*time.Millisecond), ffmpeg.WithGrace(100*time.Millisecond))
	e := wantType(t, err, ffmpeg.TypeStalled)
	if !strings.Contains(e.Error(), "no answer for 300ms") {
		t.Error(e)
	}
	wantNone(t, living)
}

// What is left out is not damaged, and the error says so.
func TestFormatsThatAreLeftOutAreNamed(t *testing.T) {
	for name, flags := range map[string][]string{
		"apng":  {"-plays", "0", "-f", "apng"},
		"mjpeg": {"-f", "mjpeg"},
	} {
		path := made("left-out."+name, append([]string{"-i", clip(), "-an", "-t", "0.2"}, flags...)...)()
		_, err := ffmpeg.Probe(t.Context(), path)
		e := wantType(t, err, ffmpeg.TypeFormatBlocked)
		if text := e.Error(); !strings.Contains(text, "] Format not on whitelist: not one of the formats that may be opened: exit") || !strings.Contains(text, strings.TrimPrefix(name, "m")) {
			t.Error(text) // raw MJPEG is called jpeg_pipe, too
		}
	}
}
