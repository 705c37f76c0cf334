package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget/sqlledger"
)

// postgres is a PostgreSQL database through pgx and its pool. db has the connections of the pool.
type postgres struct {
	pool *pgxpool.Pool
	db   *sql.DB
}

var errURL = errors.New("want a URL such as postgres://host:5432/database; yours is not shown, because a password may be in it")

func openPostgres(ctx context.Context, dsn string) (database, error) {
	pool, err := pgxpool.New(ctx, dsn)
	if bad := (*pgconn.ParseConfigError)(nil); errors.As(err, &bad) {
		return nil, errURL // without the error of the driver, which shows parts of the URL
	}
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("PostgreSQL database: %w", err)
	}
	return postgres{pool, stdlib.OpenDBFromPool(pool)}, nil
}

func (p postgres) exec(ctx context.Context, query string, args ...any) error {
	_, err := p.pool.Exec(ctx, query, args...)
	return err
}

func (p postgres) query(ctx context.Context, query string, each func(func(...any) error) error, args ...any) error {
	rows, err := p.pool.Query(ctx, query, args...)
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

// observe shows a pool of any kind, with a function that returns its connections, its limit and how
// long its callers have waited.
func (p postgres) observe(pipeline *instrument.Pipeline) (func(), error) {
	return pipeline.ObservePool(instrument.PoolDatabase, "checkpoints", func() instrument.PoolStats {
		stat := p.pool.Stat()
		return instrument.PoolStats{
			Used: int64(stat.AcquiredConns()), Idle: int64(stat.IdleConns()), Max: int64(stat.MaxConns()),
			CountsWaits: true, Waits: stat.EmptyAcquireCount(), WaitTime: stat.EmptyAcquireWaitTime(),
		}
	})
}

func (p postgres) sql() (*sql.DB, sqlledger.Dialect) { return p.db, sqlledger.Postgres }

func (p postgres) close() error {
	err := p.db.Close()
	p.pool.Close()
	return err
}
