package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/stagemeter/stagemeter/exporters/internal/report"
)

// Limits of the server. Connections stay open from one scrape to the next, if that comes soon.
const (
	readTimeout  = 10 * time.Second
	transfer     = 30 * time.Second // of an answer, after the time to make it
	idleTimeout  = 45 * time.Second
	stallTimeout = 10 * time.Second // of a connection of HTTP/2 that takes nothing, or does not answer
	maxHeader    = 64 << 10
	linger       = time.Second // which Shutdown gives to a scrape that is under way
)

// A Config is what a Server needs.
type Config struct {
	Addr          string        // to listen on
	AddrFrom      string        // the option or the variables that set Addr; empty: the default
	WebConfigFile string        // empty: plain HTTP, open
	Metrics       http.Handler  // of /metrics
	Relieve       func()        // ends a request to Metrics whose client does not read, if there is one; nil: does nothing
	Timeout       time.Duration // that Metrics may take for an answer
	Service       string        // title of the landing page
	Logger        *slog.Logger

	read, write time.Duration // tests set them; 0: readTimeout, and Timeout and transfer
	conns       int           // tests set it; 0: what connLimit returns
}

// A Server serves /metrics, /healthz, a landing page and what Handle adds. A nil *Server serves
// nothing.
type Server struct {
	listener *conns
	http     *http.Server
	routes   *routes
	done     chan struct{} // closed when it no longer serves
}

// Listen listens on c.Addr and serves until Shutdown. If it cannot, it opens no port and the error
// says why.
func Listen(c Config) (*Server, error) {
	most := cmp.Or(c.conns, connLimit(descriptors()))
	routes := newRoutes(c, most-most/4) // streams may last for ever, and leave a quarter to scrapes
	s := &Server{
		routes: routes,
		http: &http.Server{
			Handler:           routes,
			ReadHeaderTimeout: readTimeout,
			ReadTimeout:       cmp.Or(c.read, readTimeout),
			WriteTimeout:      cmp.Or(c.write, c.Timeout+transfer),
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeader,
			HTTP2: &http.HTTP2Config{
				MaxConcurrentStreams:          maxStreams,
				MaxReceiveBufferPerConnection: windowBytes,
				MaxReceiveBufferPerStream:     windowBytes,
				SendPingTimeout:               stallTimeout,
				PingTimeout:                   stallTimeout,
				WriteByteTimeout:              stallTimeout,
			},
			// Failed handshakes, most of them of port scanners.
			ErrorLog: slog.NewLogLogger(c.Logger.Handler(), slog.LevelDebug),
		},
		done: make(chan struct{}),
	}
	if file := c.WebConfigFile; file != "" {
		if err := protect(s.http, file, c.Logger); err != nil {
			return nil, fmt.Errorf("exporters: WithWebConfigFile(%q): %w; metrics are not served", file, report.Hidden(err))
		}
	}
	l, err := net.Listen("tcp", c.Addr)
	if err != nil {
		from := c.AddrFrom
		if from != "" {
			from += ": "
		}
		return nil, fmt.Errorf("exporters: %smetrics are not served on %s: %w%s", from, c.Addr, err, advice(err))
	}
	relieve := c.Relieve
	if relieve == nil {
		relieve = func() {}
	}
	s.listener = newConns(l, most, relieve)
	s.http.ConnState, s.http.ConnContext = s.listener.state, s.listener.context
	s.http.Handler = s.listener.limited(withHealth(s.http.Handler))
	go s.serve(c.Logger)
	return s, nil
}

func (s *Server) serve(logger *slog.Logger) {
	defer close(s.done)
	defer s.listener.Close() // ServeTLS leaves it open when it fails
	serve := s.http.Serve
	if hasTLS(s.http) {
		serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
	}
	if err := serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		logger.Error("metrics are no longer served", "addr", s.listener.Addr().String(), "error", err)
	}
}

// Addr returns the address that s listens on, nil for a nil s.
func (s *Server) Addr() net.Addr {
	if s == nil {
		return nil
	}
	return s.listener.Addr()
}

// Handle adds a handler, as Telemetry.Handle of package exporters says. The error does not name the
// pattern.
func (s *Server) Handle(pattern string, h http.Handler) error {
	if s == nil {
		return errNoServer
	}
	return s.routes.add(pattern, h)
}

// Shutdown stops listening, cancels the requests of added handlers, gives a scrape that is under
// way a second to end, and closes all connections.
func (s *Server) Shutdown(ctx context.Context) error {
	if s == nil {
		return nil
	}
	s.routes.end() // a stream would never end on its own
	ctx, cancel := context.WithTimeout(ctx, linger)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close()
	}
	<-s.done
	return err
}

// advice says what to do about an address on which the server cannot listen.
func advice(err error) string {
	const other = "choose another with WithPrometheusAddr or OTEL_EXPORTER_PROMETHEUS_PORT"
	var lookup *net.DNSError
	switch {
	case errors.As(err, &lookup):
		return ": want a name or an IP address of this host, or no host for all its addresses"
	case errors.Is(err, syscall.EADDRINUSE):
		return ": another program has the port (ss -ltnp shows which), or another Start of this one: stop it, or " + other + "; port 0 takes a free one"
	case errors.Is(err, syscall.EACCES):
		return ": a port below 1024 needs privileges: " + other
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return ": this host does not have the address: set WithPrometheusAddr or OTEL_EXPORTER_PROMETHEUS_HOST to one that it has, or leave the host out for all"
	default:
		return ""
	}
}
