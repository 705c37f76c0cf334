package sqlledger

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

type stateError string

func (e stateError) Error() string    { return "an error of the server" }
func (e stateError) SQLState() string { return string(e) }

func TestPassing(t *testing.T) {
	for _, tt := range []struct {
		err    error
		want   bool
		reason string
	}{
		{stateError("40P01"), true, "a deadlock"},
		{stateError("40001"), true, "a serialization failure"},
		{stateError("57P01"), true, "the server is shut down"},
		{stateError("57P03"), true, "the server starts"},
		{stateError("08006"), true, "the connection failed"},
		{stateError("53300"), true, "too many connections"},
		{stateError("55P03"), true, "the server's lock_timeout"},
		{stateError("57014"), true, "the server's statement_timeout"},
		{stateError("25006"), true, "the server became a standby"},
		{stateError("57P04"), false, "the database was dropped"},
		{stateError("42P01"), false, "a table that is not there"},
		{stateError("28P01"), false, "a wrong password"},
		{fmt.Errorf("begin: %w", errors.New("database is locked (5) (SQLITE_BUSY)")), true, "modernc.org/sqlite"},
		{errors.New("database is locked"), true, "mattn/go-sqlite3"},
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, true, "nobody listens"},
		{fmt.Errorf("read: %w", io.ErrUnexpectedEOF), true, "the server closed the connection"},
		{driver.ErrBadConn, true, "a broken connection"},
		{fmt.Errorf("dial: %w", context.DeadlineExceeded), true, "the driver's connect timeout"},
		{context.Canceled, false, "the caller waits no longer"},
		{errors.New("no such table"), false, "nothing else is known"},
	} {
		if got := passing(tt.err); got != tt.want {
			t.Errorf("%v is tried again: %t, want %t: %s", tt.err, got, tt.want, tt.reason)
		}
	}
}

func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			limit time.Duration // of the context; 0 for none
			want  time.Duration
		}{{5 * time.Second, 5 * time.Second}, {0, retryFor}} {
			ctx := t.Context()
			if tt.limit > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tt.limit)
				defer cancel()
			}
			start, tries := time.Now(), 0
			err := retry(ctx, func(context.Context) error { tries++; return io.EOF })
			if took := time.Since(start); took != tt.want || tries < 100 || !errors.Is(err, io.EOF) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("limit %v: %d tries in %v: %v", tt.limit, tries, took, err)
			}
		}
		canceled, cancel := context.WithCancel(t.Context())
		tries := 0
		if err := retry(canceled, func(context.Context) error { tries++; cancel(); return io.EOF }); tries != 1 || !errors.Is(err, io.EOF) {
			t.Errorf("%d tries after the caller stopped waiting: %v", tries, err)
		}
		if err := retry(context.Background(), func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a server that never answers: %v", err)
		}
		tries = 0
		if err := retry(t.Context(), func(context.Context) error {
			if tries++; tries < 3 {
				return io.EOF
			}
			return nil
		}); err != nil || tries != 3 {
			t.Errorf("%d tries: %v", tries, err)
		}
	})
}

func TestUnknownDialect(t *testing.T) {
	if _, err := New(t.Context(), nil, "mysql"); err == nil {
		t.Error("New takes any dialect")
	}
	if err := Migrate(t.Context(), nil, ""); err == nil {
		t.Error("Migrate takes any dialect")
	}
}

// A program that knows more migrations than it has would be of no schema.
func TestMigrationsAreThere(t *testing.T) {
	for _, d := range []Dialect{SQLite, Postgres} {
		for v := 1; v <= versions; v++ {
			if s, err := d.statements(v); err != nil || len(s) < 2 {
				t.Errorf("%s, version %d: %d statements, %v", d, v, len(s), err)
			}
		}
		if _, err := d.statements(versions + 1); err == nil {
			t.Errorf("%s: versions is too low", d)
		}
	}
}

// What a program of any version writes, those of later versions find.
func TestKeysStay(t *testing.T) {
	if got := key("job", "a"); got != "L8znulixuVYLu3kMK5jsKq8rX9g4-q2k" {
		t.Errorf("the key of job a is %s", got)
	}
	if key("job", "a\x00b") == key("job", "a") || key("job", "") == key("jo", "b") {
		t.Error("two scopes have one key")
	}
}

func TestName(t *testing.T) {
	for id, want := range map[string]string{"a": "a", "a\x00b": "a\uFFFDb", "\xff": "\uFFFD", "é": "é"} {
		if got := name(id); got != want {
			t.Errorf("%q is shown as %q, want %q", id, got, want)
		}
	}
	if n := len(name(string(make([]byte, 10_000)))); n > 3*nameLimit {
		t.Errorf("a long id is shown with %d bytes", n)
	}
}
