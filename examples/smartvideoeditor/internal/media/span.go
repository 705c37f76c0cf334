package media

import "time"

// A Span is a part of a video, from Start up to and without End. Both are counted from the first
// frame of the picture, wherever the file says that it starts.
type Span struct{ Start, End time.Duration }

// Len returns the length of the span.
func (s Span) Len() time.Duration { return s.End - s.Start }

// Overlap returns the part that both spans have. Its length is 0 if there is none.
func (s Span) Overlap(o Span) Span {
	both := Span{Start: max(s.Start, o.Start), End: min(s.End, o.End)}
	both.End = max(both.Start, both.End)
	return both
}

// Cut returns the options of ffmpeg that open only this span of the input that follows them.
func (s Span) Cut() []string {
	return []string{"-ss", Timestamp(s.Start), "-t", Timestamp(s.Len())}
}
