package sqlledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
)

// transact runs f in a transaction on one connection, again while the database is locked by others.
// A transaction of SQLite begins with the right to write, so that it need not wait in its middle,
// when waiting could be for ever. f is for one attempt, and must not keep what it did in another.
func transact(ctx context.Context, db *sql.DB, d Dialect, f func(context.Context, *sql.Conn) error) error {
	return retry(ctx, func(ctx context.Context) error {
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		left := true // in a transaction, as after a panic of f
		defer func() {
			if left {
				discard(conn)
			}
		}()
		begin := "BEGIN ISOLATION LEVEL READ COMMITTED" // what waited for a lock sees what was done meanwhile
		if d == SQLite {
			begin = "BEGIN IMMEDIATE"
		}
		if _, err := conn.ExecContext(ctx, begin); err != nil {
			left = d != SQLite || ctx.Err() != nil || !passing(err) // it may have begun
			return err
		}
		err = f(ctx, conn)
		if err == nil {
			err = commit(ctx, conn)
		}
		if err != nil {
			rollBack(ctx, conn)
		}
		left = false
		return err
	})
}

// commit waits for those who read, if the journal of SQLite makes it wait. A COMMIT that is under
// way does not end with ctx: then nobody would know what took place.
func commit(ctx context.Context, conn *sql.Conn) error {
	return retry(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), retryFor)
		defer cancel()
		_, err := conn.ExecContext(ctx, "COMMIT")
		return err
	})
}

// rollBack ends a transaction, or the connection.
func rollBack(ctx context.Context, conn *sql.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if _, err := conn.ExecContext(ctx, "ROLLBACK"); err != nil {
		discard(conn)
	}
}

// discard closes the driver's connection, and does not leave it to the pool.
func discard(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
}

// unavailable makes the error of a driver match [budget.ErrUnavailable].
func unavailable(err error) error {
	if err == nil || errors.Is(err, budget.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", budget.ErrUnavailable, err)
}
