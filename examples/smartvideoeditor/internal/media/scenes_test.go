package media

import (
	"slices"
	"testing"
	"time"
)

func TestSplit(t *testing.T) {
	s := func(seconds float64) time.Duration { return Seconds(seconds) }
	for _, test := range []struct {
		name   string
		length time.Duration
		cuts   []time.Duration
		starts []time.Duration
		reason string
	}{
		{"no cut", s(10), nil, []time.Duration{0}, "a video is one scene at least"},
		{"cuts", s(10), []time.Duration{s(4), s(8)}, []time.Duration{0, s(4), s(8)}, "each cut begins a scene"},
		{"twice", s(10), []time.Duration{s(4), s(4.04)}, []time.Duration{0, s(4)}, "the detector reports a cut on two frames"},
		{"flash", s(10), []time.Duration{s(4), s(4.9), s(5)}, []time.Duration{0, s(4), s(5)}, "what is shorter than a second is no scene"},
		{"first frame", s(10), []time.Duration{s(0.04)}, []time.Duration{0}, "nothing is before the first frame"},
		{"last frame", s(10), []time.Duration{s(9.96)}, []time.Duration{0}, "a fade to black ends a scene, it does not begin one"},
		{"short", s(0.4), []time.Duration{s(0.2)}, []time.Duration{0}, "a video shorter than a scene is one"},
	} {
		t.Run(test.name, func(t *testing.T) {
			segments := split(test.length, test.cuts)
			var starts []time.Duration
			for i, segment := range segments {
				starts = append(starts, segment.Start)
				if next := i + 1; next < len(segments) && segments[next].Start != segment.End {
					t.Errorf("segment %d ends at %v, the next begins at %v", i, segment.End, segments[next].Start)
				}
			}
			if !slices.Equal(starts, test.starts) {
				t.Errorf("segments start at %v, want %v: %s", starts, test.starts, test.reason)
			}
			if end := segments[len(segments)-1].End; end != test.length {
				t.Errorf("the last segment ends at %v, want %v", end, test.length)
			}
		})
	}
}
