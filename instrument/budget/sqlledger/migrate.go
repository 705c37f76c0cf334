package sqlledger

import (
	"context"
	"database/sql"
	"fmt"
)

// migrationLock is what concurrent migrations in PostgreSQL wait for.
const migrationLock = 7236459871203

// schemaTable has the versions that were applied. shift moves the clock of the ledger, for tests.
const schemaTable = `CREATE TABLE IF NOT EXISTS stagemeter_schema (
	version INTEGER NOT NULL PRIMARY KEY,
	shift   BIGINT  NOT NULL DEFAULT 0
)`

// Migrate creates the tables of the ledger in db, or changes those of an older version, in one
// transaction. If they are up to date it only reads, without the right to create tables. Several
// processes may call it at once. A schema that is newer than this package is an error. The names of the tables begin with
// stagemeter_; in PostgreSQL they are in the first schema of the search path. If db is locked or
// away, Migrate waits until ctx is over, or for 30 seconds if ctx has no deadline.
func Migrate(ctx context.Context, db *sql.DB, dialect Dialect) error {
	if err := dialect.known(); err != nil {
		return err
	}
	if dialect.check(ctx, db) == nil {
		return nil
	}
	err := transact(ctx, db, dialect, func(ctx context.Context, conn *sql.Conn) error {
		if dialect == Postgres {
			if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(migrationLock)); err != nil {
				return err
			}
		}
		if _, err := conn.ExecContext(ctx, schemaTable); err != nil {
			return err
		}
		have, err := version(ctx, conn)
		if err != nil {
			return err
		}
		if have > versions {
			return otherVersion(have)
		}
		for v := have + 1; v <= versions; v++ {
			if err := dialect.migrate(ctx, conn, v); err != nil {
				return fmt.Errorf("version %d: %w", v, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sqlledger: migrate: %w", err)
	}
	return nil
}

func (d Dialect) migrate(ctx context.Context, conn *sql.Conn, version int) error {
	statements, err := d.statements(version)
	if err != nil {
		return err
	}
	for _, s := range append(statements, fmt.Sprintf("INSERT INTO stagemeter_schema (version) VALUES (%d)", version)) {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func version(ctx context.Context, q querier) (have int, err error) {
	err = q.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM stagemeter_schema").Scan(&have)
	return have, err
}

// check returns an error unless the schema is that of this package.
func (d Dialect) check(ctx context.Context, db *sql.DB) error {
	exists := "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'stagemeter_schema'"
	if d == Postgres {
		exists = "SELECT COUNT(to_regclass('stagemeter_schema'))"
	}
	var have int
	err := retry(ctx, func(ctx context.Context) error {
		var tables int
		if err := db.QueryRowContext(ctx, exists).Scan(&tables); err != nil || tables == 0 {
			return err
		}
		var err error
		have, err = version(ctx, db)
		return err
	})
	if err != nil {
		return fmt.Errorf("sqlledger: read the version of the schema: %w", err)
	}
	if have != versions {
		return fmt.Errorf("sqlledger: %w", otherVersion(have))
	}
	return nil
}

func otherVersion(have int) error {
	switch {
	case have == 0:
		return fmt.Errorf("the database has no schema of the ledger, and this program needs version %d: call Migrate", versions)
	case have < versions:
		return fmt.Errorf("the schema of the ledger is version %d, and this program needs version %d: call Migrate", have, versions)
	}
	return fmt.Errorf("the schema of the ledger is version %d, and this program knows only version %d: use a newer program", have, versions)
}
