package media

import "time"

// MinScene is the minimum length of a scene. It also debounces the detector: scdet of ffmpeg can
// report one cut twice, a frame apart.
const MinScene = time.Second

// A Segment is one scene of a video.
type Segment struct {
	Start, End time.Duration

	// Loudness is the gated loudness of the segment's sound, or Silence where there is nothing to
	// hear or the segment is too short to be measured.
	Loudness LUFS

	// Detail and Motion are the means over the segment's frames of the spatial and the temporal
	// information of ITU-T P.910, on the scale of ffmpeg's siti filter. The frame of the cut itself
	// does not count as motion.
	Detail, Motion float64

	// Score says how good a highlight the segment makes among the segments of its video, in 0 to 1.
	Score float64
}

// Len is the segment's length.
func (s Segment) Len() time.Duration { return s.End - s.Start }

// split cuts a video of the given length at the given times, which are in order. A cut that would
// leave a scene shorter than MinScene, before or behind it, is left out. There is always at least
// one segment.
func split(length time.Duration, cuts []time.Duration) []Segment {
	var segments []Segment
	start := time.Duration(0)
	for _, cut := range cuts {
		if cut-start < MinScene || length-cut < MinScene {
			continue
		}
		segments = append(segments, Segment{Start: start, End: cut})
		start = cut
	}
	return append(segments, Segment{Start: start, End: length})
}
