package media

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

func TestEscapePath(t *testing.T) {
	for _, name := range []string{"plain", "with space", `it's`, `"quoted"`, "a:b", "a,b;c", "[v]", `back\slash`, "100%", "p=q", "ümlaut"} {
		path := filepath.Join(t.TempDir(), name)
		ffmpeg(t, "-f", "lavfi", "-i", "sine=d=0.2", "-af", "ametadata=add:key=k:value=v,ametadata=print:file="+EscapePath(path), "-f", "null", "-")
		if _, err := os.Stat(path); err != nil {
			t.Errorf("ffmpeg did not write to %q: %v", name, err)
		}
	}
}

func TestGain(t *testing.T) {
	for _, test := range []struct {
		loudness LUFS
		want     instrument.Decibel
		reason   string
	}{
		{-16, 0, "it is where it should be"},
		{-20.5, 4.5, "raised"},
		{-10, -6, "lowered"},
		{-69, maxGain, "not raised beyond what is noise"},
		{30, minGain, "not lowered beyond what is a mistake"},
	} {
		if got, ok := (Segment{Loudness: test.loudness}).Gain(); !ok || got != test.want {
			t.Errorf("the gain at %v LUFS is %v, %v, want %v: %s", test.loudness, got, ok, test.want, test.reason)
		}
	}
}

// The filter must really bring each segment to the target, with as many segments as a film has.
func TestGainFilter(t *testing.T) {
	const tone = "aevalsrc='0.05*(1+5*lt(t,4))*sin(2*PI*400*t)':s=48000:d=8"
	measure := func(filter string) []Segment {
		segments := []Segment{{End: 4 * time.Second}, {Start: 4 * time.Second, End: 8 * time.Second}}
		log := ffmpeg(t, "-loglevel", "level+info", "-f", "lavfi", "-i", tone, "-af", filter+LoudnessFilter, "-f", "null", "-")
		measured(log.stderr).Loudness(segments)
		return segments
	}
	filter := func(segments []Segment) string {
		path := filepath.Join(t.TempDir(), "it's, a file: of gains")
		if err := os.WriteFile(path, []byte(GainCommands(segments)), 0o600); err != nil {
			t.Fatal(err)
		}
		return GainFilter(path)
	}
	before := measure("")
	after := measure(filter(before) + ",")
	if spread, _ := Spread(before); spread < 10 {
		t.Fatalf("the test's sound has a spread of %.1f LU", spread)
	}
	for _, s := range after {
		if s.Loudness < Target-0.5 || s.Loudness > Target+0.5 {
			t.Errorf("the segment from %v has %.2f LUFS, want %v", s.Start, s.Loudness, Target)
		}
	}

	// Hours of a game have more scenes than Linux lets an argument have: it ends at 128 KiB.
	film := make([]Segment, 6000)
	for i := range film {
		film[i] = Segment{Start: time.Duration(i) * time.Second, End: time.Duration(i+1) * time.Second, Loudness: LUFS(-20 - i%10)}
	}
	if all := GainCommands(film); len(all) < 128<<10 {
		t.Fatalf("%d bytes of commands would be an argument", len(all))
	}
	ffmpeg(t, "-f", "lavfi", "-i", "sine=d=1", "-af", filter(film), "-f", "null", "-")
}

func TestReadLoudnorm(t *testing.T) {
	report := ffmpeg(t, "-f", "lavfi", "-i", "aevalsrc='0.2*sin(2*PI*400*t)*(0.5+0.5*lt(mod(t,6),3))':s=48000:d=12", "-af", LoudnormFilter(), "-f", "null", "-")
	l, err := ReadLoudnorm(report.stderr)
	if err != nil {
		t.Fatal(err)
	}
	if !l.Linear() {
		t.Fatalf("%+v: one gain would do for this sound", l)
	}
	second := ffmpeg(t, "-f", "lavfi", "-i", "aevalsrc='0.2*sin(2*PI*400*t)*(0.5+0.5*lt(mod(t,6),3))':s=48000:d=12", "-af", l.Filter(), "-f", "null", "-")
	if did, err := ReadLoudnorm(second.stderr); err != nil || did.Type != "linear" {
		t.Errorf("the second pass was %q, %v: Linear promised one gain", did.Type, err)
	}

	silence := ffmpeg(t, "-f", "lavfi", "-i", "anullsrc=d=1", "-af", LoudnormFilter(), "-f", "null", "-")
	if _, err := ReadLoudnorm(silence.stderr); !errors.Is(err, ErrSilent) {
		t.Errorf("silence gives %v, want ErrSilent", err)
	}
	for _, log := range []string{"", "}{", "no report", `{"input_i": 3}`} {
		if _, err := ReadLoudnorm(log); err == nil {
			t.Errorf("%q was read as a report", log)
		}
	}
}

// loudnorm silently uses a dynamic gain under these conditions.
func TestLinear(t *testing.T) {
	good := Loudnorm{Integrated: -18, Peak: -6, Range: 5, Threshold: -28}
	if !good.Linear() {
		t.Fatalf("%+v is linear", good)
	}
	for reason, change := range map[string]func(*Loudnorm){
		"a wide range is compressed":       func(l *Loudnorm) { l.Range = 12 },
		"the peak would be cut":            func(l *Loudnorm) { l.Peak = -2 },
		"a range of 0 counts as not given": func(l *Loudnorm) { l.Range = 0 },
		"so does a loudness of 0":          func(l *Loudnorm) { l.Integrated, l.Peak = 0, -20 },
		"and a threshold of -70":           func(l *Loudnorm) { l.Threshold = -70 },
	} {
		l := good
		change(&l)
		if l.Linear() {
			t.Errorf("%+v: %s", l, reason)
		}
	}
}
