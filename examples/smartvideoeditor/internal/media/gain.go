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
// peaks under the true peak that LoudnormFilter aims at. The file at path has to have the commands
// of GainCommands: a video may have more segments than an argument can hold.
func GainFilter(path string) string {
	return "asendcmd=f=" + EscapePath(path) + ",volume=volume=0dB:precision=float,alimiter=limit=0.75:level=disabled"
}

// GainCommands returns the commands for GainFilter.
func GainCommands(segments []Segment) string {
	var commands strings.Builder
	for _, s := range segments {
		gain, _ := s.Gain()
		fmt.Fprintf(&commands, "%s volume volume %.3fdB;\n", Timestamp(s.Start), gain)
	}
	return commands.String()
}
