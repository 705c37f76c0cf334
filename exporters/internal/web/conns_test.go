package web

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// fewConns is a limit that the tests reach.
const fewConns = 8

// openConns returns how many connections s has.
func openConns(s *Server) int {
	s.listener.mu.Lock()
	defer s.listener.mu.Unlock()
	return len(s.listener.open)
}

// dial opens a connection to s and sends text.
func dial(t *testing.T, s *Server, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		t.Logf("a connection is closed at once: %v", err)
	}
	return c
}

// A flood of connections without a complete request leaves the limit unbroken, and keeps no scrape
// out.
func TestFlood(t *testing.T) {
	ca := exportertest.NewAuthority(t)
	const idle = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, tt := range []struct{ reason, clientAuth, sends string }{
		{"nothing is sent", "", ""},
		{"headers that do not end", "", "GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: "},
		{"idle after an answer", "", idle},
		{"no handshake", "NoClientCert", ""},
		{"half a handshake", "NoClientCert", "\x16\x03\x01\x02\x00\x01"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			c := config(Config{conns: fewConns})
			if tt.clientAuth != "" {
				c.WebConfigFile = webConfig(t, ca, tt.clientAuth, "", "")
			}
			s := listen(t, c)
			for i := range 5 * fewConns {
				flood := dial(t, s, tt.sends)
				if tt.sends == idle {
					if resp, err := http.ReadResponse(bufio.NewReader(flood), nil); err != nil || resp.StatusCode != http.StatusOK {
						t.Fatalf("connection %d: %v", i, err)
					}
				}
				if got := openConns(s); got > fewConns {
					t.Fatalf("%d connections, the limit is %d", got, fewConns)
				}
			}
			exportertest.Eventually(t, "the flood has come", func() bool { return openConns(s) == fewConns })
			if code, _ := newCaller(ca).status(t, base(s, tt.clientAuth != "")+"/metrics"); code != http.StatusOK {
				t.Errorf("a scrape beside the flood: %d", code)
			}
		})
	}
}

// Idle connections of HTTP/2 make place too.
func TestFloodOfHTTP2(t *testing.T) {
	ca := exportertest.NewAuthority(t)
	s := start(t, Config{conns: fewConns, WebConfigFile: webConfig(t, ca, "NoClientCert", "", "")})
	for i := range 3 * fewConns {
		c := newCaller(ca)
		t.Cleanup(c.client.CloseIdleConnections)
		if code := c.code(t, base(s, true)+"/metrics"); code != http.StatusOK {
			t.Fatalf("connection %d: %d", i, code)
		}
	}
	if got := openConns(s); got > fewConns {
		t.Errorf("%d connections, the limit is %d", got, fewConns)
	}
}

// A connection past the limit waits while all others have a request, and is served then: none of
// them is broken off.
func TestConnectionsPastTheLimitWait(t *testing.T) {
	c := config(Config{conns: fewConns})
	begun, release := make(chan struct{}), make(chan struct{})
	c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		begun <- struct{}{}
		<-release
		_, _ = io.WriteString(w, "whole")
	})
	s := listen(t, c)
	answers := make(chan string)
	ask := func() {
		conn := dial(t, s, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		go func() {
			text, err := io.ReadAll(conn)
			_, body, _ := strings.Cut(string(text), "\r\n\r\n")
			answers <- fmt.Sprint(body, err)
		}()
	}
	for range fewConns {
		ask()
		<-begun
	}
	const more = 3
	for range more {
		ask()
	}
	if got := openConns(s); got != fewConns {
		t.Errorf("%d connections, want %d", got, fewConns)
	}
	go func() {
		for range more {
			<-begun
		}
	}()
	close(release)
	for range fewConns + more {
		if got := <-answers; got != "whole<nil>" {
			t.Errorf("an answer: %q", got)
		}
	}
	exportertest.Eventually(t, "all connections are closed", func() bool { return openConns(s) == 0 })
}

// Clients that request an answer and do not read it keep no scrape out, though they have all
// connections: one of them is cut off for each that comes.
func TestFloodOfClientsThatDoNotRead(t *testing.T) {
	c := config(Config{conns: fewConns})
	begun, cut, end, slow := make(chan struct{}), make(chan struct{}), make(chan struct{}), new(atomic.Int64)
	c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Slow") == "" {
			_, _ = io.WriteString(w, "whole")
			return
		}
		slow.Add(1)
		begun <- struct{}{}
		select {
		case <-cut:
		case <-end:
		}
		slow.Add(-1)
		panic(http.ErrAbortHandler)
	})
	c.Relieve = func() {
		select {
		case cut <- struct{}{}:
		default: // none is there yet
		}
	}
	s := listen(t, c)
	defer close(end)
	for range 3 * fewConns {
		dial(t, s, "GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: 1\r\n\r\n")
		<-begun
	}
	if got := openConns(s); got != fewConns {
		t.Errorf("%d connections, want %d", got, fewConns)
	}
	if body, status := get(t, s, "/metrics"); status != http.StatusOK || body != "whole" {
		t.Errorf("a scrape beside them: %d: %s", status, body)
	}
	if slow.Load() >= fewConns {
		t.Errorf("%d clients have their connections", slow.Load())
	}
}

