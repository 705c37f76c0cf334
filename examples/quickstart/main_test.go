package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/internal/testserver"
)

// The first thing that a newcomer reads fits on a screen.
func TestLength(t *testing.T) {
	code, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range bytes.Lines(code) {
		if len(bytes.TrimSpace(line)) > 0 {
			n++
		}
	}
	if n > 40 {
		t.Errorf("main.go has %d lines that are not blank, want at most 40", n)
	}
}

// The first thing that a newcomer runs prints a page, and on the page are jobs, a stage, a paid
// call and a budget.
func TestQuickstart(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "quickstart")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v: %s", err, out)
	}
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), "OTEL_EXPORTER_PROMETHEUS_HOST=127.0.0.1", "OTEL_EXPORTER_PROMETHEUS_PORT=0")
	p := testserver.Start(t, "quickstart", cmd)
	wanted := []string{
		`video_processing_jobs_total{status="completed"} `,
		`video_processing_jobs_total{status="failed"} 1`,
		`video_processing_duration_seconds_count{stage="transcription"} `,
		`video_processing_api_calls_total{api="whisper",status="refused"} 1`,
		`video_processing_cost_usd_total{api="whisper"} `,
		`video_processing_budget_remaining_usd{job_id="video-`,
		`video_processing_budget_exceeded_total 1`,
	}
	p.WaitReady(t, func(ctx context.Context) error {
		url := regexp.MustCompile(`http://localhost:\d+/metrics`).FindString(p.Output())
		if url == "" {
			return fmt.Errorf("no page is printed")
		}
		page, err := get(ctx, url)
		if err != nil {
			return err
		}
		for _, sample := range wanted {
			if !strings.Contains(page, sample) {
				return fmt.Errorf("%s is not on the page", sample)
			}
		}
		live, err := get(ctx, strings.TrimSuffix(url, "metrics")+"live/snapshot.json")
		if err == nil && !strings.Contains(live, `"name":"transcription"`) {
			err = fmt.Errorf("the live page shows no stage: %s", live)
		}
		return err
	})
	p.Signal(t, syscall.SIGINT)
	if err := p.Wait(t, time.Minute); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func get(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}
