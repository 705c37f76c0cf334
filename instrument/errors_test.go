package instrument_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// Errors of the kinds that API clients return: a status as a method, or as an exported field.
type (
	statusMethod int                      // smithy's ResponseError
	httpMethod   int                      // gRPC gateways
	statusField  struct{ StatusCode int } // openai-go, anthropic-sdk-go
	codeField    struct{ Code int }       // net/textproto: of SMTP, FTP and others
	googleField  struct {                 // googleapi
		Code   int
		Header http.Header
	}
	pgError        struct{ code string }      // pgx
	ownType        struct{ errorType string } // one that knows this package
	slowError      struct{ timeout bool }     // net.Error's method
	wrapper        struct{ inner error }      // one Unwrap
	opaque         struct{ *statusField }     // a field promoted from a nil pointer
	generic[T any] struct{ V T }              // a long type name
)

func (statusMethod) Error() string       { return "api" }
func (e statusMethod) StatusCode() int   { return int(e) }
func (httpMethod) Error() string         { return "api" }
func (e httpMethod) HTTPStatusCode() int { return int(e) }
func (*statusField) Error() string       { return "api" }
func (*codeField) Error() string         { return "api" }
func (*googleField) Error() string       { return "api" }
func (*pgError) Error() string           { return "sql" }
func (e *pgError) SQLState() string      { return e.code }
func (*ownType) Error() string           { return "own" }
func (e *ownType) ErrorType() string     { return e.errorType }
func (*slowError) Error() string         { return "slow" }
func (e *slowError) Timeout() bool       { return e.timeout }
func (e wrapper) Error() string          { return e.inner.Error() }
func (e wrapper) Unwrap() error          { return e.inner }
func (opaque) Error() string             { return "opaque" }
func (generic[T]) Error() string         { return "generic" }

// The error_type of an alert has to be the same for the same trouble, whatever library met it, and few in number.
// Where that is possible the errors are real ones.
func TestErrorType(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		reason string
		err    error
		want   string
	}{
		{"no error", nil, ""},
		{"its own word", &ownType{"no_audio"}, "no_audio"},
		{"its own word, wrapped", fmt.Errorf("x: %w", &ownType{"no_audio"}), "no_audio"},
		{"its own word before what it wraps", &instrument.PanicError{Value: context.Canceled}, "panic"},
		{"an own word that is empty leaves it to a deeper one", wrapper{errors.Join(&ownType{}, &ownType{"no_audio"})}, "no_audio"},
		{"an own word that is empty leaves it to the rest", &ownType{}, "instrument_test.ownType"},
		{"a refusal by the budget", &instrument.BudgetError{}, "budget_exceeded"},
		{"a ledger's refusal", fmt.Errorf("redis: %w", instrument.ErrBudgetExceeded), "budget_exceeded"},

		{"canceled", fmt.Errorf("x: %w", context.Canceled), "canceled"},
		{"deadline of a context", context.DeadlineExceeded, "timeout"},
		{"deadline of a file or connection", deadlineOfAConnection(t), "timeout"},
		{"an HTTP client's time limit", httpTimeout(t), "timeout"},
		{"a time limit below one that says no", &url.Error{Op: "Get", Err: fmt.Errorf("x: %w", &slowError{true})}, "timeout"},
		{"a time limit beside one that says no", errors.Join(&slowError{false}, &slowError{true}), "timeout"},
		{"a Timeout method that says no", &slowError{false}, "instrument_test.slowError"},
		{"a time limit is told before a missing file", errors.Join(fs.ErrNotExist, &slowError{true}), "timeout"},
		{"the system's time limit", syscall.ETIMEDOUT, "timeout"},

		{"what was canceled beside a failure", errors.Join(context.Canceled, fs.ErrNotExist), "not_found"},
		{"a failure beside what was canceled", fmt.Errorf("%w and %w", errDecoder, context.Canceled), "error"},
		{"what calls itself canceled", wrapper{&ownType{"canceled"}}, "canceled"},
		{"what calls itself canceled beside a failure", errors.Join(&ownType{"canceled"}, fs.ErrNotExist), "not_found"},
		{"all that was canceled", errors.Join(context.Canceled, fmt.Errorf("render: %w", context.Canceled)), "canceled"},
		{"a file that is not there", second(os.Open(filepath.Join(dir, "missing"))), "not_found"},
		{"a program that is not installed", exec.Command("stagemeter-no-such-program").Run(), "not_found"},
		{"a file that is there", os.Mkdir(file, 0o700), "exists"},
		{"a file that may not be read", &fs.PathError{Op: "open", Path: file, Err: syscall.EACCES}, "permission"},
		{"a full disk", fullDisk(t), "no_space"},
		{"a file that ends too early", second(io.ReadFull(strings.NewReader("x"), make([]byte, 2))), "unexpected_eof"},

		{"an HTTP status as a method", statusMethod(503), "http_503"},
		{"an HTTP status as the other method", httpMethod(429), "http_429"},
		{"an HTTP status as a field", &statusField{401}, "http_401"},
		{"an HTTP status as googleapi's field", &googleField{Code: 404}, "http_404"},
		{"an HTTP status, wrapped", fmt.Errorf("x: %w", &statusField{500}), "http_500"},
		{"a status of success is no type of error", statusMethod(200), "instrument_test.statusMethod"},
		{"a code that is none of HTTP", &codeField{404}, "instrument_test.codeField"},
		{"a reply of SMTP", &textproto.Error{Code: 550, Msg: "no such mailbox"}, "textproto.Error"},
		{"a number that is no HTTP status", &googleField{Code: 1062}, "instrument_test.googleField"},
		{"a nil pointer on the way to the field", opaque{}, "instrument_test.opaque"},

		{"no rows", databaseError(t, "no rows"), "sql_no_rows"},
		{"a transaction that is over", databaseError(t, "tx done"), "sql_tx_done"},
		{"a connection that is over", databaseError(t, "conn done"), "sql_conn"},
		{"a connection that broke", databaseError(t, "bad conn"), "sql_conn"},
		{"the class of an SQLSTATE", fmt.Errorf("x: %w", &pgError{"23505"}), "sqlstate_23"},
		{"no SQLSTATE", &pgError{"none"}, "instrument_test.pgError"},

		{"a process that failed", exec.Command("sh", "-c", "exit 3").Run(), "exec_exit"},
		{"a process that failed, and one that was killed for it", errors.Join(exec.Command("sh", "-c", "kill -9 $$").Run(), exec.Command("false").Run()), "exec_exit"},
		{"a process that was killed", exec.Command("sh", "-c", "kill -9 $$").Run(), "exec_signal"},
		{"a process error made by hand", &exec.ExitError{}, "exec_signal"},
		{"nobody listens", dialNobody(t), "net_dial"},
		{"a name that does not exist", lookupNobody(t), "net_dns"},
		{"a connection that was reset", &net.OpError{Op: "read", Err: syscall.ECONNRESET}, "net_read"},

		{"only a text", errDecoder, "error"},
		{"only a text, of fmt", fmt.Errorf("frame %d", 7), "error"},
		{"a text around a text", fmt.Errorf("render: %w", fmt.Errorf("frame %d", 7)), "error"},
		{"wrapping nothing", fmt.Errorf("render: %w", nil), "error"},
		{"joined texts", errors.Join(errDecoder, errDecoder), "error"},
		{"a sentinel of a type of its own", errSentinel, "instrument_test.sentinel"},
		{"the innermost type, for fmt's says nothing", fmt.Errorf("x: %w", fmt.Errorf("y: %w", errorList{"a"})), "instrument_test.errorList"},
		{"the first of joined ones", errors.Join(errorList{"a"}, errDecoder), "instrument_test.errorList"},
		{"a generic type", generic[int]{}, "instrument_test.generic[int]"},
		{"nothing wrapped", wrapperOfNothing{}, "instrument_test.wrapperOfNothing"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			if got := instrument.ErrorType(tt.err); got != tt.want {
				t.Errorf("ErrorType(%T %[1]v) = %q, want %q", tt.err, got, tt.want)
			}
		})
	}
}

