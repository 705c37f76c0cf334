package push

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Servers say the same thing in many ways.
func TestJudge(t *testing.T) {
	upload := func(err error) error { return fmt.Errorf("failed to upload metrics: %w", err) }
	rpc := func(c codes.Code, text string) error { return upload(errors.Join(status.Error(c, text))) }
	later := func(c codes.Code, d time.Duration) error {
		s, err := status.New(c, "later").WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(d)})
		if err != nil {
			t.Fatal(err)
		}
		return upload(s.Err())
	}
	post := func(err error) error { return upload(&url.Error{Op: "Post", URL: "http://collector", Err: err}) }
	text := func(s string) error { return upload(errors.New(s)) }
	for _, tt := range []struct {
		reason string
		err    error
		answer answer
		want   verdict
		delay  time.Duration
		retry  bool
		lost   int
	}{
		{"no error", nil, answer{}, delivered, 0, false, 0},
		{"a warning", text("OTLP partial success: use the other port (0 data points rejected)"), answer{status: 200}, delivered, 0, false, 0},
		{"fewer than none rejected", text("OTLP partial success: use the other port (-1 data points rejected)"), answer{status: 200}, delivered, 0, false, 0},
		{"some rejected", text("OTLP partial success: too old (3 data points rejected)"), answer{status: 200}, refused, 0, false, 3},
		{"more than all rejected", text("OTLP partial success: too old (99 data points rejected)"), answer{status: 200}, refused, 0, false, 10},

		{"429", text("x"), answer{status: 429}, outage, 0, true, 10},
		{"429, later", text("x"), answer{429, time.Minute}, asked, time.Minute, true, 10},
		{"502", text("x"), answer{status: 502}, outage, 0, true, 10},
		{"503, later", text("x"), answer{503, time.Second}, asked, time.Second, true, 10},
		{"504", text("x"), answer{status: 504}, outage, 0, true, 10},
		{"next year", text("x"), answer{503, 365 * 24 * time.Hour}, asked, maxDelay, true, 10},
		{"400", text("bad"), answer{status: 400}, refused, 0, false, 10},
		{"401", text("who are you"), answer{status: 401}, refused, 0, false, 10},
		{"404", text("no such page"), answer{status: 404}, refused, 0, false, 10},
		{"500", text("oops"), answer{status: 500}, refused, 0, false, 10},
		{"307", text("elsewhere"), answer{status: 307}, refused, 0, false, 10},
		{"413", text("x"), answer{status: 413}, tooLarge, 0, false, 10},
		{"413, later", text("x"), answer{413, time.Minute}, tooLarge, 0, false, 10},
		{"a collector's 400", text("400 Bad Request (body: \x08\x03\x12\x1ehttp: request body too large)"), answer{status: 400}, tooLarge, 0, false, 10},
		{"200 and an answer that is none", text("proto: cannot parse invalid wire-format data"), answer{status: 200}, refused, 0, false, 10},

		{"closed while sending", post(&errWrite), answer{}, closed, 0, true, 10},
		{"closed before the answer", post(io.EOF), answer{}, closed, 0, true, 10},
		{"reset", post(syscall.ECONNRESET), answer{}, closed, 0, true, 10},
		{"HTTP/2 closed", post(errors.New("http2: client connection lost")), answer{}, closed, 0, true, 10},
		{"HTTP/2 stream reset", post(errors.New("stream error: stream ID 1; INTERNAL_ERROR; received from peer")), answer{}, closed, 0, true, 10},
		{"nobody listens", post(errors.New("dial tcp 127.0.0.1:1: connect: connection refused")), answer{}, outage, 0, false, 10},
		{"no time", upload(context.DeadlineExceeded), answer{}, outage, 0, false, 10},
		{"the exporters' own limit", text("request message too large: exceeded 67108864 bytes"), answer{}, tooLarge, 0, false, 10},
		{"a page", post(fmt.Errorf("%w with status 200", errPage)), answer{status: 200}, refused, 0, false, 10},
		{"another host", post(fmt.Errorf("a redirect to http://b %w", errOtherOrigin)), answer{status: 307}, refused, 0, false, 10},

		{"unavailable", rpc(codes.Unavailable, "no healthy upstream"), answer{}, outage, 0, true, 10},
		{"unavailable, later", later(codes.Unavailable, 30*time.Second), answer{}, asked, 30 * time.Second, true, 10},
		{"exhausted", rpc(codes.ResourceExhausted, "quota"), answer{}, refused, 0, false, 10},
		{"exhausted, later", later(codes.ResourceExhausted, 30*time.Second), answer{}, asked, 30 * time.Second, true, 10},
		{"exhausted, now", later(codes.ResourceExhausted, 0), answer{}, outage, 0, true, 10},
		{"later, below zero", later(codes.Unavailable, -time.Second), answer{}, outage, 0, true, 10},
		{"an error that must not be retried, later", later(codes.InvalidArgument, time.Minute), answer{}, refused, 0, false, 10},
		{"unauthenticated", rpc(codes.Unauthenticated, "who are you"), answer{}, refused, 0, false, 10},
		{"not a receiver", rpc(codes.Unimplemented, "unknown service"), answer{}, refused, 0, false, 10},
		{"grpc-go", rpc(codes.ResourceExhausted, "grpc: received message larger than max (5242880 vs. 4194304)"), answer{}, tooLarge, 0, false, 10},
		{"grpc-go, gzip", rpc(codes.ResourceExhausted, "grpc: received message after decompression larger than max 4194304"), answer{}, tooLarge, 0, false, 10},
		{"grpc-java", rpc(codes.ResourceExhausted, "gRPC message exceeds maximum size 4194304: 5242880"), answer{}, tooLarge, 0, false, 10},
		{"C core", rpc(codes.ResourceExhausted, "SERVER: Received message larger than max (5242880 vs. 4194304)"), answer{}, tooLarge, 0, false, 10},
		{"tonic", rpc(codes.OutOfRange, "Error, decoded message length too large: found 5242880 bytes, the limit is: 4194304 bytes"), answer{}, tooLarge, 0, false, 10},
		{"a proxy", rpc(codes.Unknown, "unexpected HTTP status code received from server: 413 (Request Entity Too Large)"), answer{}, tooLarge, 0, false, 10},
		{"a quota", rpc(codes.ResourceExhausted, "Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute' of service 'telemetry'"), answer{}, refused, 0, false, 10},
		{"a rate", rpc(codes.ResourceExhausted, "the tenant exceeded the request rate limit, set to 10 requests/s"), answer{}, refused, 0, false, 10},
		{"memory", rpc(codes.ResourceExhausted, "exceeded the memory limit"), answer{}, refused, 0, false, 10},
		{"a rate over HTTP", text("400 Bad Request (body: ingestion rate exceeds the limit of 1000 samples)"), answer{status: 400}, refused, 0, false, 10},
		{"out of range", rpc(codes.OutOfRange, "time"), answer{}, outage, 0, true, 10},
		{"closed during the call", rpc(codes.Unavailable, "error reading from server: EOF"), answer{}, closed, 0, true, 10},
		{"stream reset", rpc(codes.Internal, "stream terminated by RST_STREAM with error code: ENHANCE_YOUR_CALM"), answer{}, closed, 0, true, 10},
		{"never connected", rpc(codes.Unavailable, `connection error: desc = "error reading server preface: EOF"`), answer{}, outage, 0, true, 10},
		{"nobody listens over gRPC", rpc(codes.Unavailable, `connection error: desc = "transport: Error while dialing: dial tcp: connect: connection refused"`), answer{}, outage, 0, true, 10},
	} {
		got := judge(tt.err, tt.answer, 10)
		if got.verdict != tt.want || got.delay != tt.delay || got.retry != tt.retry || got.lost != tt.lost {
			t.Errorf("%s: %+v, want verdict %d", tt.reason, got, tt.want)
		}
		if (got.err == nil) != (tt.err == nil) || !errors.Is(got.err, tt.err) {
			t.Errorf("%s: the error is now %v", tt.reason, got.err)
		}
	}
}

var errWrite = url.Error{Op: "write", URL: "tcp", Err: syscall.EPIPE}

// Retry-After is a number of seconds or a date. Anything else is no wish.
func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"": 0, "0": 0, "-1": 0, "soon": 0, "1.5": 0, "30": 30 * time.Second,
		"99999999999999999999": maxDelay, "9999999999": maxDelay,
		time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat): 0,
	} {
		if got := retryAfter(value); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	in := retryAfter(time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
	if in <= 50*time.Minute || in > time.Hour {
		t.Errorf("a date in an hour: %v", in)
	}
}
