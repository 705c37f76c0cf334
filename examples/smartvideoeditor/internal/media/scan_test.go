package media

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestScan(t *testing.T) {
	const printed = `lavfi.too=1
frame:0    pts:0       pts_time:0
lavfi.r128.M=-70.5
frame:1    pts:512     pts_time:0.04
lavfi.r128.M=nan
lavfi.r128.S=-inf
lavfi.siti.si= 12.5
no equals sign
frame:2    pts:NOPTS   pts_time:NOPTS
lavfi.r128.M=-1
frame:3    pts:1024    pts_time:0.08
lavfi.asr.text=words
lavfi.r128.M=-20
`
	want := []string{"0s lavfi.r128.M -70.5", "40ms lavfi.siti.si 12.5", "80ms lavfi.r128.M -20"}
	var got []string
	if err := scan(strings.NewReader(printed), func(at time.Duration, key string, value float64) {
		got = append(got, fmt.Sprint(at, " ", key, " ", value))
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("scan gave %q, want %q: finite numbers of frames that have a time", got, want)
	}
}

func FuzzAnalyze(f *testing.F) {
	f.Add("frame:0 pts:0 pts_time:0\nlavfi.scd.time=1e300\nlavfi.siti.si=1\nlavfi.siti.ti=2\n", "frame:3 pts:3 pts_time:0.3\nlavfi.r128.M=-20\n")
	f.Add("frame:1 pts_time:-5\nlavfi.scd.time=2\nlavfi.scd.time=1\n", "frame:1 pts_time:1e999\nlavfi.r128.M=1e308\n")
	f.Fuzz(func(t *testing.T, picture, sound string) {
		const length = 10 * time.Second
		segments, err := Analyze(length, strings.NewReader(picture), strings.NewReader(sound))
		if err != nil {
			return // a line longer than any that ffmpeg prints
		}
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
