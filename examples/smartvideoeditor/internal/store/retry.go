package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	retryFor   = 30 * time.Second
	retryPause = 100 * time.Millisecond
)

// retry runs f again while the database is locked or away, for at most 30 seconds.
func retry(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, retryFor)
	defer cancel()
	for {
		err := f()
		if err == nil || !away(err) {
			return err
		}
		select {
		case <-time.After(retryPause):
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
	}
}

// away reports whether an error says that the database may answer a moment later.
func away(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if locked := (*driver.Error)(nil); errors.As(err, &locked) {
		code := locked.Code() & 0xff
		return code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED
	}
	if answer := (*pgconn.PgError)(nil); errors.As(err, &answer) {
		for _, state := range []string{"08", "40", "53300", "57P"} { // broken, in conflict, no connection left, ends or starts
			if strings.HasPrefix(answer.Code, state) {
				return true
			}
		}
		return false
	}
	broken := net.Error(nil)
	return errors.As(err, &broken) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err)
}
