package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	grpccodes "google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// Errors of the shape of gRPC's, of libraries that have a type of their own.
type (
	handCode   uint32
	handStatus struct{ code handCode }
	handError  struct{ s *handStatus } // GRPCStatus, as most have it
	valueError struct{ code handCode } // GRPCStatus by value
	anyError   struct{ s any }         // GRPCStatus as an interface
	statusFunc struct{ s *status.Status }
	codeFunc   struct{ code grpccodes.Code }
	otherCode  struct{ code handCode }
	panicsGRPC struct{}
	takesMore  struct{}
)

func (s *handStatus) Code() handCode          { return s.code } // panics on nil, unlike gRPC's
func (e handError) Error() string             { return "x" }
func (e handError) GRPCStatus() *handStatus   { return e.s }
func (e *valueError) Error() string           { return "x" }
func (e *valueError) GRPCStatus() handStatus2 { return handStatus2(e.code) }
func (e anyError) Error() string              { return "x" }
func (e anyError) GRPCStatus() interface{ Code() handCode } {
	c, _ := e.s.(interface{ Code() handCode })
	return c
}
func (e statusFunc) Error() string             { return "x" }
func (e statusFunc) Status() *status.Status    { return e.s }
func (e codeFunc) Error() string               { return "x" }
func (e codeFunc) Code() grpccodes.Code        { return e.code }
func (e otherCode) Error() string              { return "x" }
func (e otherCode) Code() handCode             { return e.code }
func (panicsGRPC) Error() string               { return "x" }
func (panicsGRPC) GRPCStatus() *handStatus     { panic("GRPCStatus") }
func (takesMore) Error() string                { return "x" }
func (takesMore) GRPCStatus(i int) *handStatus { return &handStatus{handCode(i)} }

type handStatus2 handCode

func (s handStatus2) Code() handCode { return handCode(s) }

// Each code of gRPC is one word, whatever type carries it.
func TestErrorTypeOfGRPC(t *testing.T) {
	words := map[grpccodes.Code]string{
		grpccodes.Canceled:           "canceled",
		grpccodes.Unknown:            "grpc_unknown",
		grpccodes.InvalidArgument:    "grpc_invalid_argument",
		grpccodes.DeadlineExceeded:   "timeout",
		grpccodes.NotFound:           "grpc_not_found",
		grpccodes.AlreadyExists:      "grpc_already_exists",
		grpccodes.PermissionDenied:   "grpc_permission_denied",
		grpccodes.ResourceExhausted:  "grpc_resource_exhausted",
		grpccodes.FailedPrecondition: "grpc_failed_precondition",
		grpccodes.Aborted:            "grpc_aborted",
		grpccodes.OutOfRange:         "grpc_out_of_range",
		grpccodes.Unimplemented:      "grpc_unimplemented",
		grpccodes.Internal:           "grpc_internal",
		grpccodes.Unavailable:        "grpc_unavailable",
		grpccodes.DataLoss:           "grpc_data_loss",
		grpccodes.Unauthenticated:    "grpc_unauthenticated",
		grpccodes.Code(17):           "grpc_unknown",
		grpccodes.Code(1 << 31):      "grpc_unknown",
	}
	for code, want := range words {
		for _, err := range []error{
			status.Error(code, "x"),
			fmt.Errorf("a: %w", fmt.Errorf("b: %w", status.Error(code, "x"))),
			errors.Join(nil, status.Error(code, "x")),
			handError{&handStatus{handCode(code)}},
			&valueError{handCode(code)},
			anyError{&handStatus{handCode(code)}},
			statusFunc{status.New(code, "x")},
			codeFunc{code},
		} {
			if got := instrument.ErrorType(err); got != want {
				t.Errorf("%v as a %T: %q, want %q", code, err, got, want)
			}
		}
	}
	for _, tt := range []struct {
		reason string
		err    error
		want   string
	}{
		{"OK is no failure", handError{&handStatus{0}}, "instrument_test.handError"},
		{"a nil status", handError{}, "instrument_test.handError"},
		{"a nil interface", anyError{}, "instrument_test.anyError"},
		{"a nil status of gRPC", statusFunc{}, "instrument_test.statusFunc"},
		{"a method that panics", panicsGRPC{}, "instrument_test.panicsGRPC"},
		{"another method of that name", takesMore{}, "instrument_test.takesMore"},
		{"a code that is not known to be gRPC's", otherCode{5}, "instrument_test.otherCode"},
		{"one that panics around one that does not", errors.Join(panicsGRPC{}, codeFunc{grpccodes.NotFound}), "grpc_not_found"},
		{"its own word first", errors.Join(status.Error(grpccodes.NotFound, "x"), &ownType{"own"}), "own"},
		{"canceled beside a failure", errors.Join(status.Error(grpccodes.Canceled, "x"), status.Error(grpccodes.Internal, "x")), "grpc_internal"},
	} {
		if got := instrument.ErrorType(tt.err); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.reason, got, tt.want)
		}
	}
}

// A call that gRPC canceled for its caller is no failed job, though the error does not wrap
// context.Canceled.
func TestJobThatGRPCCanceled(t *testing.T) {
	p, rec := instrumenttest.New(t)
	_ = p.RunJob(t.Context(), "job-1", func(context.Context) error { return status.Error(grpccodes.Canceled, "x") })
	if got := rec.Counter(vp("jobs_total"), label("status", "canceled")); got != 1 {
		t.Errorf("%v canceled, want 1", got)
	}
}

// Redis's errors, of types and texts as go-redis and redigo have them.
type redisError string

func (e redisError) Error() string { return string(e) }
func (redisError) RedisError()     {}

func TestErrorTypeOfRedis(t *testing.T) {
	for err, want := range map[error]string{
		redisError("redis: nil"):                       "redis_nil",
		errors.New("redigo: nil returned"):             "redis_nil",
		errors.New("redis: connection pool timeout"):   "redis_pool_timeout",
		errors.New("redis: connection pool exhausted"): "redis_pool_exhausted",
		redisError("WRONGTYPE Operation"):              "instrument_test.redisError",
		sentinel("redis: nil"):                         "instrument_test.sentinel",
	} {
		if got := instrument.ErrorType(fmt.Errorf("get: %w", err)); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}
