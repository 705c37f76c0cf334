package sqlledger

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"strings"
)

// A Dialect is a kind of database.
type Dialect string

// Dialects.
const (
	// SQLite is for processes of one machine. Each operation is a transaction that begins with
	// BEGIN IMMEDIATE, on one connection. It needs SQLite 3.24 or later.
	SQLite Dialect = "sqlite"
	// Postgres runs each operation in one call of a function, so that a client that stops in the
	// middle of one blocks no other. It needs PostgreSQL 12 or later.
	Postgres Dialect = "postgres"
)

// versions is the number of migrations of each dialect, and the version of the schema after them.
const versions = 1

//go:embed sqlite_*.sql postgres_*.sql
var migrations embed.FS

// statements returns those of a migration. A line "-- next" is between them.
func (d Dialect) statements(version int) ([]string, error) {
	data, err := migrations.ReadFile(fmt.Sprintf("%s_%d.sql", d, version))
	return strings.Split(string(data), "\n-- next\n"), err
}

func (d Dialect) known() error {
	if d != SQLite && d != Postgres {
		return fmt.Errorf("sqlledger: unknown dialect %q", string(d))
	}
	return nil
}

// A store runs the operations of a ledger in one kind of database.
type store interface {
	do(ctx context.Context, r request) (answer, error)
}

func (d Dialect) store(db *sql.DB) store {
	if d == SQLite {
		return newSQLite(db)
	}
	return postgres{db}
}
