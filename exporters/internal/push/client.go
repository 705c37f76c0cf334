package push

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/stagemeter/stagemeter/exporters/internal/settings"
)

// An answer is the last answer of an HTTP receiver to a request. The exporters return it only as a
// text.
type answer struct {
	status     int           // 0: none
	retryAfter time.Duration // 0: not asked for
}

// answerKey is the context key of a request's *answer.
type answerKey struct{}

// httpClient returns a new client for d. Without it the exporters would share one client in the
// process, whose idle connections would outlive Shutdown.
func httpClient(d *settings.Destination) *http.Client {
	return &http.Client{
		Timeout: d.Timeout,
		Transport: noting{&http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSHandshakeTimeout: dialTimeout,
			TLSClientConfig:     d.TLS.Clone(),
			ForceAttemptHTTP2:   true,
			MaxIdleConns:        2,
			IdleConnTimeout:     90 * time.Second,
		}},
		CheckRedirect: sameOrigin,
	}
}

// A noting transport writes each answer into the *answer of the request's context.
type noting struct{ *http.Transport }

func (t noting) RoundTrip(r *http.Request) (*http.Response, error) {
	note, _ := r.Context().Value(answerKey{}).(*answer)
	if note != nil {
		*note = answer{}
	}
	resp, err := t.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if note != nil {
		*note = answer{status: resp.StatusCode, retryAfter: retryAfter(resp.Header.Get("Retry-After"))}
	}
	switch kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); {
	case kind == "application/x-protobuf":
		resp.Header.Set("Content-Type", kind) // with a parameter the exporters would not read the answer
	case kind == "text/html" && resp.StatusCode/100 == 2:
		_ = resp.Body.Close()
		return nil, fmt.Errorf("%w with status %d", errPage, resp.StatusCode)
	}
	return resp, nil
}

// errPage is the error for an answer that claims success and cannot be one of a receiver, such as
// the login page of a proxy.
var errPage = errors.New("the answer is a page and not OTLP's: is this the address of a receiver?")

// errOtherOrigin is the error for a redirect that is not followed.
var errOtherOrigin = errors.New("is not followed; set this endpoint if it is right")

// sameOrigin follows a redirect only to the same scheme, host and port, and only as the same
// request. The headers may hold keys, which net/http would send to the other host; and after 301,
// 302 and 303 it would ask for the page without the data.
func sameOrigin(r *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case len(via) >= 5:
		return errors.New("too many redirects")
	case r.Method != first.Method:
		return fmt.Errorf("a redirect that would drop the data %w", errOtherOrigin)
	case r.URL.Scheme != first.URL.Scheme || r.URL.Hostname() != first.URL.Hostname() || port(r.URL) != port(first.URL):
		return fmt.Errorf("a redirect to %s://%s %w", r.URL.Scheme, r.URL.Host, errOtherOrigin)
	}
	return nil
}

// port returns the port of an http or https URL.
func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	default:
		return "80"
	}
}

// retryAfter returns the time of a Retry-After header: seconds or a date. It is 0 for a date in the
// past and for anything else.
func retryAfter(value string) time.Duration {
	seconds, err := strconv.ParseUint(value, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(maxDelay/time.Second))) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(date))
	}
	return 0
}

// withAnswer returns ctx for a request whose answer is written to a.
func withAnswer(ctx context.Context, a *answer) context.Context {
	return context.WithValue(ctx, answerKey{}, a)
}
