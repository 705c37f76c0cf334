package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// deadlines are the server's own in these tests. The streams outlive them.
const deadlines = 500 * time.Millisecond

// events streams one event for each value of next, as a page with server-sent events does, until
// its context is over. Each write has a deadline of its own.
func events(t *testing.T, next <-chan int, ended chan<- error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stream := http.NewResponseController(w)
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			err := errors.Join(stream.SetWriteDeadline(time.Now().Add(exportertest.Patience)), stream.Flush())
			if err != nil {
				t.Errorf("the stream cannot be written: %v", err)
			}
			select {
			case n := <-next:
				fmt.Fprintf(w, "data: %d\n\n", n)
			case <-r.Context().Done():
				ended <- r.Context().Err()
				return
			}
		}
	})
}

// A stream lives on after the server's deadlines, through every kind of protection, and ends at
// once when the server shuts down.
func TestStream(t *testing.T) {
	for _, tt := range []struct {
		name, clientAuth, password, more string
		http2                            bool
	}{
		{"plain", "", "", "", false},
		{"password", "", "secret", "", false},
		{"TLS and password", "NoClientCert", "secret", "", true},
		{"TLS without HTTP/2", "NoClientCert", "", "http_server_config:\n  http2: false\n", false},
		{"mTLS", "RequireAndVerifyClientCert", "secret", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ca := exportertest.NewAuthority(t)
			c := config(Config{read: deadlines, write: deadlines})
			if tt.clientAuth+tt.password != "" {
				c.WebConfigFile = webConfig(t, ca, tt.clientAuth, tt.password, tt.more)
			}
			s := listen(t, c)
			next, ended := make(chan int), make(chan error, 1)
			if err := s.Handle("GET /live/events", events(t, next, ended)); err != nil {
				t.Fatal(err)
			}
			who := newCaller(ca, ca.Pair(t, "page.example")).as("prometheus", tt.password)
			defer who.client.CloseIdleConnections()
			exportertest.Eventually(t, "the password is known, which takes long", func() bool {
				code, _ := who.status(t, base(s, tt.clientAuth != "")+"/metrics")
				return code == http.StatusOK
			})
			lines, leave := open(t, who, s, tt.clientAuth != "", tt.http2)
			defer leave()
			for i := range 4 {
				if i > 0 {
					time.Sleep(deadlines) // lets the server's deadlines pass; nothing is measured
				}
				select {
				case next <- i:
				case err := <-ended:
					t.Fatalf("the stream ended before event %d: %v", i, err)
				}
				if got := lines(); got != fmt.Sprintf("data: %d", i) {
					t.Fatalf("event %d is %q", i, got)
				}
			}
			if err := s.Shutdown(t.Context()); err != nil {
				t.Errorf("Shutdown: %v", err)
			}
			if got := lines(); got != "end of the stream: <nil>" {
				t.Errorf("the stream is broken off: %s", got)
			}
			select {
			case err := <-ended:
				if !errors.Is(err, context.Canceled) {
					t.Errorf("the stream ended with %v", err)
				}
			default:
				t.Error("Shutdown returned before the stream's handler, though that ends when its context does")
			}
		})
	}
}

// base returns the URL of s.
func base(s *Server, tls bool) string {
	if tls {
		return "https://" + s.Addr().String()
	}
	return "http://" + s.Addr().String()
}

// open requests the stream. lines returns its next line with text.
func open(t *testing.T, who caller, s *Server, tls, http2 bool) (lines func() string, leave func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), exportertest.Patience)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base(s, tls)+"/live/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(who.user, who.password)
	resp, err := who.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || (resp.ProtoMajor == 2) != http2 {
		t.Fatalf("%s over %s", resp.Status, resp.Proto)
	}
	scanner := bufio.NewScanner(resp.Body)
	return func() string {
		for scanner.Scan() {
			if text := strings.TrimSpace(scanner.Text()); text != "" {
				return text
			}
		}
		return fmt.Sprint("end of the stream: ", scanner.Err())
	}, func() { _ = resp.Body.Close() }
}

// Shutdown does not wait for a handler that ignores its context: it closes the connection.
func TestShutdownDuringAHandlerThatIgnoresIt(t *testing.T) {
	s := start(t, Config{})
	begun, release, returned := make(chan struct{}), make(chan struct{}), make(chan struct{})
	err := s.Handle("/stuck", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		defer close(returned)
		_ = http.NewResponseController(w).Flush()
		close(begun)
		<-release
	}))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get("http://" + s.Addr().String() + "/stuck")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	<-begun
	if err := s.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	select {
	case <-returned:
		t.Error("the handler has returned: nothing was tested")
	default:
	}
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("the connection is not closed")
	}
	close(release)
	<-returned
}

// After Shutdown a handler gets no request any more, and none can be added.
func TestAddedHandlersAfterShutdown(t *testing.T) {
	s := start(t, Config{})
	if err := s.Handle("/live/", says("live")); err != nil {
		t.Fatal(err)
	}
	if body, status := ask(s.http.Handler, http.MethodGet, "/live/"); status != http.StatusOK || body != "live" {
		t.Fatalf("before: %d: %s", status, body)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if body, status := ask(s.http.Handler, http.MethodGet, "/live/"); status != http.StatusServiceUnavailable || !strings.Contains(body, "has been shut down") {
		t.Errorf("after: %d: %s", status, body)
	}
	if err := s.Handle("/more/", says("more")); err == nil || !strings.Contains(err.Error(), "has been shut down") {
		t.Errorf("Handle after Shutdown: %v", err)
	}
}
