package scrape

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// serving is a server of h. The kernel takes little of an answer that a client does not read.
func serving(t *testing.T, h http.Handler, http2 bool) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.EnableHTTP2 = http2
	s.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		if secure, ok := conn.(*tls.Conn); ok {
			conn = secure.NetConn()
		}
		_ = conn.(*net.TCPConn).SetWriteBuffer(4 << 10)
		return ctx
	}
	if http2 {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// sluggish returns a client with little room for what it does not read.
func sluggish(t *testing.T, s *httptest.Server, room int) *http.Client {
	tr := s.Client().Transport.(*http.Transport).Clone()
	tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			_ = conn.(*net.TCPConn).SetReadBuffer(room)
			t.Cleanup(func() { _ = conn.Close() })
		}
		return conn, err
	}
	tr.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10, MaxReceiveBufferPerConnection: 64 << 10}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// ask requests the metrics, and reads nothing but the headers of the answer.
func ask(t *testing.T, c *http.Client, s *httptest.Server, accept, encoding string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("Accept-Encoding", encoding)
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || (resp.ProtoMajor == 2) != s.EnableHTTP2 {
		t.Fatalf("%s over %s", resp.Status, resp.Proto)
	}
	return resp
}

// A client that takes its answer bit by bit gets it whole, while others come and read nothing.
func TestALivelyClientIsNotCutOff(t *testing.T) {
	p := start(t, setup{})
	exportertest.ManySeries(t.Context(), t, p.provider, 10_000)
	next := make(chan struct{})
	reads := &stepper{ResponseRecorder: httptest.NewRecorder(), step: next}
	var wg sync.WaitGroup
	wg.Go(func() { p.handler.ServeHTTP(reads, httptest.NewRequest(http.MethodGet, "/metrics", nil)) })
	next <- struct{}{}
	gate := make(chan struct{})
	var cut atomic.Int64
	for range 30 {
		c := &slowClient{ResponseRecorder: httptest.NewRecorder(), reading: make(chan struct{}), gate: gate}
		wg.Go(func() {
			defer func() {
				if recover() == http.ErrAbortHandler {
					cut.Add(1)
				}
			}()
			p.handler.ServeHTTP(c, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		})
		<-c.reading
		p.handler.shelves.age(time.Minute) // the others have taken nothing for so long
		for range 2 {                      // the second is asked for when the first has been taken
			next <- struct{}{}
		}
	}
	close(next)
	close(gate)
	wg.Wait()
	whole := serve(p.handler).Body.Len()
	if got := reads.Body.Len(); got != whole {
		t.Errorf("the client that reads got %d bytes of %d", got, whole)
	}
	if cut.Load() < 2 {
		t.Errorf("%d of the clients that do not read were cut off: nothing was tested", cut.Load())
	}
}

// age makes all bodies older, instead of waiting.
func (s *shelves) age(by time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, bodies := range s.bodies {
		for _, b := range bodies {
			b.finished, b.moved = b.finished.Add(-by), b.moved.Add(-by)
		}
	}
}

// A stepper takes a part of its answer at each step.
type stepper struct {
	*httptest.ResponseRecorder
	step <-chan struct{}
}

func (s *stepper) Write(p []byte) (int, error) {
	<-s.step
	return s.ResponseRecorder.Write(p)
}

// A client that takes nothing for a while is cut off, in every protocol, and counted as a failure.
// It does not take what it has for the whole answer.
func TestAClientThatStallsIsCutOff(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		p := start(t, setup{})
		exportertest.ManySeries(t.Context(), t, p.provider, 10_000)
		p.handler.stall = 100 * time.Millisecond
		s := serving(t, p.handler, http2)
		resp := ask(t, sluggish(t, s, 64<<10), s, acceptText, identity)
		exportertest.Eventually(t, "the client is cut off", func() bool { return p.handler.Health().Failures == 1 })
		if got := p.handler.Health().LastError; got != errSlow.Error() {
			t.Errorf("HTTP/2 %v: %s", http2, got)
		}
		if n, err := io.Copy(io.Discard, resp.Body); err == nil {
			t.Errorf("HTTP/2 %v: a whole answer of %d bytes", http2, n)
		}
	}
}

// When as many clients as may be there read nothing, the slowest of them makes place for the next.
// A server that needs room asks for one more.
func TestTheNextClientOfTooMany(t *testing.T) {
	p := start(t, setup{})
	exportertest.Count(p.provider, "jobs", 1)
	gate := make(chan struct{})
	var wg sync.WaitGroup
	for range maxClients {
		c := &slowClient{ResponseRecorder: httptest.NewRecorder(), reading: make(chan struct{}), gate: gate}
		wg.Go(func() { p.handler.ServeHTTP(c, httptest.NewRequest(http.MethodGet, "/metrics", nil)) })
		<-c.reading
	}
	time.Sleep(lively)
	const more = 5
	for range more {
		c := &slowClient{ResponseRecorder: httptest.NewRecorder(), reading: make(chan struct{}), gate: gate}
		wg.Go(func() { p.handler.ServeHTTP(c, httptest.NewRequest(http.MethodGet, "/metrics", nil)) })
		<-c.reading
	}
	if cut := cutOff(p.handler); cut != more {
		t.Errorf("%d clients were cut off, want %d", cut, more)
	}
	p.handler.Relieve()
	if cut := cutOff(p.handler); cut != more+1 {
		t.Errorf("%d clients were cut off after Relieve, want %d", cut, more+1)
	}
	wg.Go(func() { close(gate) })
	wg.Wait()
}

// cutOff returns how many clients have been cut off and are still there.
func cutOff(h *Handler) (n int) {
	h.shelves.mu.Lock()
	defer h.shelves.mu.Unlock()
	for c := range h.shelves.clients {
		if c.cut {
			n++
		}
	}
	return n
}

// Relieve does nothing to clients that wait for a collection or have just taken something.
func TestRelieveSparesLivelyClients(t *testing.T) {
	p := start(t, setup{})
	exportertest.Count(p.provider, "jobs", 1)
	_, release := blockCollections(t, p)
	var wg sync.WaitGroup
	wg.Go(func() {
		if rec := serve(p.handler); rec.Code != http.StatusOK {
			t.Errorf("a client that waits: %d: %s", rec.Code, rec.Body)
		}
	})
	exportertest.Eventually(t, "it waits", func() bool {
		p.handler.shelves.mu.Lock()
		defer p.handler.shelves.mu.Unlock()
		return p.handler.shelves.counted == 1
	})
	p.handler.Relieve()
	release()
	wg.Wait()
}
