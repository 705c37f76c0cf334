package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stagemeter/stagemeter/internal/testserver"
)

// TestSmartVideoEditor runs the editor once, on a good video, one whose transcription costs more than the
// budget, and a file that is no video, between real servers, and then asks them what a user would.
func TestSmartVideoEditor(t *testing.T) {
	t.Parallel()
	metricsAddr, otlpAddr := testserver.FreeAddr(t), testserver.FreeAddr(t)
	collectorOut, prometheusAddr := testserver.FreeAddr(t), testserver.FreeAddr(t)

	p := startPrometheus(t, prometheusAddr, readmePrometheus(t, metricsAddr, collectorOut))
	c := startCollector(t, readmeCollector(t, otlpAddr, collectorOut), otlpAddr, p.url)
	e := runEditor(t, metricsAddr,
		[]string{
			"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + otlpAddr,
			"OTEL_METRIC_EXPORT_INTERVAL=500",
			"OTEL_BSP_SCHEDULE_DELAY=500",
		},
		"-db", testserver.Postgres(t), "-redis", testserver.Redis(t), "-budget", "0.003",
		speechClip(t, "short talk.mp4", 12), speechClip(t, "long talk.mp4", 60), notAVideo(t))

	t.Run("report", func(t *testing.T) { testReport(t, e.jobs) })
	t.Run("three ways", func(t *testing.T) { testThreeWays(t, p, e) })
	t.Run("metrics agree with the report", func(t *testing.T) { testMetricsAgree(t, p, e.jobs) })
	t.Run("exemplars", func(t *testing.T) { testExemplars(t, p, c, e) })
	t.Run("promtool", func(t *testing.T) { testPromtool(t, e) })
	t.Run("exit", func(t *testing.T) { testExit(t, e) })
}

// notAVideo is a file that has the name of a video only.
func notAVideo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "not a video.mp4")
	if err := os.WriteFile(path, []byte("These are words.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// testReport: one video is edited, one runs out of budget, one is refused for what it is.
func testReport(t *testing.T, jobs []jobReport) {
	want := map[string]string{"short talk.mp4": "completed", "long talk.mp4": "failed", "not a video.mp4": "failed"}
	for _, job := range jobs {
		input := filepath.Base(job.Input)
		if job.Status != want[input] {
			t.Errorf("%s %s, want %s (%s: %s)", input, job.Status, want[input], job.ErrorType, job.Error)
		}
		delete(want, input)
	}
	if len(want) > 0 {
		t.Errorf("no report on %v", want)
	}
}

// testExit: the exit status says that not every job completed; the race detector would say 66.
func testExit(t *testing.T, e editor) {
	e.Signal(t, syscall.SIGTERM)
	err := e.Wait(t, endWithin)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("ended with %v, want exit status 1", err)
	}
}
