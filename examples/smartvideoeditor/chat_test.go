package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/summary"
)

// -chat-url asks another service for titles, and STAGEMETER_PRICES says what it and the transcription
// cost. If that service refuses, the reel does without, and nothing shows the key that it repeats.
func TestChatURL(t *testing.T) {
	t.Parallel()
	const key, password = "sk-k3y", "passw0rd"
	var status atomic.Int64
	status.Store(http.StatusOK)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		switch {
		case err != nil:
			t.Error(err)
		case r.URL.Path == "/v1/audio/transcriptions":
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"text": "from elsewhere", "usage": {"type": "duration", "seconds": 2}}`) // an error shows in the program
		case r.URL.Path != "/v1/chat/completions" || !strings.Contains(string(body), "from elsewhere"):
			t.Errorf("got %s with %s", r.URL.Path, body)
		case status.Load() != http.StatusOK:
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(int(status.Load()))
			_, word, _ := r.BasicAuth()
			message := fmt.Sprintf("refused: %s %s", word, key)
			_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": message}}) // as above
		default:
			w.Header().Set("Content-Type", "text/event-stream")
			_, _ = io.WriteString(w, `data: {"model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":"{\"titles\":[\"A tone\"],\"summary\":\"It sounds.\"}"}}]}`+"\n\n"+
				`data: {"model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":20}}`+"\n\ndata: [DONE]\n\n") // as above
		}
	}))
	defer service.Close()
	prices := filepath.Join(t.TempDir(), "prices.json")
	if err := os.WriteFile(prices, []byte(`{"rows": [
		{"provider": "openai", "model": "whisper-1", "per_60_seconds": {"audio": "0.03"}},
		{"provider": "openai", "model": "gpt-4o-mini", "per_1M": {"input": "1", "output": "2"}}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	video := makeMedia(t, t.TempDir()+"/v.mp4", args(picture, tone, h264)...)
	with := setting{env: []string{"OPENAI_API_KEY=" + key, "STAGEMETER_PRICES=" + prices}}
	chat := strings.Replace(service.URL, "//", "//user:"+password+"@", 1) + "/v1"
	run := func() (result, summary.Job) {
		r := with.start(t, "-out", t.TempDir(), "-speech-url", service.URL+"/v1", "-chat-url", chat, video).wait(t)
		if r.exit != 0 || len(r.jobs) != 1 {
			t.Fatalf("exit status %d, jobs %+v", r.exit, r.jobs)
		}
		if said := fmt.Sprintf("%s %+v", r.output, r.jobs); strings.Contains(said, key) || strings.Contains(said, password) {
			t.Errorf("a key is shown: %s", said)
		}
		return r, r.jobs[0]
	}

	r, job := run()
	if len(job.Chapters) != 1 || job.Chapters[0].Title != "A tone" || job.Summary != "It sounds." || job.Notes != nil || job.CostUSD != 0.001+0.00104 {
		t.Errorf("got %+v, want a title, at the prices of the file", job)
	}
	r.metrics.want(t, map[string]float64{`cost_usd_total{api="whisper"}`: 0.001, `cost_usd_total{api="openai"}`: 0.00104})

	status.Store(http.StatusUnauthorized)
	r, job = run()
	if job.Chapters != nil || job.CostUSD != 0.001 || len(job.Notes) != 1 || !strings.Contains(job.Notes[0], "401 Unauthorized: refused: ") {
		t.Errorf("got %+v, want a note about the refusal", job)
	}
	r.metrics.want(t, map[string]float64{
		`api_calls_total{api="openai",status="error"}`:        1,
		`errors_total{error_type="http_401",stage="titling"}`: 1,
	})

	if r := with.start(t, "-out", t.TempDir(), "-speech-url", service.URL, "-chat-url", "//user:"+password+"@host/v1", video).wait(t); r.exit != 1 ||
		!strings.Contains(r.output, "-chat-url: want a URL") || strings.Contains(r.output, password) {
		t.Errorf("exit status %d: %s", r.exit, r.output)
	}
}
