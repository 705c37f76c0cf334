package livepage

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
)

// countingFleet counts the snapshots that are made.
type countingFleet struct{ n atomic.Int64 }

func (f *countingFleet) State() FleetState { f.n.Add(1); return FleetState{} }

// A client is one of live/events in a test with a fake clock. It blocks, if it is to, until its
// deadline.
type client struct {
	header http.Header
	blocks atomic.Bool

	mu       sync.Mutex
	text     bytes.Buffer
	deadline time.Time
	code     int
}

func (c *client) Header() http.Header { return c.header }
func (c *client) WriteHeader(code int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.code = code
}

func (c *client) Write(p []byte) (int, error) {
	if c.blocks.Load() {
		c.mu.Lock()
		deadline := c.deadline
		c.mu.Unlock()
		if deadline.IsZero() {
			select {}
		}
		time.Sleep(time.Until(deadline))
		return 0, os.ErrDeadlineExceeded
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(p)
}

func (c *client) FlushError() error { return nil }

func (c *client) SetWriteDeadline(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = at
	return nil
}

func (c *client) said() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// connect asks for the stream. done is closed when the handler has returned.
func connect(ctx context.Context, page *Page, encoding string) (c *client, done chan struct{}) {
	c, done = &client{header: make(http.Header)}, make(chan struct{})
	r := httptest.NewRequest("GET", "/live/events", nil).WithContext(ctx)
	r.Header.Set("Accept-Encoding", encoding)
	go func() { defer close(done); page.ServeHTTP(c, r) }()
	return c, done
}

// eventsIn returns the snapshots of a stream, and checks its form.
func eventsIn(t *testing.T, text string) (all []snapshotHead) {
	t.Helper()
	for event := range strings.SplitSeq(strings.TrimSuffix(text, "\n\n"), "\n\n") {
		data, ok := strings.CutPrefix(event, "event: snapshot\ndata: ")
		var s snapshotHead
		if err := json.Unmarshal([]byte(data), &s); !ok || err != nil || s.V != 1 {
			t.Fatalf("%v: an event is\n%.300s", err, event)
		}
		all = append(all, s)
	}
	return all
}

type snapshotHead struct {
	V, Now int64
	Jobs   []struct{ ID string }
}

// A client gets a snapshot at once and then each second, in its own form. While a client listens,
// snapshots are made once a second for all; while none does, none is made.
func TestStreamsShareSnapshots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := new(countingFleet)
		p := newPipeline(t)
		page := mustNew(t, p, WithFleet(made))
		_, job := p.StartJob(t.Context(), "job-1")
		defer job.End(nil)
		time.Sleep(time.Hour)
		if n := made.n.Load(); n != 0 {
			t.Errorf("%d snapshots while nobody looks", n)
		}
		ctx, leave := context.WithCancel(t.Context())
		var clients []*client
		var ends []chan struct{}
		for i := range 10 {
			c, done := connect(ctx, page, []string{"identity", "gzip"}[i%2])
			clients, ends = append(clients, c), append(ends, done)
			time.Sleep(77 * time.Millisecond)
		}
		time.Sleep(20 * time.Second)
		leave()
		for _, done := range ends {
			<-done
		}
		n := made.n.Load()
		if n < 20 || n > 23 {
			t.Errorf("%d snapshots in 21 s for 10 clients", n)
		}
		for i, c := range clients {
			text := c.said()
			if i%2 == 1 {
				text = unpackOpen(t, text)
			}
			events := eventsIn(t, text)
			if len(events) < 20 || len(events) > 22 || len(events[0].Jobs) != 1 {
				t.Errorf("client %d has %d events", i, len(events))
			}
			for k := 1; k < len(events); k++ {
				if events[k].Now <= events[k-1].Now {
					t.Errorf("client %d: event %d is not newer", i, k)
				}
			}
			if c.header.Get("Content-Type") != "text/event-stream" || c.header.Get("Cache-Control") != "no-store" || c.header.Get("X-Accel-Buffering") != "no" {
				t.Errorf("header %v", c.header)
			}
		}
		time.Sleep(time.Hour)
		if made.n.Load() != n || page.encoder.last != nil {
			t.Error("snapshots are made or held after the last client has left")
		}
	})
}

// unpackOpen unpacks a stream of gzip that has not ended.
func unpackOpen(t *testing.T, text string) string {
	t.Helper()
	packed, ok := strings.CutPrefix(text, string(gzipHeader))
	if !ok {
		t.Fatalf("no header of gzip: %q", text[:min(len(text), 20)])
	}
	plain, err := io.ReadAll(flate.NewReader(strings.NewReader(packed)))
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("the stream ends: %v", err)
	}
	return string(plain)
}

// Clients that poll get the same snapshots as the streams.
func TestPollsShareSnapshots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := new(countingFleet)
		page := mustNew(t, newPipeline(t), WithFleet(made))
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		_, done := connect(ctx, page, "gzip")
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			_ = ask(page, "GET", "/live/snapshot.json")
			_ = ask(page, "GET", "/live/snapshot.json", "Accept-Encoding", "gzip")
		}
		if n := made.n.Load(); n > 12 {
			t.Errorf("%d snapshots in 10 s", n)
		}
		leave()
		<-done
	})
}

