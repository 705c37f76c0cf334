package media

import (
	"fmt"
	"strings"

	"github.com/stagemeter/stagemeter/instrument"
)

// Target is the loudness of the segments after normalization: that of talk on streaming platforms.
const Target LUFS = -16

// The range of a gain. More than that raises the noise of a room, not its voice.
const (
	maxGain instrument.Decibel = 24
	minGain instrument.Decibel = -30
)

// Gain is by how much the segment's sound is to be changed so that it is as loud as Target. It is
// false for a segment that is silent, which stays as it is.
func (s Segment) Gain() (instrument.Decibel, bool) {
	if s.Loudness <= Silence {
		return 0, false
	}
	return min(max(instrument.Decibel(Target-s.Loudness), minGain), maxGain), true
}

// GainFilter is the ffmpeg filter that applies each segment's gain over its time, and holds the
// peaks under the true peak that LoudnormFilter aims at.
func GainFilter(segments []Segment) string {
	var commands strings.Builder
	for i, s := range segments {
		gain, _ := s.Gain()
		if i > 0 {
			commands.WriteByte(';')
		}
		fmt.Fprintf(&commands, "%s volume volume %.3fdB", Timestamp(s.Start), gain)
	}
	return fmt.Sprintf("asendcmd=c='%s',volume=volume=0dB:precision=float,alimiter=limit=0.75:level=disabled", commands.String())
}
