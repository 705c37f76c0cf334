package sqlledger

import (
	"context"
	"database/sql"
	"errors"
)

// sqlite runs operations in SQLite.
type sqlite struct {
	db   *sql.DB
	turn chan struct{} // SQLite has one writer at a time: those of a process need not poll for it
}

func newSQLite(db *sql.DB) *sqlite { return &sqlite{db, make(chan struct{}, 1)} }

func (s *sqlite) do(ctx context.Context, r request) (got answer, err error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return answer{}, unavailable(ctx.Err())
	}
	defer func() { <-s.turn }()
	err = transact(ctx, s.db, SQLite, func(ctx context.Context, conn *sql.Conn) error {
		t := &transaction{ctx: ctx, conn: conn, request: r, accounts: make(map[int64]*books)}
		t.run()
		got = t.answer
		return t.err
	})
	return got, unavailable(err)
}

// A transaction is one operation in SQLite. After an error its methods do nothing.
type transaction struct {
	request
	answer
	ctx      context.Context
	conn     *sql.Conn
	err      error
	now      int64
	accounts map[int64]*books // that were read, by id
	order    []*books         // the same, as they were read
}

func (t *transaction) run() {
	t.row("SELECT CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER) * 1000000 + SUM(shift) FROM stagemeter_schema",
		nil, &t.now)
	switch t.Op {
	case opening:
		t.open()
	case looking:
		t.look()
	case closing:
		t.close()
	case forgetting:
		t.forget()
	case cleaning:
		t.clean()
	default:
		t.operate()
	}
}

func (t *transaction) exec(query string, args ...any) (changed int64) {
	if t.err != nil {
		return 0
	}
	result, err := t.conn.ExecContext(t.ctx, query, args...)
	if err == nil {
		changed, err = result.RowsAffected()
	}
	t.err = err
	return changed
}

// row reads one row, and reports whether there is one.
func (t *transaction) row(query string, args []any, into ...any) bool {
	if t.err != nil {
		return false
	}
	err := t.conn.QueryRowContext(t.ctx, query, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false
	}
	t.err = err
	return err == nil
}

// rows calls each for every row; it must make no other query.
func (t *transaction) rows(query string, args []any, each func(scan func(...any))) {
	if t.err != nil {
		return
	}
	rows, err := t.conn.QueryContext(t.ctx, query, args...)
	if err != nil {
		t.err = err
		return
	}
	defer func() { t.err = errors.Join(t.err, rows.Err(), rows.Close()) }()
	for rows.Next() {
		each(func(into ...any) {
			if err := rows.Scan(into...); err != nil && t.err == nil {
				t.err = err
			}
		})
	}
}
