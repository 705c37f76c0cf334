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
// database is away, until ctx is over. Every f may be done twice.
func retry(ctx context.Context, f func() error) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, retryFor)
		defer cancel()
	}
	for pause := firstPause; ; pause = min(2*pause, mostPause) {
		err := f()
		if err == nil || !passing(err) {
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
// what they have in common is known: SQLState, and the words of SQLite.
func passing(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
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

// passingStates are SQLSTATEs, or classes of them: a broken connection, a serialization failure, a
// deadlock, no connection left, a server that ends or starts.
var passingStates = []string{"08", "40001", "40P01", "53300", "57P01", "57P02", "57P03"}

// passingTexts are in errors of SQLite, and in one of pgx.
var passingTexts = []string{
	"database is locked", "database table is locked", "database schema is locked", "SQLITE_BUSY", "SQLITE_LOCKED", "conn closed",
}