// Shutdown ends while a connection waits for its place.
func TestShutdownWhileConnectionsWait(t *testing.T) {
	s := start(t, Config{conns: 1})
	begun, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	if err := s.Handle("/stuck", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(begun); <-release })); err != nil {
		t.Fatal(err)
	}
	dial(t, s, "GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n")
	<-begun
	late := dial(t, s, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := s.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	if text, _ := io.ReadAll(late); len(text) > 0 {
		t.Errorf("a connection past the limit got %q", text)
	}
}

// Streams that never end leave connections to scrapes: further ones are told to try again.
func TestStreamsLeaveRoomForScrapes(t *testing.T) {
	s := start(t, Config{conns: fewConns})
	next, ended := make(chan int), make(chan error, fewConns)
	if err := s.Handle("GET /live/events", events(t, next, ended)); err != nil {
		t.Fatal(err)
	}
	var codes []int
	for range fewConns - 1 {
		conn := dial(t, s, "GET /live/events HTTP/1.1\r\nHost: x\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, resp.StatusCode)
		if again := resp.Header.Get("Retry-After"); (again != "") != (resp.StatusCode != http.StatusOK) {
			t.Errorf("%d, Retry-After: %q", resp.StatusCode, again)
		}
	}
	if got, want := fmt.Sprint(codes), "[200 200 200 200 200 200 503]"; got != want {
		t.Errorf("streams: %s, want %s", got, want)
	}
	for range fewConns {
		if body, status := get(t, s, "/metrics"); status != http.StatusOK || body != "jobs_total 1\n" {
			t.Errorf("a scrape beside them: %d: %s", status, body)
		}
	}
}

// Half of the file descriptors stay with the program.
func TestConnLimit(t *testing.T) {
	for descriptors, want := range map[uint64]int{1: minConns, 64: 32, 256: 128, 1024: maxConns, 1 << 20: maxConns, 1<<64 - 1: maxConns} {
		if got := connLimit(descriptors); got != want {
			t.Errorf("%d descriptors: %d connections, want %d", descriptors, got, want)
		}
	}
	if descriptors() < 1 {
		t.Error("the process has no descriptors")
	}
}

// A request with a body that does not come keeps its connection only if a handler wants the body.
func TestBodiesThatDoNotCome(t *testing.T) {
	ca := exportertest.NewAuthority(t)
	s := start(t, Config{conns: fewConns, WebConfigFile: webConfig(t, ca, "", "secret", "")})
	if err := s.Handle("POST /upload", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprint(w, string(body), err)
	})); err != nil {
		t.Fatal(err)
	}
	answer := func(c net.Conn) (*http.Response, string) {
		t.Helper()
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(body)
	}
	for _, request := range []string{"POST /metrics", "GET /metrics", "GET /healthz", "POST /healthz", "GET /", "POST /nowhere"} {
		resp, _ := answer(dial(t, s, request+" HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"))
		if !resp.Close {
			t.Errorf("%s keeps the connection", request)
		}
	}
	auth := "Host: x\r\nAuthorization: Basic " + base64.StdEncoding.EncodeToString([]byte("prometheus:secret"))
	upload := dial(t, s, "POST /upload HTTP/1.1\r\n"+auth+"\r\nContent-Length: 4\r\n\r\n")
	if _, err := io.WriteString(upload, "film"); err != nil {
		t.Fatal(err)
	}
	if resp, body := answer(upload); resp.Close || body != "film<nil>" {
		t.Errorf("an added handler: %q, closes the connection: %v", body, resp.Close)
	}
}

// A header that is too large is refused, over both protocols.
func TestHeadersAreBounded(t *testing.T) {
	ca := exportertest.NewAuthority(t)
	for _, clientAuth := range []string{"", "NoClientCert"} {
		s := start(t, Config{WebConfigFile: webConfig(t, ca, clientAuth, "", "")})
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base(s, clientAuth != "")+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Large", strings.Repeat("x", 2*maxHeader))
		c := newCaller(ca).client
		if resp, err := c.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
				t.Errorf("%s", resp.Status)
			}
		}
		c.CloseIdleConnections()
	}
}
