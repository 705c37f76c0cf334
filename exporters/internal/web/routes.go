package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/stagemeter/stagemeter/exporters/internal/report"
)

// Errors of Handle.
var (
	errNoServer = errors.New("no port is open; serve the handler beside Telemetry.Handler on a server of your own")
	errEnded    = errors.New("telemetry has been shut down; it is not served")
	errNil      = errors.New("want a handler, not nil; it is not served")
)

// routes serves the paths that a web config file protects: /metrics, the handlers that add adds,
// and the landing page where none of them is. It is safe for concurrent use.
type routes struct {
	fixed   http.Handler // of metricsPath
	landing http.Handler
	logger  *slog.Logger
	mux     atomic.Pointer[http.ServeMux] // of everything but fixed; replaced, not changed
	ctx     context.Context               // of requests to added handlers
	cancel  context.CancelFunc            // cancels ctx
	places  chan struct{}                 // holds a value for each request to an added handler

	mu    sync.Mutex
	added []route // guarded by mu
}

// A route is a handler and its pattern.
type route struct {
	pattern string
	handler http.Handler
}

// newRoutes returns routes on which added handlers have at most some requests at a time.
func newRoutes(c Config, most int) *routes {
	fixed := http.NewServeMux()
	fixed.Handle("GET "+metricsPath, c.Metrics)
	r := &routes{fixed: fixed, landing: landing(c.Service), logger: c.Logger, places: make(chan struct{}, most)}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.mux.Store(r.muxOf(nil))
	return r
}

// ServeHTTP serves metricsPath first, so no pattern can take it away.
func (r *routes) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.URL.Path == metricsPath {
		r.fixed.ServeHTTP(w, req)
		return
	}
	r.mux.Load().ServeHTTP(w, req)
}

// add adds a handler. ServeMux panics where add returns an error.
func (r *routes) add(pattern string, h http.Handler) error {
	if f, ok := h.(http.HandlerFunc); h == nil || ok && f == nil {
		return errNil
	}
	if err := tryMux(pattern); err != nil {
		return fmt.Errorf("want a pattern of http.ServeMux, such as \"/live/\" or \"GET /live/job\": %w; it is not served", err)
	}
	if path := reserved(pattern); path != "" {
		return fmt.Errorf("%s is answered by the server itself; the handler is not served", path)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return errEnded
	}
	for _, other := range r.added {
		if tryMux(other.pattern, pattern) != nil {
			return fmt.Errorf("it conflicts with %q, which has been added before; the new handler is not served", other.pattern)
		}
	}
	added := append(slices.Clip(r.added), route{pattern, r.guarded(pattern, h)})
	r.mux.Store(r.muxOf(added))
	r.added = added
	return nil
}

// end cancels the requests to added handlers, and makes them answer 503 from now on.
func (r *routes) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cancel()
}

// muxOf returns a mux of added, and of the landing page unless one of added answers there.
func (r *routes) muxOf(added []route) *http.ServeMux {
	mux := http.NewServeMux()
	for _, a := range added {
		mux.Handle(a.pattern, a.handler)
	}
	home := &http.Request{Method: http.MethodGet, URL: &url.URL{Path: "/"}}
	if _, taken := mux.Handler(home); taken == "" {
		mux.Handle("GET /{$}", r.landing)
	}
	return mux
}

// guarded returns h with a place and a context that end cancels. If h panics or calls
// runtime.Goexit, the log has a line that names the pattern, and net/http breaks off the answer and
// no other.
//
// It passes the ResponseWriter unchanged: a stream needs its Flush and its deadlines.
func (r *routes) guarded(pattern string, h http.Handler) http.Handler {
	panics := report.NewRepeated(r.logger, "a handler panicked")
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if r.ctx.Err() != nil {
			http.Error(w, "telemetry has been shut down", http.StatusServiceUnavailable)
			return
		}
		select {
		case r.places <- struct{}{}:
			defer func() { <-r.places }()
		default:
			w.Header().Set("Retry-After", "1")
			http.Error(w, "too many requests at a time, try again later", http.StatusServiceUnavailable)
			return
		}
		w.Header().Del("Connection") // of withHealth
		ctx, cancel := context.WithCancel(req.Context())
		defer cancel()
		defer context.AfterFunc(r.ctx, cancel)()
		returned := false
		defer func() {
			v := recover()
			if v == nil {
				if !returned {
					panics.Handle(fmt.Errorf("the handler of %q called runtime.Goexit", pattern))
				}
				return
			}
			if v != http.ErrAbortHandler {
				panics.Handle(report.Panicked(fmt.Sprintf("the handler of %q", pattern), v))
			}
			panic(v) // net/http logs the stack at the level debug
		}()
		h.ServeHTTP(w, req.WithContext(ctx))
		returned = true
	})
}

// tryMux returns the error of a mux with patterns, or nil.
func tryMux(patterns ...string) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = report.Panicked("http.ServeMux", v)
			if cause, ok := v.(error); ok {
				err = cause
			}
		}
	}()
	mux := http.NewServeMux()
	for _, p := range patterns {
		mux.Handle(p, http.NotFoundHandler())
	}
	return nil
}

// reserved returns the path of the server's own that pattern names, or "". A pattern that matches
// more than such a path may be added: it gets the rest.
func reserved(pattern string) string {
	path := pattern[max(0, strings.IndexByte(pattern, '/')):]
	if p, err := url.PathUnescape(path); err == nil {
		path = p
	}
	if path == metricsPath || path == healthPath {
		return path
	}
	return ""
}

// withHealth serves /healthz beside next, outside of next's protection: a Kubernetes probe has no
// credentials. Only added handlers read a request's body: the connection of another one that has a
// body is closed after the answer, so that it does not keep its place until the body has come.
func withHealth(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+healthPath, health)
	mux.Handle("/", next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 && r.ProtoMajor == 1 {
			w.Header().Set("Connection", "close")
		}
		mux.ServeHTTP(w, r)
	})
}

// health answers ok while the process is alive, also while a receiver is down: a restart would only
// lose data that is still to be pushed.
func health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, "ok\n")
}
