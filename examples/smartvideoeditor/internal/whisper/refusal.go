package whisper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/openai/openai-go/v3/option"
)

// Bounds of what is taken from the service.
const (
	maxAnswer = 1 << 20 // bytes after decompression; ten minutes of fast speech are some 20 KB
	maxHeader = 64 << 10
	maxWait   = time.Minute // that a service may ask for before the next try

	answerBegins = 10 * time.Minute // after the call; a slow service listens to ten minutes for as long
	answerEnds   = time.Minute      // after its headers
	refusalEnds  = 5 * time.Second  // after its headers
)

// A Refusal is an answer of the service with a status other than a success.
type Refusal struct {
	StatusCode int
	Message    string // the words of the service; may be empty
	wait       time.Duration
}

func (e *Refusal) Error() string {
	return fmt.Sprintf("the transcription service answers %d %s", e.StatusCode, http.StatusText(e.StatusCode)) + after(": ", e.Message)
}

// RetryAfter reports whether a failed call may succeed when it is made again, and after which time
// at the earliest. The failed call may have been charged all the same. A call that surely was, one
// with an answer, is not worth another: it reports false.
func RetryAfter(err error) (time.Duration, bool) {
	var refusal *Refusal
	var connection net.Error
	switch {
	case errors.As(err, &refusal):
		switch refusal.StatusCode {
		case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests,
			http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return refusal.wait, refusal.wait <= maxWait
		}
		return 0, false
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return 0, false
	}
	return 0, errors.As(err, &connection) && !connection.Timeout()
}

// limits are the times within which the service has to answer, and what its words must not show.
type limits struct {
	begin, end, refusal time.Duration // of an answer, from the call on; then of its body
	secrets             secrets
}

// apply makes a call, and reads its answer within the limits. An answer whose status is no success
// is a *Refusal.
func (l limits) apply(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	timer := time.AfterFunc(l.begin, func() { cancel(errTime) })
	defer timer.Stop()
	answer, err := next(r.WithContext(ctx))
	if err != nil {
		return nil, late(ctx, err)
	}
	defer answer.Body.Close()
	success := answer.StatusCode >= 200 && answer.StatusCode < 300
	if success {
		timer.Reset(l.end)
	} else {
		timer.Reset(l.refusal)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case !success: // the status says enough
		return nil, &Refusal{StatusCode: answer.StatusCode, Message: l.reason(answer, body), wait: retryAfter(answer.Header)}
	case err != nil && ctx.Err() != nil:
		return nil, late(ctx, err)
	case err != nil:
		return nil, &AnswerError{fmt.Sprintf("breaks off: %v", err)}
	case len(body) > maxAnswer:
		return nil, &AnswerError{fmt.Sprintf("has more than %d bytes", maxAnswer)}
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// errTime is the cause of a context that a limit has ended.
var errTime = fmt.Errorf("the transcription service does not answer in time: %w", context.DeadlineExceeded)

// late returns the error of a call that a limit has ended, or else err.
func late(ctx context.Context, err error) error {
	if context.Cause(ctx) == errTime { //nolint:errorlint // set by apply itself
		return errTime
	}
	return err
}

// reason returns why the service refused. A page of a proxy has no words worth repeating.
func (l limits) reason(answer *http.Response, body []byte) string {
	if answer.StatusCode < 400 {
		return "it has moved, and redirects are not followed"
	}
	if said := l.secrets.reason(body); said != "" {
		return said
	}
	if kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type")); err == nil && len(body) > 0 {
		return "an answer of type " + l.secrets.short(kind, 40)
	}
	return ""
}

// retryAfter returns how long the service asks to wait: 0 if it does not say. Retry-After-Ms is
// that of OpenAI.
func retryAfter(h http.Header) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil {
		return wait(ms, time.Millisecond)
	}
	if s, err := strconv.ParseFloat(h.Get("Retry-After"), 64); err == nil {
		return wait(s, time.Second)
	}
	if at, err := http.ParseTime(h.Get("Retry-After")); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// wait returns n units of time. What is longer than an hour is an hour, which is too long anyway.
func wait(n float64, unit time.Duration) time.Duration {
	if n != n || n <= 0 { // not a number, or negative
		return 0
	}
	return time.Duration(min(n*float64(unit), float64(time.Hour)))
}
