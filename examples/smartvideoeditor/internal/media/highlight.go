package media

import (
	"cmp"
	"slices"
	"time"
)

// The weights of a highlight's score: people tend to like scenes that are loud, move and are rich
// in detail.
const (
	weightLoudness = 0.45
	weightMotion   = 0.35
	weightDetail   = 0.20
)

// score fills in the segments' Score from their ranks among each other. A video without sound is
// judged only by its picture.
func score(segments []Segment) {
	loudness := ranks(segments, func(s Segment) float64 { return float64(s.Loudness) })
	motion := ranks(segments, func(s Segment) float64 { return s.Motion })
	detail := ranks(segments, func(s Segment) float64 { return s.Detail })
	heard := slices.ContainsFunc(segments, func(s Segment) bool { return s.Loudness > Silence })
	for i := range segments {
		picture := weightMotion*motion[i] + weightDetail*detail[i]
		if heard {
			segments[i].Score = weightLoudness*loudness[i] + picture
		} else {
			segments[i].Score = picture / (weightMotion + weightDetail)
		}
	}
}

// ranks places each segment by one of its values: 0 for the least, 1 for the greatest, equal values
// in the middle of the places they share. A single segment is 0.5.
func ranks(segments []Segment, value func(Segment) float64) []float64 {
	ranks := make([]float64, len(segments))
	if len(segments) == 1 {
		ranks[0] = 0.5
		return ranks
	}
	order := make([]int, len(segments))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(value(segments[a]), value(segments[b])) })
	for first := 0; first < len(order); {
		last := first
		for last+1 < len(order) && value(segments[order[last+1]]) == value(segments[order[first]]) {
			last++
		}
		place := float64(first+last) / 2 / float64(len(order)-1)
		for _, i := range order[first : last+1] {
			ranks[i] = place
		}
		first = last + 1
	}
	return ranks
}

// The shape of a highlight reel.
const (
	maxReel    = time.Minute      // of all its excerpts together, give or take the last one
	maxExcerpt = 15 * time.Second // of one segment: its middle
	maxPieces  = 12
)

// Reel picks the best segments until half of the video or a minute is filled, and returns their
// middles in the order of the video. There is at least one.
func Reel(segments []Segment) []Span {
	best := slices.Clone(segments)
	slices.SortStableFunc(best, func(a, b Segment) int { return cmp.Compare(b.Score, a.Score) })
	var length time.Duration
	for _, s := range segments {
		length += s.Len()
	}
	target := min(length/2, maxReel)
	var reel []Span
	var filled time.Duration
	for _, s := range best {
		if len(reel) > 0 && (filled >= target || len(reel) == maxPieces) {
			break
		}
		cut := max(0, s.Len()-maxExcerpt) / 2
		excerpt := Span{Start: s.Start + cut, End: s.End - cut}
		reel = append(reel, excerpt)
		filled += excerpt.Len()
	}
	slices.SortFunc(reel, func(a, b Span) int { return cmp.Compare(a.Start, b.Start) })
	return reel
}
