package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/store"
	"github.com/stagemeter/stagemeter/examples/smartvideoeditor/internal/summary"
	"github.com/stagemeter/stagemeter/internal/testserver"
)

// With real servers: checkpoints in PostgreSQL, analyses in Redis, which the second job finds
// there. Both pools are seen.
func TestPostgresAndRedis(t *testing.T) {
	t.Parallel()
	db, redis, out, video := testserver.Postgres(t), testserver.Redis(t), t.TempDir(), talkingVideo(t)
	r := edit(t, "-out", out, "-db", db, "-redis", redis, "-jobs", "2", "-concurrency", "1", video)
	if r.exit != 0 || len(r.jobs) != 2 {
		t.Fatalf("exit status %d, jobs %+v", r.exit, r.jobs)
	}
	if strings.Count(r.output, "from the cache") != 1 {
		t.Error("the second job has not found its analysis in the cache")
	}
	if a, b := r.jobs[0], r.jobs[1]; a.Segments != b.Segments || *a.LoudnessSpreadBeforeLU != *b.LoudnessSpreadBeforeLU {
		t.Errorf("what is from the cache differs: %+v, %+v", a, b)
	}
	r.metrics.want(t, map[string]float64{
		`jobs_total{status="completed"}`:                  2,
		`segments_detected_count`:                         2,
		`api_calls_total{api="whisper",status="success"}`: 2,
		`api_calls_total{api="openai",status="success"}`:  2,
	})
	for _, pool := range []string{`database_connections{pool="checkpoints"`, `redis_connections{pool="cache"`} {
		idle, seen := r.metrics[pool+`,state="idle"}`]
		if !seen || idle < 1 {
			t.Errorf("%s has %v idle connections, want at least one", pool, idle)
		}
	}

	s, err := store.Open(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, job := range r.jobs {
		if c, err := s.Load(t.Context(), job.ID); err != nil || c.Status != store.Completed || len(c.Stages) != len(allStages) {
			t.Errorf("job %s in the database: %+v, %v", job.ID, c, err)
		}
	}

	again := edit(t, "-out", out, "-db", db, "-redis", redis, "-jobs", "2", video)
	again.metrics.want(t, map[string]float64{`jobs_total{status="completed"}`: 0})
}

// A cache that is away costs a line in the log, not a job.
func TestRedisAway(t *testing.T) {
	t.Parallel()
	video := makeMedia(t, t.TempDir()+"/v.mp4", args(picture, h264)...)
	r := edit(t, "-out", t.TempDir(), "-redis", "redis://127.0.0.1:1", video)
	if r.exit != 0 || !strings.Contains(r.output, "cache: get") {
		t.Errorf("exit status %d", r.exit)
	}
}

// A budget refuses a call before it is made and paid for. With more of it the job goes on, and if that
// is enough for all but the titles, without them.
func TestBudget(t *testing.T) {
	t.Parallel()
	video, out := talkingVideo(t), t.TempDir()
	r := edit(t, "-out", out, "-budget", "0.0005", video)
	if r.exit != 1 || len(r.jobs) != 1 {
		t.Fatalf("exit status %d, jobs %+v", r.exit, r.jobs)
	}
	if job := r.jobs[0]; job.Status != summary.Failed || job.ErrorType != "budget_exceeded" || job.CostUSD != 0 || len(job.Stages) != 2 {
		t.Errorf("got %+v", job)
	}
	r.metrics.want(t, map[string]float64{
		`budget_exceeded_total`:                                            1,
		`cost_usd_total{api="whisper"}`:                                    0,
		`api_calls_total{api="whisper",status="refused"}`:                  1,
		`api_calls_total{api="whisper",status="success"}`:                  0,
		`errors_total{error_type="budget_exceeded",stage="transcription"}`: 1,
	})

	r = edit(t, "-out", out, "-budget", "0.0006", video)
	if r.exit != 0 || len(r.jobs) != 1 || r.jobs[0].CostUSD != 0.0006 {
		t.Fatalf("exit status %d, jobs %+v", r.exit, r.jobs)
	}
	if notes := r.jobs[0].Notes; len(notes) != 1 || !strings.Contains(notes[0], "no titles and no summary: budget exceeded") || r.jobs[0].Chapters != nil {
		t.Errorf("the notes are %q, the chapters %v", notes, r.jobs[0].Chapters)
	}
	r.metrics.want(t, map[string]float64{
		`cost_usd_total{api="whisper"}`:                              0.0006,
		`cost_usd_total{api="openai"}`:                               0,
		`api_calls_total{api="openai",status="refused"}`:             1,
		`errors_total{error_type="budget_exceeded",stage="titling"}`: 1,
		`duration_seconds_count{stage="analysis"}`:                   0,
	})
}

// -speech-url and OPENAI_API_KEY suffice to transcribe with another service.
func TestSpeechURL(t *testing.T) {
	t.Parallel()
	with := setting{env: []string{"OPENAI_API_KEY=sk-test"}}
	var calls, status atomic.Int64
	status.Store(http.StatusOK)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if r.URL.Path != "/v1/audio/transcriptions" || r.Header.Get("Authorization") != "Bearer sk-test" {
			t.Errorf("got %s with %q", r.URL.Path, r.Header.Get("Authorization"))
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(int(status.Load()))
		body := map[string]any{"text": "from elsewhere", "usage": map[string]any{"type": "duration", "seconds": 60}}
		if status.Load() != http.StatusOK {
			body = map[string]any{"error": map[string]any{"message": "no such key", "type": "invalid_request_error"}}
		}
		_ = json.NewEncoder(w).Encode(body) // an error shows in the program
	}))
	defer service.Close()
	video := makeMedia(t, t.TempDir()+"/v.mp4", args(picture, tone, h264)...)

	r := with.start(t, "-out", t.TempDir(), "-speech-url", service.URL+"/v1", video).wait(t)
	if r.exit != 0 || len(r.jobs) != 1 || r.jobs[0].Transcript != "from elsewhere" || r.jobs[0].CostUSD != 0.006 || calls.Load() != 1 {
		t.Errorf("exit status %d after %d calls, jobs %+v; want what the service heard, at what it has billed", r.exit, calls.Load(), r.jobs)
	}

	status.Store(http.StatusUnauthorized)
	r = with.start(t, "-out", t.TempDir(), "-speech-url", service.URL+"/v1", video).wait(t)
	if r.exit != 1 || len(r.jobs) != 1 || r.jobs[0].ErrorType != "http_401" || !strings.Contains(r.jobs[0].Error, "no such key") || r.jobs[0].CostUSD != 0 {
		t.Errorf("exit status %d, jobs %+v", r.exit, r.jobs)
	}
	r.metrics.want(t, map[string]float64{`api_calls_total{api="whisper",status="error"}`: 1})
}

