package media

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

// The gating is that of BS.1770, so the results must equal those of ffmpeg, which measures each
// segment in a run of its own.
func TestLoudnessAgreesWithFFmpeg(t *testing.T) {
	const tone = "aevalsrc='(0.02+0.3*between(t,3,6)+0.1*between(t,6,7))*sin(2*PI*400*t)*(lt(mod(t,1.5),1.1))':s=48000:d=9"
	ends := []time.Duration{3 * time.Second, 6 * time.Second, 9 * time.Second}
	segments := make([]Segment, len(ends))
	start := time.Duration(0)
	for i, end := range ends {
		segments[i] = Segment{Start: start, End: end}
		start = end
	}
	log := ffmpeg(t, "-loglevel", "level+info", "-f", "lavfi", "-i", tone, "-af", LoudnessFilter, "-f", "null", "-")
	measured(log.stderr).Loudness(segments)
	for _, s := range segments {
		alone := ffmpeg(t, "-f", "lavfi", "-i", tone, "-af",
			fmt.Sprintf("atrim=%s:%s,asetpts=N/SR/TB,ebur128=framelog=verbose", Timestamp(s.Start), Timestamp(s.End)), "-f", "null", "-")
		found := regexp.MustCompile(`(?s)Integrated loudness:\s+I:\s+(-?[\d.]+) LUFS`).FindStringSubmatch(alone.stderr)
		if found == nil {
			t.Fatalf("ffmpeg reported no loudness: %s", alone.stderr)
		}
		want, _ := strconv.ParseFloat(found[1], 64) // the expression matched a number
		if math.Abs(float64(s.Loudness)-want) > 0.1 {
			t.Errorf("the segment from %v has %.2f LUFS, ffmpeg says %.1f", s.Start, s.Loudness, want)
		}
	}
}

// measured reads a log.
func measured(log string) *Measured {
	var m Measured
	_, _ = io.WriteString(m.Log(), log) // never fails
	return &m
}

type output struct{ stdout, stderr string }

func ffmpeg(t *testing.T, args ...string) output {
	t.Helper()
	cmd := exec.Command("ffmpeg", append([]string{"-nostdin", "-hide_banner"}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, &stderr)
	}
	return output{stdout.String(), stderr.String()}
}

func TestSpread(t *testing.T) {
	of := func(loudness ...LUFS) (segments []Segment) {
		for _, l := range loudness {
			segments = append(segments, Segment{Loudness: l})
		}
		return segments
	}
	for _, test := range []struct {
		segments []Segment
		want     instrument.LU
		ok       bool
		reason   string
	}{
		{of(-16, -39, -20), 23, true, "the loudest less the quietest"},
		{of(-16, Silence, -18), 2, true, "silence does not count"},
		{of(-16), 0, true, "one segment is as loud as itself"},
		{of(Silence, Silence), 0, false, "silence has no spread, not one of 0"},
		{nil, 0, false, "nor has nothing"},
	} {
		got, ok := Spread(test.segments)
		if got != test.want || ok != test.ok {
			t.Errorf("Spread(%v) = %v, %v; want %v, %v: %s", test.segments, got, ok, test.want, test.ok, test.reason)
		}
	}
}

// A sound that is shorter than a window of BS.1770, or all below its gate, has no loudness. It must
// not become -Inf or NaN, which neither JSON nor a histogram accepts.
func TestSilence(t *testing.T) {
	segments := []Segment{{End: 300 * time.Millisecond}, {Start: 300 * time.Millisecond, End: 2 * time.Second}}
	var m Measured
	m.sound.add(200*time.Millisecond, "lavfi.r128.M", -10)
	m.sound.add(time.Second, "lavfi.r128.M", -120.7)
	m.Loudness(segments)
	for _, s := range segments {
		if s.Loudness != Silence {
			t.Errorf("the segment from %v has %v LUFS, want silence", s.Start, s.Loudness)
		}
		if gain, ok := s.Gain(); ok || gain != 0 {
			t.Errorf("silence gets a gain of %v dB", gain)
		}
	}
}
