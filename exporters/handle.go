package exporters

import (
	"errors"
	"fmt"
	"net/http"
)

// Handle serves h on the metrics server for the requests that match pattern, a pattern of
// [http.ServeMux] such as "/live/", "GET /live/job" or "example.com/". It may be called at any time
// until [Telemetry.Shutdown], also while the server answers requests.
//
// The handler stands behind the web config file, see [WithWebConfigFile], as the metrics do: TLS,
// client certificates, passwords, headers and the rate limit. It replaces the page at / if pattern
// matches that path. It cannot replace /metrics and /healthz: a pattern of just that path is an
// error, and a wider one gets every other path.
//
// Only the server serves h. [Telemetry.Handler] answers with metrics, whatever the path: a program
// with a server of its own mounts h there too.
//
// The error names the pattern. There is one, and h is not served, if
//
//   - pattern is not one of http.ServeMux, or conflicts with an earlier one;
//   - h is nil;
//   - no port is open, as after [WithoutServer] or on a nil Telemetry, or Shutdown has been called.
//
// If h panics, its own answer is broken off and the log has a line. [http.ErrAbortHandler] is not
// logged.
//
// At most three quarters of the server's connections, 384 of 512, are for requests to such handlers.
// Further ones get 503 with Retry-After.
//
// An answer has 60 seconds, and a request's body 10. A handler that streams extends the deadline
// before each write, by SetWriteDeadline of [http.ResponseController]; it works over HTTP/1.1 and
// HTTP/2. Shutdown cancels the contexts of the requests, waits for their handlers for up to a
// second, and closes their connections. A request that arrives later on an open connection gets
// 503.
func (t *Telemetry) Handle(pattern string, h http.Handler) error {
	err := errNilTelemetry
	if t != nil {
		err = t.server.Handle(pattern, h)
	}
	if err != nil {
		return fmt.Errorf("exporters: Handle(%q): %w", pattern, err)
	}
	return nil
}

var errNilTelemetry = errors.New("a nil *Telemetry serves nothing")
