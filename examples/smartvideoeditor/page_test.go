package main

import (
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/editor"
)

var pageURL = regexp.MustCompile(`Live page: (http://127\.0\.0\.1:\d+/) · metrics: (http://127\.0\.0\.1:\d+/metrics)`)

// The first line and the last one say where the live page is, which shows what the jobs were.
func TestLivePage(t *testing.T) {
	t.Parallel()
	video := makeMedia(t, filepath.Join(t.TempDir(), "v.mp4"), args(picture, h264)...)
	p := start(t, "-out", t.TempDir(), "-hold", "1h", video)
	p.says(t, "Ctrl-C ends")
	lines := strings.Split(strings.TrimSpace(p.Output()), "\n")
	first, last := pageURL.FindStringSubmatch(p.Output()), lines[len(lines)-1]
	if first == nil || last != first[0]+" · Ctrl-C ends" {
		t.Fatalf("the last line is %q, the page %v", last, first)
	}
	if text := get(t, first[1]); !strings.Contains(text, "<!doctype html>") {
		t.Errorf("the page is %.200q", text)
	}
	if text := get(t, first[2]); !strings.Contains(text, "video_processing_jobs_total") {
		t.Errorf("the metrics are %.200q", text)
	}
	var s struct {
		Stages   []string
		Finished []struct {
			Status string
			Video  int64
			Stages []struct{ Name string }
		}
	}
	if err := json.Unmarshal([]byte(get(t, first[1]+"live/snapshot.json")), &s); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s.Stages, editor.Stages()) || len(s.Finished) != 1 {
		t.Fatalf("the page has the stages %v and %d finished jobs", s.Stages, len(s.Finished))
	}
	if j := s.Finished[0]; j.Status != "completed" || j.Video < 1000 || len(j.Stages) != len(editor.Stages()) {
		t.Errorf("the page shows %+v", j)
	}
	p.Signal(t, syscall.SIGINT)
	if r := p.wait(t); r.exit != 0 || len(r.jobs) != 1 {
		t.Errorf("exit status %d, jobs %+v", r.exit, r.jobs)
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The next run of the program estimates from its first job on, by how long stages took in the last
// one. A record that is broken is as none.
func TestEstimatesOfEarlierRuns(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	video, db := makeMedia(t, filepath.Join(folder, "v.mp4"), args(picture, h264)...), filepath.Join(folder, "kept.db")
	run := func(out string) string {
		r := edit(t, "-out", filepath.Join(folder, out), "-db", db, video)
		if r.exit != 0 {
			t.Fatalf("exit status %d", r.exit)
		}
		return r.output
	}
	const known = ", by 1 earlier run\n"
	if output := run("first"); strings.Contains(output, known) {
		t.Error("the first run knows earlier ones")
	}
	if output := run("second"); !regexp.MustCompile(`(?m)^v-\S+  started: (< 10 s|≈ .+)` + known).MatchString(output) {
		t.Error("the second run does not say when it will be done")
	}
	kept, err := sql.Open("sqlite", db)
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	if _, err := kept.Exec(`UPDATE usual SET times = '[{'`); err != nil {
		t.Fatal(err)
	}
	if output := run("third"); strings.Contains(output, "earlier run") || !strings.Contains(output, "estimates begin anew") {
		t.Error("the third run does not say that its record is broken")
	}
}
