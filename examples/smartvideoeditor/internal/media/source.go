package media

import "time"

// A Source is what has been read of an input by decoding it whole. Its header is not believed: a
// stream may start late, end early, and be shorter or longer than the file says.
//
// The first frame of the picture is at 0 in all times but Origin.
type Source struct {
	Origin time.Duration // the time of the first frame of the picture, as ffmpeg counts the file's
	Length time.Duration // of the picture, from its first frame to the end of its last

	// Heard has the parts of the picture under which there is sound, in order and apart. It is
	// empty without sound. Sound that is there may be silence.
	Heard []Span

	// Before and After are the lengths of the sound before the picture's first frame and after its
	// last, which no reel can have.
	Before, After time.Duration
}

// Sounds returns the parts of span that have sound, in order. Nothing outside of them needs to be
// sent anywhere.
func (s Source) Sounds(span Span) []Span {
	var parts []Span
	for _, heard := range s.Heard {
		if part := heard.Overlap(span); part.Len() > 0 {
			parts = append(parts, part)
		}
	}
	return parts
}
