package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	driver "modernc.org/sqlite" // "sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget/sqlledger"
)

// maxConns limits the open connections to a SQLite file. A job uses one at a time.
const maxConns = 16

// sqlite is a SQLite file through database/sql.
type sqlite struct{ db *sql.DB }

func openSQLite(ctx context.Context, path string) (database, error) {
	// Readers and the writer do not block each other, a second writer waits, and a commit survives
	// the process.
	pragmas := url.Values{"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)"}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: pragmas.Encode()}).String())
	if err == nil {
		db.SetMaxOpenConns(maxConns)
		if err = opened(ctx, db); err != nil {
			err = errors.Join(err, db.Close())
		}
	}
	if err != nil {
		return nil, fmt.Errorf("SQLite database %s: %w", path, err)
	}
	return sqlite{db}, nil
}

// opened opens the file. The busy timeout does not cover the change to WAL: if several processes
// create a file at the same moment, some get an error at once.
func opened(ctx context.Context, db *sql.DB) error {
	err := db.PingContext(ctx)
	for range 100 {
		if busy := new(driver.Error); !errors.As(err, &busy) || busy.Code()&0xff != sqlite3.SQLITE_BUSY {
			return err
		}
		time.Sleep(10 * time.Millisecond)
		err = db.PingContext(ctx)
	}
	return err
}

func (s sqlite) exec(ctx context.Context, query string, args ...any) error {
	_, err := s.db.ExecContext(ctx, query, args...)
	return err
}

func (s sqlite) query(ctx context.Context, query string, each func(func(...any) error) error, args ...any) error {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// observe shows how a *sql.DB, of whichever driver, is observed.
func (s sqlite) observe(p *instrument.Pipeline) (func(), error) {
	return p.ObserveDB("checkpoints", s.db)
}

func (s sqlite) sql() (*sql.DB, sqlledger.Dialect) { return s.db, sqlledger.SQLite }

func (s sqlite) close() error { return s.db.Close() }
