package summary

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

var (
	loud = 23.6
	even = 0.0
	jobs = []Job{
		{ID: "a-1", Input: "a.mp4", Status: Completed, Stages: []Stage{{"validation", 0.5}, {"rendering", 1}}, CostUSD: 0.0024,
			LoudnessSpreadBeforeLU: &loud, LoudnessSpreadAfterLU: &even, Segments: 6, Highlights: 3, Transcript: "hello", Output: "/out/a-1.mp4",
			SpeechSeconds: 24, Chapters: []Chapter{{0, "One"}, {4, "Two"}}, Summary: "Both.", InputTokens: 201, OutputTokens: 83},
		{ID: "b-1", Input: "b.mp4", Status: Failed, ErrorType: "truncated", Error: "validation: cut off"},
		{ID: "c-1", Input: "c.mp4", Status: Canceled, ErrorType: "canceled", Error: "not started", Output: "\x1b[31m.mp4"},
	}
)

// The keys are read by other programs: each is there in each job, also in one that came to nothing.
func TestJSONKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jobs.json")
	if err := WriteJSON(path, jobs); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var read []map[string]any
	if err := json.Unmarshal(data, &read); err != nil {
		t.Fatal(err)
	}
	for _, job := range read {
		for _, key := range []string{"id", "input", "status", "error_type", "error", "stages", "cost_usd", "loudness_spread_before_lu",
			"loudness_spread_after_lu", "segments", "highlights", "transcript", "speech_seconds", "chapters", "summary", "input_tokens", "output_tokens", "output", "notes"} {
			if _, ok := job[key]; !ok {
				t.Errorf("job %v has no %s", job["id"], key)
			}
		}
		if _, ok := job["stages"].([]any); !ok {
			t.Errorf("the stages of job %v are %v, want an array", job["id"], job["stages"])
		}
	}
	if read[1]["loudness_spread_before_lu"] != nil || read[0]["loudness_spread_after_lu"] != 0.0 {
		t.Errorf("%s: no spread is null, a spread of 0 is 0", data)
	}
}

func TestJSONOfNoJobs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jobs.json")
	if err := WriteJSON(path, nil); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "[]\n" {
		t.Errorf("wrote %q, %v; want an empty array", data, err)
	}
}

// Writing to an impossible place is an error, and leaves neither a partial file nor a temporary
// one.
func TestWriteFileFails(t *testing.T) {
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "jobs.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(folder, "jobs.json"), filepath.Join(folder, "no", "folder.json")} {
		if err := WriteFile(path, []byte("x")); err == nil {
			t.Errorf("WriteFile(%s) gave no error", path)
		}
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("%v is left, %v", left, err)
	}
}

// WriteFile must not replace /dev/null by a file: it would be gone for everybody.
func TestWriteFileKeepsLinksAndDevices(t *testing.T) {
	folder := t.TempDir()
	target, link := filepath.Join(folder, "target"), filepath.Join(folder, "link")
	if err := errors.Join(os.WriteFile(target, nil, 0o644), os.Symlink(target, link)); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(link, []byte("x")); err != nil {
		t.Error(err)
	}
	if data, err := os.ReadFile(target); string(data) != "x" {
		t.Errorf("the link's target has %q, %v", data, err)
	}
	if stat, err := os.Lstat(link); err != nil || stat.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", stat, err)
	}
	pipe := filepath.Join(folder, "pipe")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	read := make(chan string)
	go func() {
		data, _ := os.ReadFile(pipe)
		read <- string(data)
	}()
	if err := WriteFile(pipe, []byte("y")); err != nil {
		t.Error(err)
	}
	if got := <-read; got != "y" {
		t.Errorf("the pipe gave %q", got)
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := WriteTable(&b, jobs); err != nil {
		t.Fatal(err)
	}
	const want = `JOB  STATUS     TIME  COST     SPEECH   TOKENS    SCENES  REEL  LOUDNESS SPREAD   OUTPUT
a-1  completed  1.5s  $0.0024  0.4 min  201 → 83  6       3     23.6 LU → 0.0 LU  /out/a-1.mp4
b-1  failed     0s    $0.0000  0.0 min  0 → 0     0       0     – → –             truncated
c-1  canceled   0s    $0.0000  0.0 min  0 → 0     0       0     – → –             "\x1b[31m.mp4"
1 completed, 1 failed, 1 canceled; $0.0024
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if strings.ContainsRune(b.String(), 0x1b) {
		t.Error("a path did something to the terminal")
	}
}

func TestAllCompleted(t *testing.T) {
	if AllCompleted(jobs) || !AllCompleted(jobs[:1]) {
		t.Error("all have completed if none failed or was canceled")
	}
}
