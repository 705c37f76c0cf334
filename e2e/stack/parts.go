package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/stagemeter/stagemeter/e2e/internal/clip"
)

// editWithin is generous: it ends with the last job.
const editWithin = 30 * time.Minute

// startServers starts Prometheus, the collector and Redis, and waits until they answer.
func (g *group) startServers(ctx context.Context, work string, at addresses, with files) error {
	p, err := g.start(work, "prometheus", exec.Command(filepath.Join(bin, "prometheus"),
		"--config.file="+with.prometheus,
		"--storage.tsdb.path="+filepath.Join(work, "tsdb"),
		"--web.listen-address="+at.prometheus,
		"--enable-feature=exemplar-storage",
		"--log.level=warn"))
	if err != nil {
		return err
	}
	c, err := g.start(work, "collector", exec.Command(filepath.Join(bin, "collector"), "--config="+with.collector))
	if err != nil {
		return err
	}
	r, err := g.start(work, "redis", exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port(at.redis),
		"--dir", work, "--save", "", "--appendonly", "no"))
	if err != nil {
		return err
	}
	return errors.Join(
		p.wait(ctx, readyWithin, answers("http://"+at.prometheus+"/-/ready")),
		c.wait(ctx, readyWithin, answers("http://"+at.health)),
		r.wait(ctx, readyWithin, listening("127.0.0.1:"+port(at.redis))))
}

// edit runs the editor until its last job has ended; it then goes on serving its metrics.
func (g *group) edit(ctx context.Context, work string, at addresses, jobs int) error {
	talk, long, no := filepath.Join(work, "talk.mp4"), filepath.Join(work, "long-talk.mp4"), filepath.Join(work, "not-a-video.mp4")
	err := errors.Join(
		clip.Speech(ctx, talk, 12),
		clip.Speech(ctx, long, 60),
		os.WriteFile(no, []byte("These are words.\n"), 0o600))
	if err != nil {
		return err
	}
	report := filepath.Join(work, "report.json")
	cmd := exec.Command(filepath.Join(bin, "smartvideoeditor"),
		"-listen", at.metrics, "-hold", "8760h", "-out", filepath.Join(work, "out"), "-json", report,
		"-redis", "redis://127.0.0.1:"+port(at.redis),
		"-jobs", fmt.Sprint(jobs), "-budget", "0.003", // a minute of transcription is $0.006
		talk, long, no)
	cmd.Env = append(os.Environ(),
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://"+at.otlp,
		"OTEL_METRIC_EXPORT_INTERVAL=5000",
		fmt.Sprintf("OTEL_BSP_SCHEDULE_DELAY=%d", spanDelay.Milliseconds()))
	e, err := g.start(work, "editor", cmd)
	if err != nil {
		return err
	}
	return e.wait(ctx, editWithin, func(context.Context) error {
		text, err := os.ReadFile(report)
		if err != nil {
			return err
		}
		var jobs []struct{}
		return json.Unmarshal(text, &jobs)
	})
}

// answers is ready when a GET of url answers 200.
func answers(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("GET %s: %s", url, resp.Status)
		}
		return nil
	}
}
