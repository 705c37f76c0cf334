package livepage

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stagemeter/stagemeter/exporters"
	"github.com/stagemeter/stagemeter/instrument"
)

// parse reads what a page answers.
func parse[T any](t *testing.T, h http.Handler, target string) (out T) {
	t.Helper()
	resp := ask(h, "GET", target)
	text := body(t, resp)
	if err := json.Unmarshal([]byte(text), &out); err != nil || resp.StatusCode != http.StatusOK || !utf8.ValidString(text) || strings.ContainsAny(text, "<>\x00") {
		t.Fatalf("%s: %d, %v:\n%.300s", target, resp.StatusCode, err, text)
	}
	return out
}

// Whatever an id is, the answers are small, whole and text, and the job is found by its run.
func TestHostileIDs(t *testing.T) {
	p := newPipeline(t)
	page := mustNew(t, p)
	ids := []string{
		"\xff\xfe", "a\x00b", "", "</script><script>alert(1)</script>", strings.Repeat("x", 1<<20), strings.Repeat("\xff", 1<<20),
		"\u202e\u2028\u2029", "data: x\n\nevent: snapshot\n\n", `"},"v":2,"a":{"`, "https://user:password@example.com/a?token=secret",
	}
	for _, id := range ids {
		ctx, job := p.StartJob(t.Context(), id)
		defer job.End(nil)
		word := id
		if strings.HasPrefix(id, "https:") { // ids may be URLs, names are words
			word = "upload"
		}
		_, stage := instrument.StartStage(ctx, word)
		defer stage.End(nil)
		instrument.Spend(ctx, word, 1)
	}
	text := body(t, ask(page, "GET", "/live/snapshot.json"))
	if len(text) > 32<<10 {
		t.Errorf("%d bytes", len(text))
	}
	if strings.Contains(text, "password") || strings.Contains(text, "secret") {
		t.Errorf("a password is shown:\n%s", text)
	}
	s := parse[snapshot](t, page, "/live/snapshot.json")
	seen := make(map[string]bool)
	for _, j := range s.Jobs {
		seen[j.ID] = true
		if one := parse[answer](t, page, "/live/job.json?run="+j.Run); one.Job.ID != j.ID || j.ID == "" {
			t.Errorf("run %s is %q, want %q", j.Run, one.Job.ID, j.ID)
		}
	}
	if len(seen) != len(ids) {
		t.Errorf("%d different ids, want %d", len(seen), len(ids))
	}
	for _, match := range []string{".*", "[", "\\", "%", "\x00", strings.Repeat("x", 100_000)} {
		if got := parse[snapshot](t, page, "/live/snapshot.json?match="+url.QueryEscape(match)); got.Running != len(ids) || len(got.Jobs) > 1 {
			t.Errorf("%.10q finds %d of %d", match, len(got.Jobs), got.Running)
		}
	}
}

// Of 5,000 jobs all are counted, 100 are sent, and each is found by its run while it lives.
func TestManyJobs(t *testing.T) {
	p := newPipeline(t)
	page := mustNew(t, p)
	var jobs []*instrument.Job
	for i := range 5000 {
		_, job := p.StartJob(t.Context(), fmt.Sprint("job-", i))
		jobs = append(jobs, job)
	}
	if s := parse[snapshot](t, page, "/live/snapshot.json"); s.Running != 5000 || len(s.Jobs) != 100 || s.Jobs[0].ID != "job-0" || s.Kept != 0 {
		t.Errorf("%d running, %d sent, %d kept", s.Running, len(s.Jobs), s.Kept)
	}
	if one := parse[answer](t, page, "/live/job.json?run=5000"); one.Job.ID != "job-4999" {
		t.Errorf("run 5000 is %q", one.Job.ID)
	}
	for _, job := range jobs {
		job.End(nil)
	}
	page.encoder.forget()
	s := parse[snapshot](t, page, "/live/snapshot.json")
	if s.Running != 0 || s.Kept != 1000 || len(s.Finished) != 100 || s.Finished[0].ID != "job-4999" || s.Hour.Completed != 1000 || s.Hour.Whole {
		t.Errorf("%d running, %d kept, %d sent, hour %+v", s.Running, s.Kept, len(s.Finished), s.Hour)
	}
	if resp := ask(page, "GET", "/live/job.json?run=1"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a job that is forgotten: %d", resp.StatusCode)
	}
}

