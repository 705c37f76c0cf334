package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/editor"
)

// shown is what a report says of a job.
type shown struct {
	ID, Status, Error string
	Stages            []struct {
		Name  string
		Usual *struct{ Runs int }
	}
	Calls   []struct{ API string }
	Quality *struct{ Before, After *float64 }
	Spent   int64
}

var reportData = regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`)

// readReport returns the jobs of a report, the newest first, and its text.
func readReport(t *testing.T, path string) (jobs []shown, text string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	stat, err := os.Stat(path)
	if err != nil || stat.Mode().Perm() != 0o644 {
		t.Errorf("the report has the mode %v, error %v", stat.Mode(), err)
	}
	if others, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); err != nil || len(others) > 0 {
		t.Errorf("beside the report is %q, error %v", others, err)
	}
	found := reportData.FindSubmatch(data)
	if found == nil || !strings.HasPrefix(string(data), "<!doctype html>") || !strings.HasSuffix(string(data), "</html>\n") {
		t.Fatalf("the report is %.200q", data)
	}
	var s struct{ Jobs, Finished []shown }
	if err := json.Unmarshal(found[1], &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Jobs) != 0 {
		t.Errorf("%d jobs are unfinished", len(s.Jobs))
	}
	return s.Finished, string(data)
}

// With -report a run leaves a page about each of its jobs: those that completed and those that failed.
func TestReport(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path, broken := filepath.Join(folder, "run.html"), filepath.Join(t.TempDir(), "broken.mp4")
	if err := os.WriteFile(broken, []byte("no video"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := edit(t, "-out", t.TempDir(), "-jobs", "2", "-concurrency", "1", "-report", path, talkingVideo(t), broken)
	if r.exit != 1 || len(r.jobs) != 4 {
		t.Fatalf("exit status %d, jobs %+v", r.exit, r.jobs)
	}
	if lines := strings.Split(strings.TrimSpace(r.output), "\n"); lines[len(lines)-1] != "Report: "+path {
		t.Errorf("the last line is %q", lines[len(lines)-1])
	}
	jobs, text := readReport(t, path)
	if len(jobs) != len(r.jobs) {
		t.Fatalf("the report has %d jobs, want %d", len(jobs), len(r.jobs))
	}
	usual := 0
	for _, want := range r.jobs {
		at := slices.IndexFunc(jobs, func(j shown) bool { return j.ID == want.ID })
		if at < 0 {
			t.Errorf("the report is without %s", want.ID)
			continue
		}
		got := jobs[at]
		if got.Status != string(want.Status) || got.Error != want.ErrorType || !strings.Contains(text, ">"+want.ID+"</th>") {
			t.Errorf("the report has %+v, want %+v", got, want)
		}
		if want.Output == "" {
			continue
		}
		if len(got.Stages) != len(editor.Stages()) || len(got.Calls) != 2 || got.Spent == 0 || got.Quality == nil || got.Quality.After == nil {
			t.Errorf("the report has %+v of a job that completed", got)
		}
		for _, s := range got.Stages {
			if s.Usual != nil && s.Usual.Runs == 1 {
				usual++
			}
		}
	}
	if usual == 0 {
		t.Error("no stage of the second job is beside what the first one took")
	}
}

// So does one that is interrupted. A job that had not begun is in no report.
func TestReportAfterSignal(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "run.html")
	p := setting{path: hangingRender(t)}.start(t, "-out", t.TempDir(), "-jobs", "2", "-concurrency", "1", "-hold", "1h", "-report", path, talkingVideo(t))
	p.says(t, "  normalization ")
	p.Signal(t, syscall.SIGINT)
	r := p.wait(t)
	if r.exit != 1 || !strings.Contains(r.output, "Report: "+path) {
		t.Errorf("exit status %d", r.exit)
	}
	if jobs, _ := readReport(t, path); len(jobs) != 1 || jobs[0].Status != "canceled" || len(jobs[0].Stages) != len(editor.Stages()) {
		t.Errorf("the report has %+v", jobs)
	}
}

// A program that is killed while it holds leaves the report of its jobs, and one whose report cannot be written says so.
func TestReportWhileHolding(t *testing.T) {
	t.Parallel()
	video, path := makeMedia(t, filepath.Join(t.TempDir(), "v.mp4"), args(picture, h264)...), filepath.Join(t.TempDir(), "run.html")
	p := start(t, "-out", t.TempDir(), "-hold", "1h", "-report", path, video)
	p.says(t, "serving metrics")
	p.Signal(t, syscall.SIGKILL)
	if r := p.wait(t); r.exit != -1 {
		t.Errorf("exit status %d", r.exit)
	}
	if jobs, _ := readReport(t, path); len(jobs) != 1 || jobs[0].Status != "completed" {
		t.Errorf("the report has %+v", jobs)
	}

	folder := t.TempDir() // where a file should be
	r := edit(t, "-out", t.TempDir(), "-report", folder, video)
	if r.exit != 1 || len(r.jobs) != 1 || strings.Count(r.output, "-report "+folder) != 1 || strings.Contains(r.output, "Report: ") {
		t.Errorf("exit status %d, jobs %+v", r.exit, r.jobs)
	}
}
