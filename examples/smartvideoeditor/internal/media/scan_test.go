package media

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPrints(t *testing.T) {
	printed := []string{
		"lavfi.too=1",
		"frame:0    pts:0       pts_time:0", "lavfi.r128.M=-70.5",
		"frame:1    pts:40000     pts_time:0.04", "lavfi.r128.M=nan", "lavfi.r128.S=-inf", "lavfi.siti.si= 12.5", "no equals sign",
		"frame:2    pts:NOPTS   pts_time:NOPTS", "lavfi.r128.M=-1",
		"frame:3    pts:12345678900    pts_time:12345.7", "lavfi.asr.text=words", "lavfi.r128.M=-20",
	}
	want := []string{"0s lavfi.r128.M -70.5", "40ms lavfi.siti.si 12.5", "3h25m45.6789s lavfi.r128.M -20"}
	var got []string
	p := prints{each: func(at time.Duration, key string, value float64) {
		got = append(got, fmt.Sprint(at, " ", key, " ", value))
	}}
	for _, line := range printed {
		p.line(line)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q: finite numbers of frames that have a time, which is not rounded", got, want)
	}
}

// Lines come in any pieces, from filters and others.
func TestLog(t *testing.T) {
	const log = "[metadata@picture @ 0x55d0] [info] frame:0 pts:1\n[info] Press [q]\n[ametadata@sound @ 0x1] [info] a=1\r\n" +
		"[\n\n[x\n[metadata@picture @ 0x55d0] no level\nlast"
	for size := 1; size < 20; size++ {
		var picture, sound, others []string
		l := Log{
			Filters: map[string]func(string){
				"metadata@picture": func(m string) { picture = append(picture, m) },
				"ametadata@sound":  func(m string) { sound = append(sound, m) },
			},
			Others: func(line string) { others = append(others, line) },
		}
		for part := range slices.Chunk([]byte(log), size) {
			if n, err := l.Write(part); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
		}
		if !slices.Equal(picture, []string{"frame:0 pts:1"}) || !slices.Equal(sound, []string{"a=1\r"}) {
			t.Errorf("the picture has %q, the sound %q", picture, sound)
		}
		if want := []string{"[info] Press [q]", "[", "", "[x", "[metadata@picture @ 0x55d0] no level"}; !slices.Equal(others, want) {
			t.Errorf("others are %q", others)
		}
	}
}

func FuzzMeasured(f *testing.F) {
	f.Add("[metadata@picture @ 0x1] [info] frame:0 pts:0 pts_time:0\n[metadata@picture @ 0x1] [info] lavfi.scd.time=1e300\n" +
		"[metadata@picture @ 0x1] [info] lavfi.siti.si=1\n[metadata@picture @ 0x1] [info] lavfi.siti.ti=2\n")
	f.Add("[ametadata@sound @ 0x1] [info] frame:1 pts:-5 pts_time:-5\n[ametadata@sound @ 0x1] [info] lavfi.r128.M=1e308\n")
	f.Fuzz(func(t *testing.T, log string) {
		const length = 10 * time.Second
		segments := measured(log).Segments(length)
		var total time.Duration
		for _, s := range segments {
			total += s.Len()
			if s.Len() < MinScene || s.Score < 0 || s.Score > 1 {
				t.Errorf("segment %+v", s)
			}
		}
		if total != length {
			t.Errorf("the segments are %v long, the video %v", total, length)
		}
	})
}

func FuzzReading(f *testing.F) {
	f.Add("[showinfo@picture @ 0x1] [info] n:   0 pts:  23222 pts_time:0.02 pos:  564 fmt:yuv420p sar:4/3 s:320x240 i:P iskey:1 type:I \n"+
		"[showinfo@picture @ 0x1] [info] color_range:tv color_space:bt709 color_primaries:bt709 color_trc:bt709\n"+
		"[ashowinfo@sound @ 0x1] [info] n:0 pts:0 pts_time:0 pos:1 fmt:s16 channels:2 chlayout:stereo rate:48000 nb_samples:1098 checksum:0\n",
		"#tb 0: 1/90000\n0,       2090,       2090,     3600,     8694, 0x7504f063\n")
	f.Fuzz(func(t *testing.T, log, packets string) {
		var r Reading
		_, _ = io.WriteString(r.Log(), log) // never fails
		if err := r.ReadPackets(strings.NewReader(packets)); err != nil {
			return // a line longer than any that ffmpeg prints
		}
		s, ok := r.Source(25)
		if !ok {
			return
		}
		if s.Length <= 0 || s.Frames < 1 || s.Width < 2 || s.Width > maxSide || s.Height < 2 || s.Height > maxSide || s.Before < 0 || s.After < 0 {
			t.Errorf("%+v", s)
		}
		end := time.Duration(-1)
		for _, heard := range s.Heard {
			if heard.Start <= end || heard.Len() <= 0 || heard.End > s.Length {
				t.Errorf("%+v", s)
			}
			end = heard.End
		}
	})
}