// On a loopback address old clients must name the host too, and a full URL names it before Host does.
func TestHostOfRawRequests(t *testing.T) {
	tel := startTelemetry(t)
	if err := Mount(tel, newPipeline(t)); err != nil {
		t.Fatal(err)
	}
	for request, want := range map[string]int{
		"GET /live/snapshot.json HTTP/1.0\r\n\r\n":                                                    403,
		"GET /live/snapshot.json HTTP/1.1\r\nHost:\r\n\r\n":                                           403,
		"GET /live/snapshot.json HTTP/1.0\r\nHost: localhost\r\n\r\n":                                 200,
		"GET http://evil.example/live/snapshot.json HTTP/1.1\r\nHost: localhost\r\n\r\n":              403,
		"GET /live/snapshot.json HTTP/1.1\r\nHost: evil.example\r\nForwarded: host=localhost\r\n\r\n": 403,
	} {
		conn, err := net.Dial("tcp", tel.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, request)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != want {
			t.Errorf("%q: %d, want %d", request, resp.StatusCode, want)
		}
		_ = conn.Close()
	}
}

// Pages are mounted while metrics are scraped. One has the place, whoever is first; a second one on
// another server shows the same jobs.
func TestMountWhileScraped(t *testing.T) {
	tel, other := startTelemetry(t), startTelemetry(t)
	p, err := instrument.New(instrument.WithMeterProvider(tel.MeterProvider()), instrument.WithTracerProvider(tel.TracerProvider()))
	if err != nil {
		t.Fatal(err)
	}
	client := newClient(t, nil)
	var all sync.WaitGroup
	var mounted atomic.Int32
	for range 4 {
		all.Go(func() {
			if Mount(tel, p) == nil {
				mounted.Add(1)
			}
		})
		all.Go(func() {
			_ = p.RunJob(context.Background(), "job", func(ctx context.Context) error {
				return instrument.RunStage(ctx, "analysis", func(context.Context) error { return nil })
			})
		})
		all.Go(func() {
			if code, _, _ := get(t, client, "http://"+tel.Addr().String()+"/metrics"); code != http.StatusOK {
				t.Errorf("/metrics: %d", code)
			}
		})
	}
	all.Wait()
	if n := mounted.Load(); n > 1 {
		t.Errorf("mounted %d times", n)
	}
	if err := Mount(other, p); err != nil {
		t.Error(err)
	}
	_, job := p.StartJob(t.Context(), "both")
	defer job.End(nil)
	for _, tel := range []*exporters.Telemetry{tel, other} {
		if code, _, text := get(t, client, "http://"+tel.Addr().String()+"/live/snapshot.json"); code != http.StatusOK || !strings.Contains(text, `"id":"both"`) {
			t.Errorf("%d %.300s", code, text)
		}
	}
}

// Redaction leaves no empty id, and no text of an error in which the series of a job may be.
func TestRedactedAreNeitherEmptyNorInErrors(t *testing.T) {
	b := builder{redact: func(string) string { return "" }}
	if got := b.id("job-1"); got != hidden {
		t.Errorf("%q", got)
	}
	h := exporters.Health{
		Scrape: exporters.ScrapeHealth{State: exporters.HealthFails, LastError: "job-1"}, Metrics: exporters.PushHealth{State: exporters.HealthFails, LastError: "job-1"},
		Traces: exporters.PushHealth{State: exporters.HealthFails, LastError: "job-1", LastSuccess: now},
	}
	hideErrors(&h)
	if got := telemetryOf(h, ms(now)); got.OK || strings.Contains(string(marshal(t, got)), "job-1") {
		t.Errorf("%+v", got)
	}
}

// Clients that have waited for a slow snapshot share it.
func TestSlowSnapshotsAreShared(t *testing.T) {
	made := 0
	e := encoder{make: func(string) snapshot { made++; return snapshot{} }}
	first, _ := e.now()
	first.at = time.Now().Add(-5 * time.Second) // it took five seconds
	if again, _ := e.since(first.at.Add(-time.Second)); again != first || made != 1 {
		t.Errorf("a client that asked before it was begun makes another: %d", made)
	}
	if again, _ := e.since(first.at.Add(time.Second)); again == first || made != 2 {
		t.Errorf("a client that asked later gets an old one: %d", made)
	}
}
