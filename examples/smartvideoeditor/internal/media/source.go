package media

import (
	"fmt"
	"strings"
	"time"
)

// A Source is what has been read of an input by decoding it whole. Its header is not believed: a
// stream may start late, end early, and be shorter or longer than the file says.
//
// The first frame of the picture is at 0 in all times but Origin.
type Source struct {
	Origin time.Duration // the time of the first frame of the picture, as ffmpeg counts the file's
	Length time.Duration // of the picture, from its first frame to the end of its last

	Frames        int     // of the picture
	FrameRate     float64 // their mean over Length, per second
	Width, Height int     // as most frames are shown: upright, with square pixels
	Varies        bool    // the size or the format of the picture changes midstream
	Interlaced    bool
	Colors        Colors

	// Damaged and DamagedSound count packets that came damaged, or frames that could not be decoded
	// whole, if those are more.
	Damaged, DamagedSound int

	// Heard has the parts of the picture under which there is sound, in order, with at least a
	// second between them. It is empty without sound. Sound that is there may be silence.
	Heard []Span

	// Before and After are the lengths of the sound before the picture's first frame and after its
	// last, which no reel can have.
	Before, After time.Duration
}

// Colors says what the numbers of a picture mean, in the words of ffmpeg. "unknown" is one.
type Colors struct{ Range, Matrix, Primaries, Transfer string }

// HDR reports whether the picture needs a display that is brighter than usual.
func (c Colors) HDR() bool { return c.Transfer == "smpte2084" || c.Transfer == "arib-std-b67" }

// worthTelling is the shortest loss of sound that Notes reports. Encoders often round the ends of
// streams by less.
const worthTelling = time.Second

// Notes returns what of the input the reel cannot have, in sentences for people.
func (s Source) Notes() []string {
	var notes []string
	var lost []string
	if s.Before >= worthTelling {
		lost = append(lost, fmt.Sprintf("%v of sound before the picture starts", s.Before.Round(10*time.Millisecond)))
	}
	if s.After >= worthTelling {
		lost = append(lost, fmt.Sprintf("%v of sound after the picture ends", s.After.Round(10*time.Millisecond)))
	}
	if len(lost) > 0 {
		notes = append(notes, strings.Join(lost, " and ")+": neither edited nor transcribed")
	}
	if s.Damaged > 0 {
		notes = append(notes, fmt.Sprintf("the picture is damaged: %d of its packets or frames, beside %d frames that could be decoded",
			s.Damaged, s.Frames))
	}
	if s.DamagedSound > 0 {
		notes = append(notes, fmt.Sprintf("the sound is damaged: %d of its packets could not be decoded whole", s.DamagedSound))
	}
	return notes
}
