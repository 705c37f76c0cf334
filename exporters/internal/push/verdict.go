package push

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"syscall"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A verdict classifies the answer to a request.
type verdict int

const (
	delivered verdict = iota // the receiver has taken all of it
	outage                   // no answer, or one that may change soon: it is worth trying again
	asked                    // as outage; the receiver says for how long it wants to be left alone
	closed                   // the connection was closed during the request: an outage, or too much data
	refused                  // the receiver does not want this data, nor would it in some seconds
	tooLarge                 // the receiver takes less data in one request
)

// An outcome is the fate of the items of one request.
type outcome struct {
	verdict verdict
	err     error         // nil if everything was taken without a word
	items   int           // of the request
	lost    int           // of items; 0 if delivered
	delay   time.Duration // that the receiver asks for; only with asked
	retry   bool          // the same request may be sent again
	timeout bool          // no answer came in time
	name    string        // of an item that is too large alone
}

// maxDelay bounds the time for which a receiver is left alone because it asks for it. A receiver
// may send a nonsensical time.
const maxDelay = time.Hour

// judge returns the outcome of a request with n items that ended in err and, over HTTP, got the
// answer a. The rules are those of the OTLP specification: 429, 502, 503 and 504 and some codes of
// gRPC may be retried, all others must not.
func judge(err error, a answer, n int) outcome {
	o := outcome{err: err, items: n, lost: n}
	switch lost := rejected(err, int64(n)); {
	case err == nil, lost == 0:
		o.lost = 0
		return o
	case isPartial(err):
		o.verdict, o.lost = refused, int(min(lost, int64(n)))
		return o
	}
	s, isGRPC := status.FromError(err)
	switch {
	case errors.Is(err, errOtherOrigin), errors.Is(err, errPage):
		o.verdict = refused
	case a.status != 0:
		o.judgeHTTP(a)
	case isGRPC:
		o.judgeGRPC(s)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed),
		closedHTTP.MatchString(err.Error()):
		o.verdict, o.retry = closed, true
	case ownLimit.MatchString(err.Error()):
		o.verdict = tooLarge
	default:
		o.verdict = outage
	}
	return o
}

func (o *outcome) judgeHTTP(a answer) {
	switch a.status {
	case http.StatusRequestEntityTooLarge:
		o.verdict = tooLarge
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		o.err = fmt.Errorf("%d %s: %w", a.status, http.StatusText(a.status), o.err)
		o.verdict, o.retry = outage, true
		o.leave(a.retryAfter)
	case http.StatusBadRequest, http.StatusInternalServerError: // a collector answers so if a body is too large
		o.verdict = refused
		if aboutSize(o.err.Error()) {
			o.verdict = tooLarge
		}
	default:
		o.verdict = refused
	}
}

func (o *outcome) judgeGRPC(s *status.Status) {
	var delay time.Duration
	hasDelay := false
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			delay, hasDelay = info.GetRetryDelay().AsDuration(), true
		}
	}
	switch code := s.Code(); {
	case !hasDelay && sizeCodes[code] && aboutSize(s.Message()):
		o.verdict = tooLarge
	case (code == codes.Unavailable || code == codes.Internal) && closedGRPC.MatchString(s.Message()) && !unconnected.MatchString(s.Message()):
		o.verdict, o.retry = closed, true
	case retriable[code], code == codes.ResourceExhausted && hasDelay:
		o.verdict, o.retry = outage, true
		o.leave(delay)
	default:
		o.verdict = refused
	}
}

// leave notes that the receiver asks to be left alone for d.
func (o *outcome) leave(d time.Duration) {
	if d <= 0 {
		return
	}
	o.delay = min(d, maxDelay)
	o.verdict = asked
	o.err = fmt.Errorf("the receiver asks to wait %v: %w", o.delay, o.err)
}

// retriable are the codes that the OTLP specification allows to retry. ResourceExhausted is one
// only with RetryInfo.
var retriable = map[codes.Code]bool{
	codes.Canceled: true, codes.DeadlineExceeded: true, codes.Aborted: true,
	codes.OutOfRange: true, codes.Unavailable: true, codes.DataLoss: true,
}

// sizeCodes are the codes with which servers refuse a message for its size: grpc-go, grpc-java and
// gRPC's C core with ResourceExhausted, tonic with OutOfRange, a proxy that answers 413 with
// Unknown.
var sizeCodes = map[codes.Code]bool{
	codes.ResourceExhausted: true, codes.OutOfRange: true, codes.InvalidArgument: true, codes.Unknown: true, codes.Internal: true,
}

var (
	sizeText = regexp.MustCompile(`(?i)larger than (the )?max|too (large|big|long)|exceed\w* (the )?(max|limit|size|.* (size|limit|bytes))|(size|length)\b.*\bexceed|max\w* (\w+ )?(size|length)|status code received from server: 413`)
	// quotaText matches texts that sizeText may match too, such as "Quota exceeded for … and limit …":
	// smaller requests would only be more requests.
	quotaText = regexp.MustCompile(`(?i)\brates?\b|quota|\bper (second|minute|hour|day|month)\b|/s\b|throttl|too many|concurren|memory`)
	// closedGRPC matches the texts of grpc-go for a connection that ends during a call, and
	// unconnected those for one that never came up.
	closedGRPC  = regexp.MustCompile(`error reading from server|transport is closing|connection reset by peer|broken pipe|RST_STREAM|EOF`)
	unconnected = regexp.MustCompile(`while dialing|server preface|handshake|connection refused`)
	ownLimit    = regexp.MustCompile(`request (message|body) too large: exceeded \d+ bytes`) // of the exporters: 64 MiB
	closedHTTP  = regexp.MustCompile(`server closed idle connection|http2: .*(closed|lost|GOAWAY)|stream error: |connection reset by peer|broken pipe`)
)

// aboutSize reports whether a receiver refuses a request for its size.
func aboutSize(text string) bool { return sizeText.MatchString(text) && !quotaText.MatchString(text) }

// partial matches the whole error of a request of which the receiver has rejected some items, or
// none with a warning. The exporters have no type for it that others can use.
var partial = regexp.MustCompile(`(?s)^(?:traces export|failed to upload metrics): OTLP partial success: .*\((-?\d+) [a-z ]+ rejected\)$`)

func isPartial(err error) bool { return partial.MatchString(err.Error()) }

// errTimeout is the cause of a request's context that is over because no answer came in time.
var errTimeout = errors.New("no answer in time")

// timedOut reports whether the request under ctx ended because its own time was over, and not its
// parent's.
func timedOut(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errTimeout) }
