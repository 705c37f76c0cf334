package ffmpeg

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestPacketCounter(t *testing.T) {
	const second = "#tb 0: 1/1000\n#media_type 0: video\n"
	tests := map[string]struct {
		text string
		want []StreamReport
	}{
		"nothing":                     {"", nil},
		"a packet":                    {second + "0, 0, 40, 40, 7, 0xdeadbeef\n", []StreamReport{{Packets: 1, Bytes: 7, Start: 40 * time.Millisecond, End: 80 * time.Millisecond}}},
		"damaged":                     {second + "0, 0, 0, 40, 7, 0x0, F=0x3\n0, 40, 40, 40, 7, 0x0, F=0x2, S=1, 9\n", []StreamReport{{Packets: 2, Damaged: 2, Bytes: 14, End: 80 * time.Millisecond}}},
		"without data, as FLAC's end": {second + "0, 0, 0, 40, 0, 0x0\n", []StreamReport{{}}},
		"left out by a player":        {second + "0, -40, -40, 40, 7, 0x0, F=0x5\n0, 0, 0, 40, 7, 0x0\n", []StreamReport{{Packets: 2, Bytes: 14, End: 40 * time.Millisecond}}},
		"no time":                     {second + "0, -9223372036854775808, -9223372036854775808, 0, 7, 0x0\n", []StreamReport{{Packets: 1, Bytes: 7}}},
		"only dts":                    {second + "0, 80, -9223372036854775808, 40, 7, 0x0\n", []StreamReport{{Packets: 1, Bytes: 7, Start: 80 * time.Millisecond, End: 120 * time.Millisecond}}},
		"no time base":                {"0, 0, 0, 40, 7, 0x0\n", []StreamReport{{Packets: 1, Bytes: 7}}},
		"out of order":                {second + "0, 0, 80, 40, 7, 0x0\n0, 40, 40, 40, 7, 0x0\n", []StreamReport{{Packets: 2, Bytes: 14, Start: 40 * time.Millisecond, End: 120 * time.Millisecond}}},
		"far too late":                {second + "0, 0, 9223372036854775807, 40, 7, 0x0\n", []StreamReport{{Packets: 1, Bytes: 7, Start: 1 << 61, End: 1<<61 + 40*time.Millisecond}}},
		"malformed":                   {"#tb x: 1/2\n#tb\n#tb 0: 1/0\n#\nx, 1\n0\n0,0,0,0,y,0\n-1, 0, 0, 0, 7, 0x0\n99999999, 0, 0, 0, 7, 0x0\n", []StreamReport{{}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPacketCounter()
			_, _ = p.Write([]byte(tt.text))
			p.flush()
			if !reflect.DeepEqual(p.streams, tt.want) {
				t.Errorf("got %+v, want %+v", p.streams, tt.want)
			}
		})
	}
}

func FuzzPackets(f *testing.F) {
	f.Add("#tb 0: 1/90000\n#media_type 0: video\n0, 0, 3600, 3600, 100, 0x0, F=0x3, S=1, 8\n")
	f.Add("#tb 4095: 2147483647/1\n4095,9223372036854775807,9223372036854775807,9223372036854775807,1,0\n")
	f.Fuzz(func(t *testing.T, text string) {
		p := newPacketCounter()
		_, _ = p.Write([]byte(text))
		p.flush()
		if len(p.streams) > maxStreams {
			t.Errorf("%d streams", len(p.streams))
		}
		for _, s := range p.streams {
			if s.Start > s.End || s.Damaged > s.Packets {
				t.Errorf("%+v", s)
			}
		}
		if b := p.state(); b.time < 0 || strings.Contains(text, "#") && len(p.streams) == 0 && b.hasFrames {
			t.Errorf("%+v", b)
		}
	})
}
