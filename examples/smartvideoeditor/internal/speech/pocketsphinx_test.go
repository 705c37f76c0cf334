package speech

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A voice says a sentence, and the service must have understood it: nothing here is pretended.
func TestRecognizesSpeech(t *testing.T) {
	recognizer, err := NewPocketsphinx(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	recording := filepath.Join(t.TempDir(), "it's a voice: [1].flac")
	// Without a pause behind it: the last word must not be lost.
	runFFmpeg(t, "-f", "lavfi", "-i", "flite=text='Welcome to the smart video editor.':voice=slt", "-ar", "16000", recording)
	transcript, err := recognizer.Recognize(t.Context(), recording, func(float64) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"welcome", "smart", "video"} {
		if !strings.Contains(transcript.Text(), word) {
			t.Errorf("heard %q, without %q", transcript.Text(), word)
		}
	}
	if transcript.Duration < time.Second || transcript.Duration > 5*time.Second {
		t.Errorf("the recording is said to be %v long", transcript.Duration)
	}
	for _, u := range transcript.Utterances {
		if u.Start < 0 || u.End < u.Start || u.End > transcript.Duration {
			t.Errorf("utterance %+v in a recording of %v", u, transcript.Duration)
		}
	}

	video := filepath.Join(t.TempDir(), "silent.mp4")
	runFFmpeg(t, "-f", "lavfi", "-i", "testsrc2=d=1", "-c:v", "libx264", "-preset", "ultrafast", video)
	for name, path := range map[string]string{"a video without sound": video, "source code": "pocketsphinx_test.go"} {
		if _, err := recognizer.Recognize(t.Context(), path, func(float64) {}); !errors.Is(err, ErrNotAudio) {
			t.Errorf("%s gives %v, want ErrNotAudio", name, err)
		}
	}
}

func TestModelMissing(t *testing.T) {
	t.Setenv(ModelVariable, t.TempDir())
	if _, err := NewPocketsphinx(t.Context()); err == nil || !strings.Contains(err.Error(), ModelVariable) {
		t.Errorf("got %v, want an error that names %s", err, ModelVariable)
	}
}

func runFFmpeg(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.Command("ffmpeg", append([]string{"-nostdin", "-v", "error", "-y"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
}