type wrapperOfNothing struct{}

type sentinel string

const errSentinel = sentinel("no more frames")

func (s sentinel) Error() string { return string(s) }

func (wrapperOfNothing) Error() string { return "empty" }
func (wrapperOfNothing) Unwrap() error { return nil }

func second[T any](_ T, err error) error { return err }

func deadlineOfAConnection(t *testing.T) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.(*net.TCPListener).SetDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	_, err = l.Accept()
	return err
}

func dialNobody(t *testing.T) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, err = net.Dial("tcp", l.Addr().String())
	return err
}

// lookupNobody asks a name server that knows no name.
func lookupNobody(t *testing.T) error {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for buf := make([]byte, 1500); ; {
			n, client, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			buf[2], buf[3] = buf[2]|0x80, 0x83 // an answer: NXDOMAIN
			_, _ = server.WriteTo(buf[:n], client)
		}
	})
	defer wg.Wait()
	defer server.Close()
	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
	_, err = resolver.LookupHost(t.Context(), "stagemeter.invalid.")
	return err
}

func httpTimeout(t *testing.T) error {
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts in the kernel's queue and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client := &http.Client{Timeout: 50 * time.Millisecond, Transport: &http.Transport{DisableKeepAlives: true}}
	_, err = client.Get("http://" + l.Addr().String())
	return err
}

func fullDisk(t *testing.T) error {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) { // Linux alone has it
		return &fs.PathError{Op: "write", Path: "/dev/full", Err: syscall.ENOSPC}
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = f.Write([]byte("x"))
	return err
}

func TestRecordError(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	instrument.RecordError(ctx, nil)
	if got := errorsByStage(rec); got != "" {
		t.Errorf("nil was counted: %s", got)
	}
	ctx, stage := instrument.StartStage(ctx, "analysis")
	instrument.RecordError(ctx, errDecoder)
	stage.End(nil) // survived
	span := rec.Span("stage analysis")
	if span.Status.Description != "" || span.Status.Code != 0 {
		t.Errorf("status = %+v: an error that a stage survives does not fail it", span.Status)
	}
	if len(span.Events) != 1 || span.Events[0].Name != "exception" {
		t.Errorf("events = %v, want the exception", span.Events)
	}
	if got := errorsByStage(rec); got != "analysis/error=1" {
		t.Errorf("errors_total is %q", got)
	}
}

// The sentinels of database/sql, from a database.
func databaseError(t *testing.T, kind string) error {
	db := sql.OpenDB(&memoryConnector{})
	defer db.Close()
	ctx := t.Context()
	switch kind {
	case "no rows":
		return db.QueryRowContext(ctx, "SELECT nothing").Scan(new(int))
	case "tx done":
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		return tx.Commit()
	case "conn done":
		conn, err := db.Conn(ctx)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		return conn.PingContext(ctx)
	default:
		return second(db.QueryContext(ctx, "break the connection"))
	}
}
