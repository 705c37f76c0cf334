package errs_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stagemeter/stagemeter/instrument/internal/errs"
)

type (
	status struct{ StatusCode int }
	code   uint32 // as google.golang.org/grpc/codes.Code
	reply  struct{ code code }
	rpc    struct{ reply *reply }
	alert  uint8
	loop   struct{}
)

func (s status) Error() string         { return http.StatusText(s.StatusCode) }
func (r *reply) Code() code            { return r.code }
func (e rpc) Error() string            { return "rpc error" }
func (e rpc) GRPCStatus() *reply       { return e.reply }
func (a alert) Error() string          { return "tls alert" }
func (loop) Error() string             { return "loop" }
func (l loop) Unwrap() error           { return l }
func grpc(c code) error                { return rpc{&reply{c}} }
func openError(name string) error      { _, err := os.Open(name); return err }
func marshalError() error              { _, err := json.Marshal(math.NaN()); return err }
func parseError(target string) error   { _, err := url.Parse(target); return err }
func commandError() error              { return exec.Command("no-such-program-anywhere").Run() }
func requestError(target string) error { _, err := http.NewRequest("GET", target, nil); return err }

// What an error says of a request that nobody saw: it cost nothing, or may have; and once the
// request has left.
func TestUncharged(t *testing.T) {
	mine := errors.New("not made")
	for _, tt := range []struct {
		reason     string
		err        error
		want, left bool
	}{
		{"nothing known", errors.New("broken"), false, false},
		{"canceled", context.Canceled, false, false},
		{"deadline", context.DeadlineExceeded, false, false},
		{"cut off", io.ErrUnexpectedEOF, false, false},
		{"reset", &net.OpError{Op: "read", Err: syscall.ECONNRESET}, false, false},
		{"its own", fmt.Errorf("call: %w", mine), true, false},

		{"302", status{302}, true, true},
		{"400", status{400}, true, true},
		{"407", status{407}, true, true},
		{"408: the server waited for the request", status{408}, false, false},
		{"429, wrapped", fmt.Errorf("transcribe: %w", status{429}), true, true},
		{"499: the client hung up", status{499}, false, false},
		{"500", status{500}, false, false},
		{"599", status{599}, false, false},
		{"429 and 400", errors.Join(status{429}, status{400}), true, true},
		{"429 and 500", errors.Join(status{429}, status{500}), false, false},
		{"429 and something else", errors.Join(status{429}, io.EOF), false, false},
		{"429, and nil", errors.Join(nil, status{429}), true, true},

		{"no name", &net.DNSError{}, true, false},
		{"no connection", &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, true, false},
		{"a dial that took too long", &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, true, false},
		{"no connection, of a client that says only this", syscall.ECONNREFUSED, true, false},
		{"no proxy", &url.Error{Op: "Post", Err: &net.OpError{Op: "proxyconnect", Err: io.EOF}}, true, false},
		{"no SOCKS proxy", &net.OpError{Op: "socks connect", Err: io.EOF}, true, false},
		{"an unknown authority", x509.UnknownAuthorityError{}, true, false},
		{"an unknown authority, in a handshake", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, true, false},
		{"another host's certificate", x509.HostnameError{Certificate: &x509.Certificate{}}, true, false},
		{"an old certificate", x509.CertificateInvalidError{}, true, false},
		{"no TLS", tls.RecordHeaderError{}, true, false},
		{"a handshake that the server ended", &net.OpError{Op: "remote error", Err: alert(116)}, true, true},
		{"a connection that the server ended", &net.OpError{Op: "remote error", Err: alert(80)}, false, false},
		{"no such file", openError("/no/such/file"), true, false},
		{"a file that cannot be read", &fs.PathError{Op: "read", Err: syscall.EISDIR}, true, false},
		{"a file that cannot be written: the answer may be lost", &fs.PathError{Op: "write", Err: syscall.ENOSPC}, false, false},
		{"no such program", commandError(), true, false},
		{"a program that failed", &exec.ExitError{}, false, false},
		{"a URL that is none", parseError("http://[::1"), true, false},
		{"a request that is none", requestError("http://[::1"), true, false},
		{"another error of an HTTP client", &url.Error{Op: "Post", Err: io.EOF}, false, false},
		{"a value that is no JSON", marshalError(), true, false},
		{"a name and no file", errors.Join(&net.DNSError{}, openError("/no/such/file")), true, false},
		{"a name and 429", errors.Join(&net.DNSError{}, status{429}), true, false},

		{"an error that wraps itself", loop{}, false, false},
		{"a nil pointer", (*net.OpError)(nil), false, false},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			if got := errs.Uncharged(tt.err, false, func(err error) bool { return err == mine }); got != tt.want {
				t.Errorf("%v, not seen to leave: uncharged %t, want %t", tt.err, got, tt.want)
			}
			if got := errs.Uncharged(tt.err, true, nil); got != tt.left {
				t.Errorf("%v, seen to leave: uncharged %t, want %t", tt.err, got, tt.left)
			}
		})
	}
}

// Each code of gRPC: refused unprocessed, or perhaps at work.
func TestUnchargedByCode(t *testing.T) {
	refused := map[code]bool{3: true, 5: true, 6: true, 7: true, 8: true, 9: true, 11: true, 12: true, 16: true}
	for c := range code(18) {
		for _, left := range []bool{false, true} {
			if got := errs.Uncharged(fmt.Errorf("call: %w", grpc(c)), left, nil); got != refused[c] {
				t.Errorf("code %d: uncharged %t, want %t", c, got, refused[c])
			}
		}
		got, ok := errs.GRPCCode(fmt.Errorf("call: %w", grpc(c)))
		if ok != (c != 0) || got != uint32(c) {
			t.Errorf("code %d: %d, %t", c, got, ok)
		}
	}
	if code, ok := errs.GRPCCode(rpc{}); ok {
		t.Errorf("no status: code %d", code)
	}
}

func TestAnswered(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{errors.New("gave up"), false},
		{context.Canceled, false},
		{grpc(1), false},
		{grpc(4), false},
		{grpc(14), true},
		{status{503}, true},
		{fmt.Errorf("read: %w", io.ErrUnexpectedEOF), true},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, true},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, false},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, false},
	} {
		if got := errs.Answered(tt.err); got != tt.want {
			t.Errorf("%v: answered %t, want %t", tt.err, got, tt.want)
		}
	}
}
