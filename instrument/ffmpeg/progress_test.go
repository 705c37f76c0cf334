package ffmpeg

import (
	"math"
	"strings"
	"testing"
	"time"
)

const recordedBlock = `frame=50
fps=24.9
stream_0_0_q=28.0
bitrate= 417.5kbits/s
total_size=209620
out_time_us=2000000
out_time_ms=2000000
out_time=00:00:02.000000
dup_frames=1
drop_frames=2
speed= 0.98x
progress=continue
`

func parse(text string) (blocks []block) {
	var p progressParser
	l := lines{max: 256, take: func(line []byte) {
		if b, ok := p.line(line); ok {
			blocks = append(blocks, b)
		}
	}}
	_, _ = l.Write([]byte(text))
	l.flush()
	return blocks
}

func TestProgressBlock(t *testing.T) {
	tests := map[string]struct {
		text string
		want block
	}{
		"all of it": {recordedBlock, block{frames: 50, hasFrames: true, fps: 24.9, size: 209620, time: 2 * time.Second, hasTime: true,
			duplicated: 1, dropped: 2, speed: 0.98}},
		"the last":               {"progress=end\n", block{end: true}},
		"padded":                 {"speed=  648x\nframe=   7 \nprogress=continue\n", block{speed: 648, frames: 7, hasFrames: true}},
		"not known yet":          {"out_time_us=N/A\nspeed=N/A\ntotal_size=N/A\nbitrate=N/A\nprogress=continue\n", block{}},
		"before the start":       {"out_time_us=-23220\nprogress=continue\n", block{hasTime: true}},
		"no time, in old ones":   {"out_time_us=-9223372036854775807\nprogress=continue\n", block{hasTime: true}},
		"ms are microseconds":    {"out_time_ms=2000000\nprogress=continue\n", block{time: 2 * time.Second, hasTime: true}},
		"beyond a time.Duration": {"out_time_us=9223372036854775807\nprogress=continue\n", block{}},
		"not a number":           {"frame=1e3\nspeed=NaNx\nfps=Inf\ntotal_size=-5\nprogress=continue\n", block{}},
		"Windows":                {"frame=7\r\nprogress=continue\r\n", block{frames: 7, hasFrames: true}},
		"noise":                  {"hello\n=\n==x\nframe\nprogress=continue\n", block{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := parse(tt.text)
			if len(got) != 1 || got[0] != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
	if got := parse("frame=1\nframe=2\n"); got != nil {
		t.Errorf("a block without its end: %+v", got)
	}
}

func TestMeter(t *testing.T) {
	start := time.Now()
	type step struct {
		after, time   time.Duration
		fraction      float64
		eta           time.Duration
		grew          bool
		framesInstead int64
	}
	tests := map[string]struct {
		total time.Duration
		steps []step
	}{
		"the rate is that since the first block, not since the start": {
			total: 100 * time.Second,
			steps: []step{
				{after: 60 * time.Second, time: 10 * time.Second, fraction: 0.1, eta: -1, grew: true},
				{after: 61 * time.Second, time: 20 * time.Second, fraction: 0.2, eta: 8 * time.Second, grew: true},
				{after: 62 * time.Second, time: 20 * time.Second, fraction: 0.2, eta: 16 * time.Second},
			},
		},
		"longer than announced": {
			total: 10 * time.Second,
			steps: []step{
				{after: time.Second, time: 9 * time.Second, fraction: 0.9, eta: -1, grew: true},
				{after: 2 * time.Second, time: 12 * time.Second, fraction: 1, eta: 0, grew: true},
			},
		},
		"backwards": {
			total: 10 * time.Second,
			steps: []step{
				{after: time.Second, time: 5 * time.Second, fraction: 0.5, eta: -1, grew: true},
				{after: 2 * time.Second, time: 4 * time.Second, fraction: 0.5, eta: -1},
			},
		},
		"too far away to tell": {
			total: math.MaxInt64,
			steps: []step{
				{after: time.Second, time: 1, fraction: 1 / float64(math.MaxInt64), eta: -1, grew: true},
				{after: time.Hour, time: 2, fraction: 2 / float64(math.MaxInt64), eta: -1, grew: true},
			},
		},
		"of unknown length": {
			steps: []step{
				{after: time.Second, time: time.Second, fraction: -1, eta: -1, grew: true},
				{after: 2 * time.Second, time: time.Second, framesInstead: 1, fraction: -1, eta: -1, grew: true},
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := meter{total: tt.total, start: start}
			for i, s := range tt.steps {
				p, grew := m.update(block{time: s.time, hasTime: true, frames: s.framesInstead}, start.Add(s.after))
				if p.Fraction != s.fraction || p.ETA != s.eta || grew != s.grew || p.Elapsed != s.after {
					t.Errorf("step %d: %+v, grew %v, want %+v", i, p, grew, s)
				}
			}
			if p := m.done(start.Add(time.Hour)); p.Fraction != 1 || p.ETA != 0 || !p.Done {
				t.Errorf("done: %+v", p)
			}
		})
	}
}

func FuzzProgress(f *testing.F) {
	f.Add(recordedBlock+strings.Replace(recordedBlock, "out_time_us=2", "out_time_us=3", 1)+"progress=end\n", int64(4*time.Second))
	f.Add("out_time_us=-9223372036854775808\nspeed=1e308x\nprogress=continue\nout_time_us=9223372036854775\nprogress=end", int64(math.MaxInt64))
	f.Add("frame=99999999999999999999\nprogress=\n=\n", int64(-1))
	f.Fuzz(func(t *testing.T, text string, total int64) {
		m := meter{total: max(time.Duration(total), 0), start: time.Now()}
		last := Progress{Fraction: -1}
		for i, b := range parse(text) {
			p, _ := m.update(b, m.start.Add(time.Duration(i)*time.Second))
			if p.Fraction < last.Fraction || p.Fraction > 1 || p.Time < last.Time || p.Frames < last.Frames || p.Size < last.Size {
				t.Errorf("%+v after %+v", p, last)
			}
			if p.Fraction != p.Fraction || p.ETA < -1 || p.Speed < 0 || math.IsInf(p.Speed, 0) || p.FPS < 0 || math.IsInf(p.FPS, 0) || p.Dropped < 0 || p.Duplicated < 0 || p.Done {
				t.Errorf("%+v", p)
			}
			last = p
		}
	})
}
