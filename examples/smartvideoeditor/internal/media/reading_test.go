package media

import (
	"slices"
	"testing"
	"time"
)

func TestHeard(t *testing.T) {
	const s = time.Second
	run := func(start, end time.Duration) Run {
		return Run{Start: start, Samples: int64((end - start) / s * SampleRate)}
	}
	for _, tt := range []struct {
		reason        string
		runs          []Run
		want          []Span
		before, after time.Duration
	}{
		{"no sound", nil, nil, 0, 0},
		{"the picture starts at 2 s of the file, and is 10 s long", []Run{run(0, 20*s)}, []Span{{0, 10 * s}}, 2 * s, 8 * s},
		{"a short gap belongs to the sound", []Run{run(3*s, 4*s), {Start: 4*s + 999*time.Millisecond, Samples: SampleRate}},
			[]Span{{s, 3*s + 999*time.Millisecond}}, 0, 0},
		{"a gap of a second does not", []Run{run(3*s, 4*s), run(5*s, 6*s)}, []Span{{s, 2 * s}, {3 * s, 4 * s}}, 0, 0},
		{"times that go back", []Run{run(8*s, 9*s), run(3*s, 5*s), run(4*s, 6*s)}, []Span{{s, 4 * s}, {6 * s, 7 * s}}, 0, 0},
	} {
		got := Source{Origin: 2 * s, Length: 10 * s}
		got.listen(tt.runs)
		if !slices.Equal(got.Heard, tt.want) || got.Before != tt.before || got.After != tt.after {
			t.Errorf("%s: heard %v with %v before and %v after, want %v, %v and %v",
				tt.reason, got.Heard, got.Before, got.After, tt.want, tt.before, tt.after)
		}
	}
}
