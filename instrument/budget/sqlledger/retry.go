package sqlledger

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"
)

const (
	firstPause = time.Millisecond
	mostPause  = 50 * time.Millisecond
	retryFor   = 30 * time.Second // of a context without a deadline
)

// retry runs f again while it fails because others are at work in the database, or because the
// database is away, until ctx is over. Every f may be done twice. The context of f has a deadline:
// a server behind a broken network never answers.
func retry(ctx context.Context, f func(context.Context) error) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, retryFor)
		defer cancel()
	}
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		err := f(ctx)
		if err == nil || ctx.Err() != nil || !passing(err) {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
	}
}

// passing reports whether an error says that the same may succeed a moment later. Of drivers, only
// what they have in common is known: SQLState, and the words of SQLite. A deadline that is not that
// of the caller is the driver's own, such as its connect timeout.
func passing(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		s := state.SQLState()
		return slices.ContainsFunc(passingStates, func(prefix string) bool { return strings.HasPrefix(s, prefix) })
	}
	var broken net.Error
	if errors.As(err, &broken) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) {
		return true
	}
	text := err.Error()
	return slices.ContainsFunc(passingTexts, func(part string) bool { return strings.Contains(text, part) })
}

// passingStates are SQLSTATEs, or classes of them.
var passingStates = []string{
	"08",             // the connection is broken
	"25006",          // the server has become a standby
	"40",             // a deadlock, a serialization failure, an unknown end
	"53",             // no connection, memory or disk space left
	"55P03", "57014", // the server's own lock_timeout or statement_timeout
	"57P01", "57P02", "57P03", "57P05", "58", // it ends, crashed, starts, was idle, had an I/O error
}

// passingTexts are in errors of SQLite, and in one of pgx.
var passingTexts = []string{
	"database is locked", "database table is locked", "database schema is locked", "locking protocol", "SQLITE_BUSY", "SQLITE_LOCKED",
	"conn closed",
}
