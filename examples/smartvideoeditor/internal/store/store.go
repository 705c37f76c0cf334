package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget/sqlledger"
)

// A Status is how far a job has come.
type Status string

// The statuses of a job. A job that was killed stays Processing.
const (
	Processing Status = "processing"
	Completed  Status = "completed"
	Failed     Status = "failed"
	Canceled   Status = "canceled"
)

// A Stage is one finished stage of a job. Its result is JSON of the stage's own making.
type Stage struct {
	Name   string
	Took   time.Duration
	Result json.RawMessage
}

// A Checkpoint is all that is known of a job.
type Checkpoint struct {
	Status Status         // "" for a job that was never begun
	Output string         // of a completed job
	Cost   instrument.USD // of all runs of the job
	Stages []Stage        // in the order in which they finished
}

// Stage finds a finished stage.
func (c Checkpoint) Stage(name string) (Stage, bool) {
	for _, s := range c.Stages {
		if s.Name == name {
			return s, true
		}
	}
	return Stage{}, false
}

// Put adds a finished stage, in the place of an earlier one of that name.
func (c *Checkpoint) Put(stage Stage) {
	c.Stages = slices.DeleteFunc(c.Stages, func(s Stage) bool { return s.Name == stage.Name })
	c.Stages = append(c.Stages, stage)
}

// A Store keeps checkpoints, and the ledger of paid calls, in a database. It is safe for concurrent
// use, by several processes as well; two that work on one job at the same time are for the caller
// to prevent. While the database is locked or away, operations wait for it, up to 30 seconds.
type Store struct {
	db     database
	ledger *sqlledger.Ledger
}

// A database is one of the two kinds of SQL database.
type database interface {
	exec(ctx context.Context, query string, args ...any) error
	// query calls each for every row; scan is the row's Scan.
	query(ctx context.Context, query string, each func(scan func(...any) error) error, args ...any) error
	// observe reports the connections to p.
	observe(p *instrument.Pipeline) (unregister func(), err error)
	// sql returns the database for the ledger.
	sql() (*sql.DB, sqlledger.Dialect)
	close() error
}

// Open opens the database at a URL, postgres://…, or a path of a SQLite file, which is made if it
// is not there.
func Open(ctx context.Context, at string) (*Store, error) {
	open := openSQLite
	if strings.HasPrefix(at, "postgres://") || strings.HasPrefix(at, "postgresql://") {
		open = openPostgres
	}
	db, err := open(ctx, at)
	if err != nil {
		return nil, err
	}
	ledger, err := setUp(ctx, db)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("setting up the checkpoint database: %w", err), db.close())
	}
	return &Store{db, ledger}, nil
}

// setUp creates missing tables. IF NOT EXISTS of PostgreSQL is not atomic: if several processes
// create a table at the same moment, all but one get an error, and find the table at the next try.
func setUp(ctx context.Context, db database) (*sqlledger.Ledger, error) {
	for _, statement := range schema {
		err := db.exec(ctx, statement)
		for range 2 {
			if err != nil {
				err = db.exec(ctx, statement)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	at, dialect := db.sql()
	if err := sqlledger.Migrate(ctx, at, dialect); err != nil {
		return nil, err
	}
	return sqlledger.New(ctx, at, dialect)
}

// Observe reports the database's connections to p, until unregister is called.
func (s *Store) Observe(p *instrument.Pipeline) (unregister func(), err error) {
	return s.db.observe(p)
}

// Close closes the database.
func (s *Store) Close() error { return s.db.close() }
