package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"github.com/stagemeter/stagemeter/internal/testserver"
)

// quickstartLine is what quickstart prints of each job: its outcome last, a failed one's type of error.
var quickstartLine = regexp.MustCompile(`(?m)^video-\d+ of .*: (.*)$`)

// TestQuickstartPushesToPrometheus: with nothing but environment variables the program pushes by HTTP to
// Prometheus itself, no collector between; and what it did last, just before it was ended, arrives.
func TestQuickstartPushesToPrometheus(t *testing.T) {
	t.Parallel()
	addr := testserver.FreeAddr(t)
	p := startPrometheus(t, addr, config{})
	cmd := exec.Command(filepath.Join(built(t, "race"), "quickstart"))
	cmd.Env = append(os.Environ(),
		"OTEL_EXPORTER_PROMETHEUS_HOST=127.0.0.1",
		"OTEL_EXPORTER_PROMETHEUS_PORT=0",
		"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT="+p.url+"/api/v1/otlp/v1/metrics",
		"OTEL_EXPORTER_OTLP_METRICS_PROTOCOL=http/protobuf",
		"OTEL_METRIC_EXPORT_INTERVAL=3600000", // so that what arrives is what its end has flushed
	)
	quickstart := testserver.Start(t, "quickstart", cmd)
	quickstart.WaitReady(t, func(context.Context) error {
		if n := len(quickstartLine.FindAllString(quickstart.Output(), -1)); n < 4 {
			return fmt.Errorf("%d jobs ended, waiting for 4", n)
		}
		return nil
	})
	quickstart.Signal(t, syscall.SIGINT)
	if err := quickstart.Wait(t, endWithin); err != nil {
		t.Errorf("ended with %v", err)
	}

	want := map[string]float64{}
	for _, job := range quickstartLine.FindAllStringSubmatch(quickstart.Output(), -1) {
		switch job[1] {
		case "completed", "canceled":
			want[job[1]]++
		default:
			want["failed"]++
		}
	}
	checkSums(t, p, `sum by (status) (video_processing_jobs_total{status=~"completed|failed|canceled"}) > 0`, "status", want)
	checkSums(t, p, `sum by (status) (video_processing_api_calls_total{status="refused"})`, "status",
		map[string]float64{"refused": want["failed"]})
}
