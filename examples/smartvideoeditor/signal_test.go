package main

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/summary"
)

// A signal cancels the jobs. Each ends as usual: with a report, with metrics, and without a partial
// reel.
func TestSignal(t *testing.T) {
	t.Parallel()
	video, out := talkingVideo(t), t.TempDir()
	p := setting{path: hangingRender(t)}.start(t, "-out", out, "-jobs", "2", "-concurrency", "1", "-hold", "1h", video)
	p.says(t, "  normalization ")
	p.Signal(t, syscall.SIGTERM)
	r := p.wait(t)
	if r.exit != 1 || len(r.jobs) != 2 {
		t.Fatalf("exit status %d, jobs %+v", r.exit, r.jobs)
	}
	for _, job := range r.jobs {
		if job.Status != summary.Canceled || job.ErrorType != "canceled" || job.Output != "" {
			t.Errorf("got %+v", job)
		}
	}
	r.metrics.want(t, map[string]float64{
		`jobs_total{status="queued"}`:                           2,
		`jobs_total{status="processing"}`:                       1,
		`jobs_total{status="canceled"}`:                         1,
		`jobs_total{status="failed"}`:                           0,
		`attempts_total{outcome="canceled"}`:                    1,
		`errors_total{error_type="canceled",stage="rendering"}`: 0, // a cancellation is no error
		`ffmpeg_processes`:                                      0,
	})
	if files := reels(t, out); len(files) > 0 {
		t.Errorf("there is %v", files)
	}

	r = edit(t, "-out", out, "-jobs", "2", video)
	if r.exit != 0 {
		t.Errorf("exit status %d of the run that goes on", r.exit)
	}
	r.metrics.want(t, map[string]float64{
		`jobs_total{status="completed"}`:             2,
		`duration_seconds_count{stage="validation"}`: 1, // of the job that had not started
	})
}

// -hold ends with a signal as well, and then the jobs were all done.
func TestSignalWhileHolding(t *testing.T) {
	t.Parallel()
	video := makeMedia(t, filepath.Join(t.TempDir(), "v.mp4"), args(picture, h264)...)
	p := start(t, "-out", t.TempDir(), "-hold", "1h", video)
	p.says(t, "serving metrics")
	p.Signal(t, syscall.SIGINT)
	if r := p.wait(t); r.exit != 0 || len(r.jobs) != 1 {
		t.Errorf("exit status %d, jobs %+v", r.exit, r.jobs)
	}
}

// Two programs in one folder would each take the other's work for its own.
func TestFolderIsTaken(t *testing.T) {
	t.Parallel()
	video, out := makeMedia(t, filepath.Join(t.TempDir(), "v.mp4"), args(picture, h264)...), t.TempDir()
	first := start(t, "-out", out, "-hold", "1h", video)
	first.says(t, "serving metrics")
	if r := edit(t, "-out", out, video); r.exit != 1 || r.jobs != nil {
		t.Errorf("exit status %d, jobs %+v", r.exit, r.jobs)
	}
	first.Signal(t, syscall.SIGINT)
	first.wait(t)
}