// The handler of a client that stops reading ends at the deadline of the write, and other clients
// go on.
func TestClientThatDoesNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page := mustNew(t, newPipeline(t))
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		stuck, stuckDone := connect(ctx, page, "gzip")
		other, otherDone := connect(ctx, page, "identity")
		time.Sleep(1500 * time.Millisecond)
		stuck.blocks.Store(true)
		select {
		case <-stuckDone:
		case <-time.After(time.Minute):
			t.Fatal("the handler never ends")
		}
		time.Sleep(500 * time.Millisecond) // between two ticks
		before := len(eventsIn(t, other.said()))
		time.Sleep(3 * time.Second)
		if after := len(eventsIn(t, other.said())); after-before != 3 {
			t.Errorf("another client got %d events in 3 s", after-before)
		}
		leave()
		<-otherDone
		if page.streams.n != 0 {
			t.Errorf("%d streams are left", page.streams.n)
		}
	})
}

// There are 32 streams. Further clients get 503 with Retry-After, and a stream once a client has
// left.
func TestManyStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page := mustNew(t, newPipeline(t))
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		var ends []chan struct{}
		var leaveFirst context.CancelFunc
		for i := range 32 {
			own := ctx
			if i == 0 {
				own, leaveFirst = context.WithCancel(ctx)
			}
			c, done := connect(own, page, "identity")
			ends = append(ends, done)
			synctest.Wait()
			if eventsIn(t, c.said()); c.code != 0 {
				t.Errorf("client %d: %d", i, c.code)
			}
		}
		refused := ask(page, "GET", "/live/events")
		if refused.StatusCode != http.StatusServiceUnavailable || refused.Header.Get("Retry-After") != "10" {
			t.Errorf("client 33: %d, Retry-After %q", refused.StatusCode, refused.Header.Get("Retry-After"))
		}
		if got := refused.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/plain") {
			t.Errorf("client 33: %s", got)
		}
		if resp := ask(page, "GET", "/live/snapshot.json"); resp.StatusCode != http.StatusOK {
			t.Errorf("snapshot.json: %d", resp.StatusCode)
		}
		if resp := ask(page, "HEAD", "/live/events"); resp.StatusCode != http.StatusOK {
			t.Errorf("HEAD: %d", resp.StatusCode)
		}
		leaveFirst()
		<-ends[0]
		c, done := connect(ctx, page, "identity")
		synctest.Wait()
		eventsIn(t, c.said())
		leave()
		for _, done := range append(ends[1:], done) {
			<-done
		}
	})
}

// Over a real connection, a stream arrives event by event, outlives the server's deadline for a
// write, and ends with Shutdown, which does not wait for it.
func TestStreamEndsWithTheServer(t *testing.T) {
	tel := startTelemetry(t)
	p := newPipeline(t)
	if err := Mount(tel, p); err != nil {
		t.Fatal(err)
	}
	resp, err := newClient(t, nil).Get("http://" + tel.Addr().String() + "/live/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if !resp.Uncompressed { // the client has asked for gzip by itself, and unpacks while the stream goes on
		t.Errorf("not compressed: %v", resp.Header)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for range 6 {
		if !lines.Scan() {
			t.Fatalf("the stream ends: %v", lines.Err())
		}
	}
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	for lines.Scan() {
	}
	if err := lines.Err(); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the stream is broken off: %v", err)
	}
}

// A server without deadlines keeps none of a stream: the next request of its connection has all the
// time.
func TestUserServer(t *testing.T) {
	page := mustNew(t, newPipeline(t))
	server := httptest.NewUnstartedServer(http.StripPrefix("/ops", page))
	base, cancel := context.WithCancel(context.Background())
	server.Config.RegisterOnShutdown(cancel)
	server.Config.BaseContext = func(net.Listener) context.Context { return base }
	server.Start()
	defer server.Close()
	client := newClient(t, nil)
	resp, err := client.Get(server.URL + "/ops/live/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if line, err := bufio.NewReader(resp.Body).ReadString('\n'); line != "event: snapshot\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if err := server.Config.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
}

type failingFleet func()

func (f failingFleet) State() FleetState { f(); return FleetState{Time: now} }

// A Fleet that fails costs its own panel, and leaves no lock held.
func TestFleetThatFails(t *testing.T) {
	for name, f := range map[string]failingFleet{"panics": func() { panic("fleet") }, "Goexits": runtime.Goexit} {
		page := mustNew(t, newPipeline(t), WithFleet(f))
		for range 2 {
			page.encoder.forget()
			if text := body(t, ask(page, "GET", "/live/snapshot.json")); !strings.Contains(text, `"fleet":null`) {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
}

// A redact that ends its goroutine, over a real connection: the server lives, and answers.
func TestServerOutlivesRedact(t *testing.T) {
	tel := startTelemetry(t)
	p := newPipeline(t)
	if err := Mount(tel, p, WithRedact(func(string) string { runtime.Goexit(); return "" })); err != nil {
		t.Fatal(err)
	}
	_, job := p.StartJob(t.Context(), "job-1")
	defer job.End(nil)
	client := newClient(t, nil)
	for _, path := range []string{"/live/snapshot.json", fmt.Sprint("/live/job.json?run=", p.Snapshot(instrument.Query{}).Live[0].Run)} {
		for range 2 {
			if code, _, text := get(t, client, "http://"+tel.Addr().String()+path); code != http.StatusOK || !strings.Contains(text, `"id":"hidden"`) {
				t.Errorf("%s: %d %s", path, code, text)
			}
		}
	}
}
