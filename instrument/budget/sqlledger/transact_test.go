package sqlledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"testing"
)

// A fakeDriver has connections that note what they are asked, and fail when failing says so.
type fakeDriver struct {
	said    []string
	closed  int
	failing map[string]error
}

func (d *fakeDriver) Connect(context.Context) (driver.Conn, error) { return &fakeConn{d}, nil }
func (d *fakeDriver) Driver() driver.Driver                        { return nil }

type fakeConn struct{ *fakeDriver }

func (c *fakeConn) Close() error                        { c.closed++; return nil }
func (c *fakeConn) Begin() (driver.Tx, error)           { return nil, errors.New("not used") }
func (c *fakeConn) Prepare(string) (driver.Stmt, error) { return nil, errors.New("not used") }

func (c *fakeConn) ExecContext(ctx context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.said = append(c.said, query)
	return driver.RowsAffected(0), c.failing[query]
}

// A connection that may be in the middle of a transaction does not go back to the pool.
func TestConnectionsInTransactions(t *testing.T) {
	broken := errors.New("broken")
	stopped, stop := context.WithCancel(t.Context())
	for _, tt := range []struct {
		reason  string
		ctx     context.Context
		failing map[string]error
		f       func()
		said    []string
		closed  int
	}{
		{"all is well", t.Context(), nil, func() {}, []string{"BEGIN IMMEDIATE", "work", "COMMIT"}, 0},
		{"BEGIN failed", t.Context(), map[string]error{"BEGIN IMMEDIATE": broken}, func() {}, []string{"BEGIN IMMEDIATE"}, 1},
		{"the work failed", t.Context(), map[string]error{"work": broken}, func() {}, []string{"BEGIN IMMEDIATE", "work", "ROLLBACK"}, 0},
		{"COMMIT failed", t.Context(), map[string]error{"COMMIT": broken}, func() {}, []string{"BEGIN IMMEDIATE", "work", "COMMIT", "ROLLBACK"}, 0},
		{"ROLLBACK failed", t.Context(), map[string]error{"work": broken, "ROLLBACK": broken}, func() {}, []string{"BEGIN IMMEDIATE", "work", "ROLLBACK"}, 1},
		{"a panic", t.Context(), nil, func() { panic("of a driver") }, []string{"BEGIN IMMEDIATE"}, 1},
		{"the caller stops waiting", stopped, nil, stop, []string{"BEGIN IMMEDIATE", "ROLLBACK"}, 0},
	} {
		d := &fakeDriver{failing: tt.failing}
		db := sql.OpenDB(d)
		func() {
			defer func() { _ = recover() }()
			_ = transact(tt.ctx, db, SQLite, func(ctx context.Context, conn *sql.Conn) error {
				tt.f()
				_, err := conn.ExecContext(ctx, "work")
				return err
			})
		}()
		if !slices.Equal(d.said, tt.said) || d.closed != tt.closed || db.Stats().InUse != 0 {
			t.Errorf("%s: said %q, closed %d connections, %d in use; want %q, %d and none",
				tt.reason, d.said, d.closed, db.Stats().InUse, tt.said, tt.closed)
		}
		_ = db.Close()
	}
}