// Nothing that the program says, reports or keeps has a key: not that of the environment, not that of
// -speech-url, and not what the service repeats of them.
func TestSpeechURLIsSecret(t *testing.T) {
	t.Parallel()
	const key, user, password, query = "sk-k3y", "u5er", "passw0rd", "qu3ry"
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		name, word, _ := r.BasicAuth()
		message := fmt.Sprintf("refused: %s, %s, %s, %s", r.Header.Get("Authorization"), name, word, r.URL)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": message}}) // an error shows in the program
	}))
	defer service.Close()
	host := strings.TrimPrefix(service.URL, "http://")
	video := makeMedia(t, t.TempDir()+"/v.mp4", args(picture, tone, h264)...)
	for url, wantType := range map[string]string{
		"http://" + user + ":" + password + "@" + host + "/v1?key=" + query: "http_401",
		"http://" + host + "/v1": "http_401",
		"http://" + user + ":" + password + "@127.0.0.1:1/v1?key=" + query:        "net_dial",
		"http://" + user + ":" + password + "@127.0.0.1:port/v1?key=" + query:     "",
		"http://" + user + ":" + password + "@127.0.0.1:1/v1 %zz?key=" + query:    "",
		"postgres://" + user + ":" + password + "@127.0.0.1:1/v1?key=" + query:    "",
		"//" + user + ":" + password + "@127.0.0.1:1/v1?key=" + query + "#" + key: "",
	} {
		out := t.TempDir()
		r := setting{env: []string{"OPENAI_API_KEY=" + key}}.start(t, "-out", out, "-speech-url", url, video).wait(t)
		switch {
		case r.exit != 1:
			t.Errorf("%s: exit status %d", url, r.exit)
		case wantType == "" && (len(r.jobs) != 0 || !strings.Contains(r.output, "-speech-url")):
			t.Errorf("%s is no URL, and the program says %s", url, r.output)
		case wantType != "" && (len(r.jobs) != 1 || r.jobs[0].ErrorType != wantType):
			t.Errorf("%s: jobs %+v, want %s", url, r.jobs, wantType)
		}
		said := r.output + fmt.Sprintf("%+v", r.jobs)
		err := filepath.WalkDir(out, func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			kept, err := os.ReadFile(path)
			said += string(kept)
			return err
		})
		if err != nil {
			t.Error(err)
		}
		for _, secret := range []string{key, user, password, query} {
			if strings.Contains(said, secret) {
				t.Errorf("%s: %q is shown or kept", url, secret)
			}
		}
	}
}
