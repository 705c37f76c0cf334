package web

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/stagemeter/stagemeter/exporters/internal/exportertest"
)

// requestsOf returns how many requests of s are under way.
func requestsOf(s *Server) int {
	s.listener.mu.Lock()
	defer s.listener.mu.Unlock()
	return s.listener.requests
}

// closedWindow opens a connection of HTTP/2 that grants no room for answers, and returns a function
// that requests a path. The channel is closed when the server closes the connection.
func closedWindow(t *testing.T, ca *exportertest.Authority, s *Server) (ask func(path string), closed <-chan struct{}) {
	t.Helper()
	conn, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{RootCAs: ca.Pool, NextProtos: []string{http2.NextProtoTLS}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	framer := http2.NewFramer(conn, conn)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	if err := framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_, _ = io.Copy(io.Discard, conn)
	}()
	stream := uint32(1)
	return func(path string) {
		var block bytes.Buffer
		enc := hpack.NewEncoder(&block)
		for _, f := range [][2]string{{":method", "GET"}, {":scheme", "https"}, {":authority", "x"}, {":path", path}} {
			if err := enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}); err != nil {
				t.Error(err)
			}
		}
		// An error means that the server has closed the connection.
		_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true})
		stream += 2
	}, gone
}

// A client of HTTP/2 that takes none of its answers, also small ones, keeps a bounded number of
// requests. Past that, it loses its connection, and others keep theirs.
func TestRequestsThatAreNotRead(t *testing.T) {
	ca := exportertest.NewAuthority(t)
	for _, path := range []string{"/healthz", "/metrics", "/nowhere"} {
		s := start(t, Config{conns: fewConns, WebConfigFile: webConfig(t, ca, "NoClientCert", "", "")})
		few, fewClosed := closedWindow(t, ca, s)
		few(path)
		exportertest.Eventually(t, "the answer waits for its reader", func() bool { return requestsOf(s) == 1 })
		many, closed := closedWindow(t, ca, s)
		for range maxStreams {
			many(path)
		}
		<-closed
		select {
		case <-fewClosed:
			t.Errorf("%s: a connection with one request is closed", path)
		default:
		}
		exportertest.Eventually(t, "the requests of the other are gone", func() bool { return requestsOf(s) == 1 })
		if code := newCaller(ca).code(t, base(s, true)+"/metrics"); code != http.StatusOK {
			t.Errorf("%s: a scrape beside them: %d", path, code)
		}
	}
}
