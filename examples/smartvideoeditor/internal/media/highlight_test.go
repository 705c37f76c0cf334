package media

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestScore(t *testing.T) {
	segments := []Segment{
		{Loudness: -30, Motion: 1, Detail: 10},
		{Loudness: -20, Motion: 2, Detail: 20},
		{Loudness: -10, Motion: 3, Detail: 30},
	}
	score(segments)
	for i, want := range []float64{0, 0.5, 1} {
		if got := segments[i].Score; math.Abs(got-want) > 1e-9 {
			t.Errorf("segment %d has score %v, want %v: it is the same place by each measure", i, got, want)
		}
	}

	silent := []Segment{{Loudness: Silence, Motion: 1}, {Loudness: Silence, Motion: 2}}
	score(silent)
	if silent[1].Score <= silent[0].Score || silent[1].Score > 1 {
		t.Errorf("scores %v and %v: without sound the picture decides", silent[0].Score, silent[1].Score)
	}

	alone := []Segment{{Loudness: -20}}
	score(alone)
	if alone[0].Score != 0.5 {
		t.Errorf("a single segment has score %v, want 0.5: it is neither the best nor the worst", alone[0].Score)
	}
}

func TestRanksShareTies(t *testing.T) {
	segments := []Segment{{Motion: 5}, {Motion: 1}, {Motion: 5}, {Motion: 9}, {Motion: 0}}
	got := ranks(segments, func(s Segment) float64 { return s.Motion })
	if want := []float64{0.625, 0.25, 0.625, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("ranks are %v, want %v", got, want)
	}
}

func TestReel(t *testing.T) {
	at := func(start, length time.Duration, score float64) Segment {
		return Segment{Start: start * time.Second, End: (start + length) * time.Second, Score: score}
	}
	cut := func(start, end float64) Span { return Span{Seconds(start), Seconds(end)} }
	many := make([]Segment, 40)
	for i := range many {
		many[i] = at(time.Duration(i)*2, 2, float64(i))
	}
	for _, test := range []struct {
		name     string
		segments []Segment
		want     []Span
		reason   string
	}{
		{"half", []Segment{at(0, 4, .2), at(4, 4, .9), at(8, 4, .1), at(12, 4, .8)}, []Span{cut(4, 8), cut(12, 16)},
			"the best until half of the video is filled, in the order of the video"},
		{"one", []Segment{{End: 400 * time.Millisecond}}, []Span{cut(0, 0.4)}, "there is always something to see"},
		{"long", []Segment{at(0, 100, .5)}, []Span{cut(42.5, 57.5)}, "of a long scene its middle"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Reel(test.segments); !slices.Equal(got, test.want) {
				t.Errorf("Reel = %v, want %v: %s", got, test.want, test.reason)
			}
		})
	}
	if got := Reel(many); len(got) != maxPieces {
		t.Errorf("a reel of %d pieces, want at most %d: each is an input of ffmpeg", len(got), maxPieces)
	}
}
