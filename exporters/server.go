package exporters

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Bounds of the server. A write may take as long as a scrape and its transfer;
// connections stay open from one scrape to the next.
const (
	readTimeout  = 10 * time.Second
	writeTimeout = scrapeTimeout + 30*time.Second
	idleTimeout  = 5 * time.Minute
	maxHeader    = 64 << 10
	linger       = time.Second // for a scrape under way at Shutdown
)

// A server serves /metrics, /healthz and a landing page.
type server struct {
	listener net.Listener
	http     *http.Server
	done     chan struct{} // closed when it no longer serves
}

// newServer listens and serves, or says why it can't.
func newServer(s settings, metrics http.Handler, service string) (*server, error) {
	srv := &server{
		http: &http.Server{
			Handler:           routes(metrics, service),
			ReadHeaderTimeout: readTimeout,
			ReadTimeout:       readTimeout,
			WriteTimeout:      writeTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeader,
			// Handshakes that fail, most of them of port scanners.
			ErrorLog: slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
		},
		done: make(chan struct{}),
	}
	if file := s.config.webConfigFile; file != "" {
		if err := protect(srv.http, file, s.logger); err != nil {
			return nil, fmt.Errorf("exporters: WithWebConfigFile(%q): %w; metrics are not served", file, err)
		}
	}
	srv.http.Handler = withHealth(srv.http.Handler)

	var err error
	if srv.listener, err = net.Listen("tcp", s.addr); err != nil {
		return nil, fmt.Errorf("exporters: metrics are not served on %s: %w%s", s.addr, err, advice(err))
	}
	go srv.serve(s.logger)
	return srv, nil
}

func (s *server) serve(logger *slog.Logger) {
	defer close(s.done)
	defer s.listener.Close() // which ServeTLS leaves open when it fails
	serve := s.http.Serve
	if hasTLS(s.http) {
		serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
	}
	if err := serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		logger.Error("metrics are no longer served", "addr", s.listener.Addr().String(), "error", err)
	}
}

// addr returns the address that is listened on, nil if none is.
func (s *server) addr() net.Addr {
	if s == nil {
		return nil
	}
	return s.listener.Addr()
}

// shutdown stops listening, lets a scrape under way end, and then closes all
// connections.
func (s *server) shutdown(ctx context.Context) error {
	if s == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, linger)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close()
	}
	<-s.done
	return err
}

// advice says what to do about an address that can't be listened on.
func advice(err error) string {
	const other = "choose another with WithPrometheusAddr or " + envPrometheusPort
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return ": another program has the port (ss -ltnp tells which), or another Start of this one: stop it, or " + other + "; port 0 takes a free one"
	case errors.Is(err, syscall.EACCES):
		return ": a port below 1024 takes privileges: " + other
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return ": this host doesn't have the address: set WithPrometheusAddr or " + envPrometheusHost + " to one that it has, or to none for all"
	default:
		return ""
	}
}

// routes serves the paths that a web config file protects.
func routes(metrics http.Handler, service string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+metricsPath, metrics)
	mux.Handle("GET /{$}", landing(service))
	return mux
}

// withHealth serves /healthz beside next, out of reach of what protects next:
// those who ask for it, as Kubernetes does, have no credentials.
func withHealth(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+healthPath, health)
	mux.Handle("/", next)
	return mux
}

// health says that the process is alive. It is no less so while a receiver is
// down: a restart would only lose what is still to be pushed.
func health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, "ok\n")
}
