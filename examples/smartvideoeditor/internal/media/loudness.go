package media

import (
	"math"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

// LUFS is a loudness relative to full scale, as ITU-R BS.1770 defines it.
type LUFS float64

// Silence is the absolute gate of BS.1770: only louder windows count as sound.
const Silence LUFS = -70

// The momentary loudness is taken over windows of 400 ms; ffmpeg's ebur128 reports one each 100 ms,
// under the time at which the last of its four steps begins.
const (
	window = 400 * time.Millisecond
	step   = 100 * time.Millisecond
)

// momentary is one window's loudness.
type momentary struct {
	at       time.Duration // where the window's last step begins
	loudness LUFS
}

// sound has the output of the filter ebur128.
type sound []momentary

func (s *sound) add(at time.Duration, key string, value float64) {
	if key == "lavfi.r128.M" {
		*s = append(*s, momentary{at: at, loudness: LUFS(value)})
	}
}

// measure fills in the segments' Loudness.
func (s sound) measure(segments []Segment) {
	next := 0
	for i := range segments {
		from, until := segments[i].Start+window-step, segments[i].End-step
		for next < len(s) && s[next].at < from {
			next++
		}
		first := next
		for next < len(s) && s[next].at <= until {
			next++
		}
		segments[i].Loudness = gated(s[first:next])
	}
}

// gated is the integrated loudness of BS.1770-4: the mean power of the windows that are louder than
// Silence and no more than 10 LU under the mean of those.
func gated(windows []momentary) LUFS {
	mean, ok := meanAbove(windows, Silence)
	if !ok {
		return Silence
	}
	mean, ok = meanAbove(windows, max(mean-10, Silence))
	if !ok {
		return Silence
	}
	return mean
}

func meanAbove(windows []momentary, gate LUFS) (LUFS, bool) {
	const offset = 0.691 // of BS.1770: a 997 Hz sine at 0 dBFS in one channel reads -3.01
	power, count := 0.0, 0
	for _, w := range windows {
		if w.loudness > gate {
			power += math.Pow(10, (float64(w.loudness)+offset)/10)
			count++
		}
	}
	if count == 0 {
		return Silence, false
	}
	return LUFS(10*math.Log10(power/float64(count)) - offset), true
}

// Spread is the difference in loudness between the loudest and the quietest segment that can be
// heard. It is false if none can be. It is not the loudness range of EBU R 128, which says how much
// the loudness varies over the programme.
func Spread(segments []Segment) (instrument.LU, bool) {
	quietest, loudest := LUFS(math.Inf(1)), LUFS(math.Inf(-1))
	for _, s := range segments {
		if s.Loudness > Silence {
			quietest, loudest = min(quietest, s.Loudness), max(loudest, s.Loudness)
		}
	}
	if loudest < quietest {
		return 0, false
	}
	return instrument.LU(loudest - quietest), true
}
