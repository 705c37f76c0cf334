package speech

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

// recognizerWith returns a recognizer whose ffmpeg runs a script instead of the recognition itself.
func recognizerWith(t *testing.T, script string) *Pocketsphinx {
	t.Helper()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	script = fmt.Sprintf("#!/bin/sh\ncase \"$*\" in *asr=*) ;; *) exec '%s' \"$@\" ;; esac\n%s\n", ffmpeg, script)
	if err := os.WriteFile(filepath.Join(folder, "ffmpeg"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	return &Pocketsphinx{acoustic: "a", dictionary: "d", language: "l", limits: defaultLimits}
}

// endless is a script that goes on without end.
const endless = `i=0; while sleep 0.02; do i=$((i + 1000000)); printf 'out_time_us=%s\nprogress=continue\n' $i >&3; done`

// The recognizer is bounded in time, whether it hangs or goes on without end, and in its output.
func TestRecognizerIsBounded(t *testing.T) {
	recording := filepath.Join(t.TempDir(), "sound.wav")
	runFFmpeg(t, "-f", "lavfi", "-i", "sine=d=1", recording)
	for _, test := range []struct {
		name, script, errorType string
		limit                   func(*limits)
	}{
		{"hangs", "exec sleep 600", "stalled", func(l *limits) { l.stall = 100 * time.Millisecond }},
		{"does not end", endless, "timeout", func(l *limits) { l.least, l.slowest = 300*time.Millisecond, 0 }},
		{"writes without end", "exec yes lavfi.asr.text=word", "broken_pipe", func(l *limits) { l.output = 1 << 20 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := recognizerWith(t, test.script)
			test.limit(&p.limits)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // so that the test fails and ends
			defer cancel()
			got, err := p.Recognize(ctx, recording, func(float64) {})
			if err == nil || ctx.Err() != nil || len(got.Utterances) > 0 || errors.Is(err, ErrNotAudio) {
				t.Errorf("got %d utterances, %v", len(got.Utterances), err)
			}
			if kind := instrument.ErrorType(err); kind != test.errorType {
				t.Errorf("%v has the type %s, want %s", err, kind, test.errorType)
			}
		})
	}
}

// The length is that of the sound, which the header may not know, and it is bounded.
func TestLength(t *testing.T) {
	folder := t.TempDir()
	piped, short := filepath.Join(folder, "piped.flac"), filepath.Join(folder, "short.flac")
	out, err := exec.Command("sh", "-c", "ffmpeg -nostdin -v error -f lavfi -i sine=d=3:r=16000 -f flac - | cat >'"+piped+"'").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	runFFmpeg(t, "-f", "lavfi", "-i", "sine=d=1.5:r=44100", short)
	p := recognizerWith(t, "exit 1")
	for path, want := range map[string]time.Duration{piped: 3 * time.Second, short: 1500 * time.Millisecond} {
		if got, err := p.measure(t.Context(), path); err != nil || got != want {
			t.Errorf("%s is %v long, %v, want %v", filepath.Base(path), got, err, want)
		}
	}
	p.limits.length = 2 * time.Second
	if _, err := p.Recognize(t.Context(), piped, func(float64) {}); !errors.Is(err, ErrTooLong) {
		t.Errorf("three seconds with a limit of two give %v", err)
	}
}

// The recognizer says how much of the recording is done, of which a second of silence is a part.
func TestRecognizerTellsItsProgress(t *testing.T) {
	recording := filepath.Join(t.TempDir(), "sound.wav")
	runFFmpeg(t, "-f", "lavfi", "-i", "sine=d=3", recording)
	p := recognizerWith(t, `printf 'out_time_us=1000000\nprogress=continue\n' >&3; sleep 0.5; printf 'out_time_us=4000000\nprogress=end\n' >&3`)
	var told []float64
	if _, err := p.Recognize(t.Context(), recording, func(fraction float64) { told = append(told, fraction) }); err != nil {
		t.Fatal(err)
	}
	if len(told) < 2 || told[0] != 0.25 || told[len(told)-1] != 1 {
		t.Errorf("told %v, want a quarter first and all at last", told)
	}
}
