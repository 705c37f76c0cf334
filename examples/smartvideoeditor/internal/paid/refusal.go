package paid

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

	"github.com/stagemeter/stagemeter/instrument"
)

// Bounds of what is taken from the service.
const (
	maxAnswer = 1 << 20 // bytes after decompression; ten minutes of fast speech are some 20 KB
	maxHeader = 64 << 10
	maxWait   = time.Minute // that a service may ask for before the next try

	answerBegins = 10 * time.Minute // after the call; a slow service listens to ten minutes for as long
	answerEnds   = time.Minute      // after its headers
	refusalEnds  = 5 * time.Second  // after its headers
	chatEnds     = 2 * time.Minute  // after the call
)

// A Refusal is an answer of the service with a status other than a success.
type Refusal struct {
	StatusCode int
	Message    string // the words of the service; may be empty
	wait       time.Duration
}

func (e *Refusal) Error() string {
	return fmt.Sprintf("the service answers %d %s", e.StatusCode, http.StatusText(e.StatusCode)) + after(": ", e.Message)
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
	chat                time.Duration // of a chat model's answer, from the call to its end
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
	if !succeeded(answer) {
		timer.Reset(l.refusal)
		return nil, l.refused(answer)
	}
	timer.Reset(l.end)
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, &begun{late(ctx, err)}
	case err != nil:
		return nil, &AnswerError{fmt.Sprintf("breaks off: %v", err)}
	case len(body) > maxAnswer:
		return nil, errTooLong
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// begun is the error of a call that was ended while its answer was read.
type begun struct{ err error }

func (b *begun) Error() string { return b.err.Error() }
func (b *begun) Unwrap() error { return b.err }

// Answered reports whether a failed call has got an answer of success, or the beginning of one. It
// has surely been charged.
func Answered(err error) bool {
	var invalid *AnswerError
	var answer *begun
	return errors.As(err, &invalid) || errors.As(err, &answer)
}

// stream is apply for an answer that the caller reads as it comes, in a context that ends in time.
func (l limits) stream(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	answer, err := next(r)
	if err != nil {
		return nil, late(r.Context(), err)
	}
	if !succeeded(answer) {
		defer answer.Body.Close()
		defer time.AfterFunc(l.refusal, func() { _ = answer.Body.Close() }).Stop()
		return nil, l.refused(answer)
	}
	answer.Body = &bounded{answer.Body, maxAnswer}
	return answer, nil
}

func succeeded(answer *http.Response) bool {
	return answer.StatusCode >= 200 && answer.StatusCode < 300
}

// refused reads an answer that is no success. The refusal of a budget is one too: package aihttp
// makes it, and reading it gives the budget's error.
func (l limits) refused(answer *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if errors.Is(err, instrument.ErrBudgetExceeded) {
		return err
	}
	return &Refusal{StatusCode: answer.StatusCode, Message: l.reason(answer, body), wait: retryAfter(answer.Header)}
}

// bounded is the body of an answer that ends with an error when it is too long.
type bounded struct {
	io.ReadCloser
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

var errTooLong = &AnswerError{fmt.Sprintf("has more than %d bytes", maxAnswer)}

// errTime is the cause of a context that a limit has ended.
var errTime = fmt.Errorf("the service does not answer in time: %w", context.DeadlineExceeded)

// late returns the error of a call that a limit has ended, or else err.
func late(ctx context.Context, err error) error {
	if context.Cause(ctx) == errTime { //nolint:errorlint // set by this package itself
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
