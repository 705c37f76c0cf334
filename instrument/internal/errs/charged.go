package errs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os/exec"
	"reflect"
	"slices"
	"syscall"
)

// Uncharged reports whether err says that a call of an API surely cost nothing: each error that it
// joins was a refusal without processing, or, unless the request has left, one of this machine.
// neverMade may name further errors of this machine; it may be nil.
func Uncharged(err error, left bool, neverMade func(error) bool) bool {
	if Plain(err) {
		return !endless(err) && uncharged(err, left, neverMade)
	}
	return Apart(false, func() bool { return !endless(err) && uncharged(err, left, neverMade) })
}

func uncharged(err error, left bool, neverMade func(error) bool) bool {
	switch refused, known := refusal(err); {
	case known:
		return refused
	case !left && (local(err) || neverMade != nil && neverMade(err)):
		return true
	}
	inner := slices.DeleteFunc(slices.Clone(unwrap(err)), func(e error) bool { return e == nil })
	return len(inner) > 0 && !slices.ContainsFunc(inner, func(e error) bool { return !uncharged(e, left, neverMade) })
}

// refusal reports whether err itself, without what it wraps, is the refusal of a request that was
// not processed, and whether that is known.
func refusal(err error) (refused, known bool) {
	if code, ok := httpStatus(err); ok {
		return code < 500 && code != 408 && code != 499, true // a timeout of the server, a client that hung up
	}
	if code, ok := grpcCode(err); ok {
		return slices.Contains(refusedCodes, code), true
	}
	if op, ok := err.(*net.OpError); ok && op.Op == "remote error" {
		if alert := reflect.ValueOf(op.Err); alert.Kind() == reflect.Uint8 {
			return true, slices.Contains(handshakeAlerts, uint8(alert.Uint()))
		}
	}
	return false, false
}

// Codes of gRPC: https://grpc.github.io/grpc/core/md_doc_statuscodes.html
const (
	grpcCanceled         = 1
	grpcDeadlineExceeded = 4
)

// refusedCodes are those of a request that was not processed: InvalidArgument, NotFound,
// AlreadyExists, PermissionDenied, ResourceExhausted, FailedPrecondition, OutOfRange,
// Unimplemented, Unauthenticated. Unavailable is none of them: the request may have been on its
// way.
var refusedCodes = []uint32{3, 5, 6, 7, 8, 9, 11, 12, 16}

// handshakeAlerts are the TLS alerts (RFC 8446, B.2) with which a server ends a handshake. In TLS
// 1.3 a client has by then finished its own part, and sent a request that the server does not read.
var handshakeAlerts = []uint8{40, 42, 43, 44, 45, 46, 48, 49, 51, 70, 71, 86, 109, 110, 112, 113, 115, 116, 120, 121}

// local reports whether err itself, without what it wraps, kept a request from leaving: the name,
// the connection, the handshake, or what the request was to be made of.
func local(err error) bool {
	switch e := err.(type) {
	case *net.OpError:
		return e.Op == "dial" || e.Op == "proxyconnect" || e.Op == "socks connect"
	case *url.Error:
		return e.Op == "parse"
	case *fs.PathError: // of the others, such as write, the answer may have been there
		return slices.Contains([]string{"open", "openat", "read", "stat", "lstat", "seek", "readdir", "readdirent", "fdopendir", "getdents"}, e.Op)
	case *net.DNSError, *net.AddrError, *net.ParseError, net.InvalidAddrError, net.UnknownNetworkError,
		x509.UnknownAuthorityError, x509.HostnameError, x509.CertificateInvalidError, x509.SystemRootsError,
		x509.InsecureAlgorithmError, x509.ConstraintViolationError, x509.UnhandledCriticalExtension,
		tls.RecordHeaderError, *tls.CertificateVerificationError, *tls.ECHRejectionError,
		url.EscapeError, url.InvalidHostError, *exec.Error,
		*json.MarshalerError, *json.UnsupportedTypeError, *json.UnsupportedValueError:
		return true
	case syscall.Errno:
		return e == syscall.ECONNREFUSED
	}
	return err == exec.ErrNotFound || err == exec.ErrDot //nolint:errorlint // what they are wrapped in is asked by the caller
}

// Answered reports whether err shows that a request has left: an answer, or a connection that was
// cut off.
func Answered(err error) bool {
	return Apart(true, func() bool {
		if endless(err) {
			return true
		}
		for e := range chain(err) {
			if _, ok := httpStatus(e); ok {
				return true
			}
			if code, ok := grpcCode(e); ok && code != grpcCanceled && code != grpcDeadlineExceeded {
				return true
			}
			if op, ok := e.(*net.OpError); ok && (op.Op == "read" || op.Op == "write") && !ended(op.Err) {
				return true
			}
			if slices.Contains([]error{io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE}, e) {
				return true
			}
		}
		return false
	})
}

// ended reports whether err is that of a context, or of a deadline of a connection.
func ended(err error) bool {
	return errors.Is(err, context.Canceled) || timeoutType(err) != ""
}
