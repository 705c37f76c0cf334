package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// uploads counts what was sent to hearing.
var uploads atomic.Int64

// oddities makes the inputs.
func oddities(t *testing.T) []oddity {
	t.Helper()
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	make := func(name string, parts ...[]string) string { return makeMedia(t, in(name), args(parts...)...) }
	source := func(filter string) []string { return []string{"-f", "lavfi", "-i", filter} }
	moving := func(seconds int) []string { return source(fmt.Sprintf("testsrc2=s=160x120:r=25:d=%d", seconds)) }
	sine := func(seconds int) []string { return source(fmt.Sprintf("sine=f=440:d=%d", seconds)) }
	h264 := append([]string{"-g", "25"}, h264...)
	copied := []string{"-map", "0", "-map", "1", "-c", "copy"}
	write := func(name string, data []byte) string {
		if err := os.WriteFile(in(name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		return in(name)
	}
	read := func(path string) []byte {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	// piped makes a file whose header cannot be written again at the end.
	piped := func(name string, parts ...[]string) string {
		cmd := exec.Command("ffmpeg", append(args(parts...), "-v", "error", "pipe:1")...)
		data, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return write(name, data)
	}

	picture4 := make("picture4.mp4", moving(4), h264)
	picture8 := make("picture8.mp4", moving(8), h264)
	sound4 := make("sound4.m4a", sine(4))
	sound10 := make("sound10.m4a", sine(10))
	late10 := make("late10.m4a", source("sine=f=440:d=10,volume='gte(t,6)':eval=frame"))
	both4 := make("both4.ts", moving(4), sine(4), h264)
	other := make("other.ts", source("smptebars=s=240x240:r=25:d=4"), source("sine=f=880:d=4:r=48000"), []string{"-ac", "2"}, h264)
	whole := make("whole.mkv", moving(4), sine(4), h264)
	packets := read(both4)
	const packet = 188
	middle := len(packets) / packet / 2 * packet
	heavy := bytes.Clone(packets[:40*packet])
	random := rand.New(rand.NewPCG(1, 2))
	for at := len(heavy); at < len(packets); at += packet {
		picture := packets[at+1]&0x1f == 1 && packets[at+2] == 0 // lost sound could end ffmpeg before
		if !picture || random.IntN(8) > 0 {
			heavy = append(heavy, packets[at:at+packet]...)
		}
	}
	size := func(name, filter string) string {
		return make(name, source(filter), []string{"-c:v", "libvpx", "-deadline", "realtime"})
	}
	list := write("list", fmt.Appendf(nil, "file '%s'\nfile '%s'\n",
		size("1.webm", "testsrc2=s=160x120:r=25:d=6"), size("2.webm", "smptebars=s=320x240:r=25:d=6")))

	parts := write("parts", fmt.Appendf(nil, "file '%s'\nfile '%s'\n", both4, other))

	oddities := []oddity{
		{name: "picture after the sound, mov", path: make("a1.mov", []string{"-itsoffset", "6", "-i", picture4, "-i", sound10}, copied),
			length: 4, loud: [][2]int{{0, 4}}, notes: []string{"6s of sound before the picture starts: neither"}},
		{name: "picture after the sound, ts", path: make("a1.ts", []string{"-itsoffset", "6", "-i", picture4, "-i", sound10}, copied),
			length: 4, loud: [][2]int{{0, 4}}, notes: []string{"of sound before the picture starts: neither"}},
		{name: "picture after silence", path: make("a1s.mov", []string{"-itsoffset", "6", "-i", picture4, "-i", late10}, copied),
			length: 4, loud: [][2]int{{0, 4}}, notes: []string{"6s of sound before the picture starts: neither"}},
		{name: "sound that goes on", path: make("long.mp4", moving(2), sine(20), h264),
			length: 2, loud: [][2]int{{0, 2}}, notes: []string{"s of sound after the picture ends: neither edited nor transcribed"}},
		{name: "data stream of unknown type", path: write("unknown.ts", withUnknownStream(packets)), length: 4, loud: [][2]int{{0, 4}}},
		{name: "sound of an unknown codec", path: write("codec.mkv", bytes.ReplaceAll(read(whole), []byte("A_VORBIS"), []byte("A_XYZBIS"))),
			length: 4, notes: []string{"sound track 1 (of an unknown codec) cannot be decoded"}},
		{name: "sound that is all damaged", path: make("noise.mkv", source("testsrc2=s=160x120:r=5:d=4"), sine(4), h264,
			[]string{"-c:a", "aac", "-bsf:a", "noise=amount=1"}), // more packets than the picture has, so that ffmpeg gives up
			length: 4, notes: []string{"sound track 1 (aac) cannot be decoded"}},
		{name: "first of two tracks of an unknown codec", path: write("codecs.mkv", bytes.ReplaceAll(
			read(make("tracks.mkv", moving(4), sine(4), sine(4), []string{"-map", "0", "-map", "1", "-map", "2", "-c:a:0", "libopus", "-c:a:1", "aac"}, h264)),
			[]byte("A_OPUS"), []byte("A_XPUS"))),
			length: 4, loud: [][2]int{{0, 4}}, notes: []string{"sound track 1 (of an unknown codec) cannot be decoded"}},
		{name: "channels without a layout", path: make("nine.mkv", moving(4),
			source("aevalsrc="+strings.Repeat("0.1*sin(880*t)|", 8)+"0.1*sin(880*t):d=4:s=48000"), h264, []string{"-c:a", "pcm_s16le"}),
			length: 4, loud: [][2]int{{0, 4}}},
		{name: "raw stream", path: make("raw.h264", moving(4), h264), length: 4},
		{name: "size changes", path: make("size.webm", []string{"-f", "concat", "-safe", "0", "-i", list, "-c", "copy"}), length: 6, segments: 2},
		{name: "size and sound change", path: make("change.ts", []string{"-f", "concat", "-safe", "0", "-i", parts, "-c", "copy"}),
			length: 4, loud: [][2]int{{0, 4}}, segments: 2},
		{name: "stream twice", path: write("twice.ts", append(bytes.Clone(packets), packets...)),
			length: 8, loud: [][2]int{{0, 8}}, notes: []string{"the picture is damaged: 1 of"}},
		{name: "one packet lost", path: write("lost.ts", append(bytes.Clone(packets[:middle]), packets[middle+packet:]...)),
			length: 4, loud: [][2]int{{0, 4}}, notes: []string{"is damaged: "}},
		{name: "many packets lost", path: write("heavy.ts", heavy), refused: "damaged", why: "more than a tenth"},
		{name: "raw MJPEG", path: make("raw.mjpeg", moving(2), []string{"-f", "mjpeg"}), refused: "format_blocked", why: "format is not one that is edited"},
		{name: "animated PNG", path: make("a.png", moving(2), []string{"-f", "apng"}), refused: "format_blocked", why: "format is not one that is edited"},
	}
	for _, format := range []string{"mov", "mkv", "ts"} { // each keeps times in a way of its own
		oddities = append(oddities, oddity{name: "sound after the picture, " + format,
			path:   make("a2."+format, []string{"-i", picture8, "-itsoffset", "3", "-i", sound4}, copied),
			length: 8, loud: [][2]int{{3, 7}}})
	}
	for format, options := range map[string][]string{
		"avi":  {"-c:v", "mpeg4", "-c:a", "mp3"}, // without its end it states half an hour
		"flv":  args(h264, []string{"-c:a", "aac"}),
		"ismv": args(h264, []string{"-c:a", "aac", "-movflags", "empty_moov+frag_keyframe"}),
	} {
		oddities = append(oddities, oddity{name: "wrong length in the header, " + format,
			path: piped("a3."+format, moving(3), sine(3), options, []string{"-f", format}), length: 3, loud: [][2]int{{0, 3}}})
	}
	return oddities
}

// withUnknownStream adds to a transport stream of ffmpeg's a stream of type 5, of which ffmpeg knows
// nothing, as broadcasters do for data of their own.
func withUnknownStream(ts []byte) []byte {
	const size, pmt = 188, 0x1000
	data := append([]byte{0x47, 0x41, 0x50, 0x10, 0, 0, 1, 0xbd, 0, 0xb0, 0x84, 0x80, 5, 0x21, 0, 1, 0, 1}, bytes.Repeat([]byte{0xaa}, 170)...)
	var out []byte
	for i := range len(ts) / size {
		p := bytes.Clone(ts[i*size : (i+1)*size])
		if int(p[1]&0x1f)<<8|int(p[2]) == pmt && p[1]&0x40 != 0 {
			table := tableStart(p)
			length := int(p[table+1]&0x0f)<<8 | int(p[table+2])
			entries := append(bytes.Clone(p[table:table+3+length-4]), 5, 0xe1, 0x50, 0xf0, 0)
			length += 5
			entries[1], entries[2] = entries[1]&0xf0|byte(length>>8), byte(length)
			sum := crc(entries)
			copy(p[table:], append(entries, byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum)))
		}
		out = append(out, p...)
		if i%100 == 50 {
			data[3] = 0x10 | byte(i/100%16)
			out = append(out, data...)
		}
	}
	return out
}

// tableStart returns where the table in a packet begins.
func tableStart(p []byte) int {
	start := 4
	if p[3]&0x20 != 0 {
		start += 1 + int(p[4])
	}
	return start + 1 + int(p[start])
}

// crc is the checksum of MPEG's tables.
func crc(data []byte) uint32 {
	sum := ^uint32(0)
	for _, b := range data {
		sum ^= uint32(b) << 24
		for range 8 {
			high := sum&0x80000000 != 0
			sum <<= 1
			if high {
				sum ^= 0x04c11db7
			}
		}
	}
	return sum
}
