package speech

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"time"

	"golang.org/x/net/netutil"
)

// Bounds of the connections.
const (
	maxConns      = 256
	maxHeader     = 64 << 10
	headerTimeout = 10 * time.Second
	idleTimeout   = time.Minute
)

// A Server serves the API on a free port of the loopback interface.
type Server struct {
	http     http.Server
	listener net.Listener
	done     chan error
}

// Start starts a server on a free port. The caller ends it with Shutdown.
func Start(recognizer Recognizer) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("speech service: %w", err)
	}
	s := &Server{
		http: http.Server{
			Handler:           Handler(recognizer, runtime.GOMAXPROCS(0)),
			ReadHeaderTimeout: headerTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeader,
		},
		listener: listener,
		done:     make(chan error, 1),
	}
	go func() { s.done <- s.http.Serve(netutil.LimitListener(listener, maxConns)) }()
	return s, nil
}

// URL returns the base URL of the API, for clients of OpenAI.
func (s *Server) URL() string { return fmt.Sprintf("http://%s/v1", s.listener.Addr()) }

// Shutdown ends the server and waits for the requests under way until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("speech service: %w", err)
	}
	return nil
}
