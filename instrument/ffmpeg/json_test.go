package ffmpeg

import (
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Whoever makes the file decides how much there is of everything.
func TestParseInfoIsBounded(t *testing.T) {
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			_, _ = fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	tags := "{" + many(20_000, `"k%d":"v"`) + "}"
	tests := map[string]string{
		"tags of the file":   `{"format":{"tags":` + tags + `}}`,
		"tags of a stream":   `{"streams":[{"tags":` + tags + `}]}`,
		"streams":            `{"streams":[` + many(20_000, `{"index":%d,"codec_type":"audio"}`) + `]}`,
		"streams of numbers": `{"streams":[` + strings.Repeat("0,", 1<<20) + "0" + `]}`,
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			info, err := parseInfo([]byte(text))
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(info.Streams); n > maxStreams {
				t.Errorf("%d streams", n)
			}
			if n := len(info.Format.Tags); n > maxTags || name == "tags of the file" && n < maxTags {
				t.Errorf("%d tags", n)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 20<<20+uint64(10*len(text)) {
				t.Errorf("%d bytes for a text of %d", used, len(text))
			}
		})
	}
}

func TestParseInfo(t *testing.T) {
	tests := map[string]struct {
		json string
		want Info
	}{
		"nothing": {`{}`, Info{}},
		"null":    {`{"format":null,"streams":null}`, Info{}},
		"unknown": {`{"format":{"duration":"N/A","size":"N/A","bit_rate":"N/A"}}`, Info{}},
		"numbers and texts": {
			`{"format":{"format_name":"avi","duration":4.5,"start_time":"-0.5","size":12,"bit_rate":"34","tags":{"title":"x"}}}`,
			Info{Format: Format{Name: "avi", Duration: 4500 * time.Millisecond, Start: -500 * time.Millisecond, Size: 12, BitRate: 34, Tags: map[string]string{"title": "x"}}},
		},
		"out of range": {
			`{"format":{"duration":"1e300","size":"-5","bit_rate":"99999999999999999999"},
			  "streams":[{"duration":"-3","width":-1,"height":99999999999,"avg_frame_rate":"1/0","r_frame_rate":"0/0","sample_rate":"NaN","nb_frames":"1.5"}]}`,
			Info{Streams: []Stream{{}}},
		},
		"of another kind": {
			`{"format":{"duration":["4"],"tags":["a"],"size":{"a":1},"format_name":true},"streams":[7,{"tags":7,"disposition":"x","side_data_list":{"a":1},"codec_type":"video"},null]}`,
			Info{Streams: []Stream{{}, {Type: "video"}, {}}},
		},
		"streams of another kind": {`{"format":[],"streams":{"a":1}}`, Info{}},
		"Matroska's tags": {
			`{"streams":[{"codec_type":"audio","tags":{"DURATION":"01:02:03.500000000","NUMBER_OF_FRAMES":"77","LANGUAGE":"deu"}}]}`,
			Info{Streams: []Stream{{Type: "audio", Duration: time.Hour + 2*time.Minute + 3500*time.Millisecond, Frames: 77, Language: "deu",
				Tags: map[string]string{"DURATION": "01:02:03.500000000", "NUMBER_OF_FRAMES": "77", "LANGUAGE": "deu"}}}},
		},
		"hostile tags": {
			`{"streams":[{"tags":{"DURATION":"99999999999999:99:99","rotate":"1e400"}},{"tags":{"DURATION":"00:00:-5"}}]}`,
			Info{Streams: []Stream{{Tags: map[string]string{"DURATION": "99999999999999:99:99", "rotate": "1e400"}}, {Tags: map[string]string{"DURATION": "00:00:-5"}}}},
		},
		"old rotation": {`{"streams":[{"tags":{"rotate":"90"}}]}`, Info{Streams: []Stream{{Rotation: 90, Tags: map[string]string{"rotate": "90"}}}}},
		"rotation": {
			`{"streams":[{"side_data_list":[{"side_data_type":"x"},{"rotation":-90}]},{"side_data_list":[{"rotation":"450.2"}]},{"side_data_list":[{"rotation":0.4}]}]}`,
			Info{Streams: []Stream{{Rotation: 90}, {Rotation: 270}, {}}},
		},
		"pictures": {
			`{"streams":[{"disposition":{"attached_pic":1,"default":0}},{"disposition":{"default":1}}]}`,
			Info{Streams: []Stream{{StillPicture: true}, {Default: true}}},
		},
		"rates": {
			`{"streams":[{"avg_frame_rate":"30000/1001","r_frame_rate":"90000/1"}]}`,
			Info{Streams: []Stream{{FrameRate: 30000.0 / 1001, BaseRate: 90000}}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseInfo([]byte(tt.json))
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, tt.want)
			}
		})
	}
	for _, bad := range []string{"", "hello", "[]", "null", `{"format":`, "{}{}", strings.Repeat(`{"format":`, 20000)} {
		if _, err := parseInfo([]byte(bad)); err == nil {
			t.Errorf("%.20q is no answer of ffprobe", bad)
		}
	}
}

func TestDuration(t *testing.T) {
	tests := map[string]struct {
		info Info
		want time.Duration
	}{
		"unknown":           {Info{}, 0},
		"of the container":  {Info{Format: Format{Duration: 3}, Streams: []Stream{{Duration: 5}}}, 3},
		"of the longest":    {Info{Streams: []Stream{{Duration: 5}, {Duration: 7}, {}}}, 7},
		"streams know none": {Info{Streams: []Stream{{}}}, 0},
	}
	for name, tt := range tests {
		if got := tt.info.Duration(); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestDisplaySize(t *testing.T) {
	for rotation, turned := range map[int]bool{0: false, 2: false, 89: true, 90: true, 180: false, 270: true, 359: false} {
		w, h := Stream{Width: 16, Height: 9, Rotation: rotation}.DisplaySize()
		if (w == 9 && h == 16) != turned {
			t.Errorf("%d degrees: %dx%d", rotation, w, h)
		}
	}
}

func FuzzInfo(f *testing.F) {
	f.Add([]byte(`{"format":{"duration":"4.0","size":"1","tags":{"a":"b"}},"streams":[{"index":0,"codec_type":"video","width":160,"r_frame_rate":"25/1",
		"avg_frame_rate":"25/1","disposition":{"default":1},"side_data_list":[{"rotation":-90}],"tags":{"DURATION":"00:00:04.0"}}]}`))
	f.Add([]byte(`{"streams":[{"avg_frame_rate":"1e308/1e-308","duration":"-9.3e9","side_data_list":[{"rotation":1e308}]},[],null,"\ud800"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		info, err := parseInfo(b)
		if err != nil {
			return
		}
		if info.Duration() < 0 || info.Format.Size < 0 || info.Format.BitRate < 0 {
			t.Errorf("%+v", info.Format)
		}
		for _, s := range info.Streams {
			w, h := s.DisplaySize()
			if min(s.Index, w, h, s.SampleRate, s.Channels, s.Rotation) < 0 || s.Rotation >= 360 || s.Duration < 0 || s.Frames < 0 || s.BitRate < 0 ||
				!(s.Rate() >= 0) || math.IsInf(s.Rate(), 0) || !(s.BaseRate >= 0) || math.IsInf(s.BaseRate, 0) {
				t.Errorf("%+v", s)
			}
		}
	})
}
