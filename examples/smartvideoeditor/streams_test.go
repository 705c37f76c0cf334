package main

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/summary"
)

// An oddity is an input whose streams are not what its header or a player's habits suggest.
type oddity struct {
	name string
	path string

	length   float64  // of the reel's picture, in seconds, and of its sound if there is one
	loud     [][2]int // seconds of the reel in which there is sound; in all others of it there is none
	segments int
	notes    []string // words of what is said to be left out, in order
	refused  string   // the error type of validation
	why      string   // words of the error
}

// Each input is edited rightly, or refused by validation with a true sentence, and nothing silent is
// paid for.
func TestOddStreams(t *testing.T) {
	t.Parallel()
	service := hearing(t)
	inputs := oddities(t)
	command := []string{"-out", t.TempDir(), "-speech-url", service.URL + "/v1", "-concurrency", "3"}
	for _, in := range inputs {
		command = append(command, in.path)
	}
	r := edit(t, command...)
	if len(r.jobs) != len(inputs) {
		t.Fatalf("exit status %d, %d jobs", r.exit, len(r.jobs))
	}
	for i, in := range inputs {
		t.Run(in.name, func(t *testing.T) { in.check(t, r.jobs[i]) })
	}
}

func (in oddity) check(t *testing.T, job summary.Job) {
	if in.refused != "" {
		if job.Status != summary.Failed || job.ErrorType != in.refused || !strings.HasPrefix(job.Error, "validation: ") ||
			!strings.Contains(job.Error, in.why) || len(job.Stages) > 0 || job.CostUSD != 0 {
			t.Errorf("got %+v, want an error of validation of type %s", job, in.refused)
		}
		return
	}
	if job.Status != summary.Completed || job.Segments != max(1, in.segments) {
		t.Fatalf("got %+v", job)
	}
	if len(job.Notes) != len(in.notes) {
		t.Fatalf("%d things are said to be left out: %q", len(job.Notes), job.Notes)
	}
	for i, words := range in.notes {
		if !strings.Contains(job.Notes[i], words) {
			t.Errorf("%q is said, want %q", job.Notes[i], words)
		}
	}
	p := playable(t, job.Output)
	for _, s := range p.Streams {
		length, err := strconv.ParseFloat(s.Duration, 64)
		if err != nil || math.Abs(length-in.length) > 0.045 {
			t.Errorf("the reel's %s is %s s long, want %v", s.Type, s.Duration, in.length)
		}
	}
	if sound := len(p.Streams) == 2; sound != (in.loud != nil) {
		t.Fatalf("the reel has %d streams", len(p.Streams))
	}
	for second := 0; in.loud != nil && second < int(in.length); second++ {
		want := false
		for _, span := range in.loud {
			want = want || second >= span[0] && second < span[1]
		}
		if level := volume(t, job.Output, float64(second)+0.2, 0.6); level > -50 != want {
			t.Errorf("at second %d of the reel the sound has %v dB", second, level)
		}
	}
	if paid := job.CostUSD > 0; paid != (in.loud != nil) {
		t.Errorf("the transcription has cost $%v", job.CostUSD)
	}
}

var meanVolume = regexp.MustCompile(`mean_volume: (-?[\d.]+|-inf) dB`)

// volume measures the sound of a part of a file, in dB of full scale.
func volume(t *testing.T, path string, start, length float64) float64 {
	t.Helper()
	out, err := exec.Command("ffmpeg", "-nostdin", "-ss", strconv.FormatFloat(start, 'f', 3, 64),
		"-t", strconv.FormatFloat(length, 'f', 3, 64), "-i", path, "-vn", "-af", "volumedetect", "-f", "null", "-").CombinedOutput()
	found := meanVolume.FindSubmatch(out)
	if err != nil || found == nil {
		t.Fatalf("the volume of %s: %v: %s", path, err, out)
	}
	level, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return level
}

// hearing is a paid service that gets nothing but recordings with something to hear in them.
func hearing(t *testing.T) *httptest.Server {
	t.Helper()
	folder := t.TempDir()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recording, _, err := r.FormFile("file")
		if err != nil {
			t.Error(err)
			return
		}
		path := filepath.Join(folder, strconv.FormatInt(uploads.Add(1), 10)+".flac")
		data, err := io.ReadAll(recording)
		if err != nil || os.WriteFile(path, data, 0o600) != nil {
			t.Error(err)
			return
		}
		if level := volume(t, path, 0, 3600); level < -60 {
			t.Errorf("a recording of %v dB was sent", level)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"text": "a tone"}) // an error shows in the program
	}))
	t.Cleanup(service.Close)
	return service
}

// The paths that a stage keeps survive in any folder: a run that is killed goes on, and a job that
// is done is not repeated.
func TestFolderThatIsNotUTF8(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	video := makeMedia(t, filepath.Join(folder, "v.mp4"), args(picture, tone, h264)...)
	out := filepath.Join(folder, "out\xff'\xfe")
	p := setting{path: hangingRender(t)}.start(t, "-out", out, video)
	p.says(t, "  normalization ")
	p.Signal(t, syscall.SIGKILL)
	p.wait(t)

	r := edit(t, "-out", out, video)
	if r.exit != 0 {
		t.Fatalf("exit status %d, jobs %+v", r.exit, r.jobs)
	}
	r.metrics.want(t, map[string]float64{
		`duration_seconds_count{stage="normalization"}`: 0, `duration_seconds_count{stage="rendering"}`: 1,
	})
	if len(reels(t, out)) != 1 {
		t.Errorf("the folder has %v", reels(t, out))
	}
	edit(t, "-out", out, video).metrics.want(t, map[string]float64{`jobs_total{status="processing"}`: 0})
}
