package store

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"

	"github.com/stagemeter/stagemeter/internal/testserver"
)

// costs has the duties of both databases about money.
func costs(t *testing.T, open func(*testing.T) *Store) {
	reserve := func(t *testing.T, s *Store, id string, h budget.Hold) budget.Account {
		t.Helper()
		a, _, err := s.Ledger().Open(t.Context(), budget.Scope{Kind: budget.Job, ID: id, Limit: instrument.Dollar})
		must(t, err)
		_, err = a.Reserve(t.Context(), h)
		must(t, err)
		return a
	}

	t.Run("a call whose program died is in the cost once its lease is over", func(t *testing.T) {
		const id = "died"
		s := open(t)
		must(t, s.Begin(t.Context(), id, "in"))
		a := reserve(t, s, id, budget.Hold{ID: "call", Job: id, Amount: 6 * instrument.Cent, Floor: 5 * instrument.Cent, Lease: time.Nanosecond})
		for range 2 {
			if c := load(t, open(t), id); c.Cost != 5*instrument.Cent {
				t.Errorf("the cost is %v, want the least that the call has cost", c.Cost)
			}
		}
		if _, err := a.Settle(t.Context(), budget.Hold{ID: "call", Job: id}, 2*instrument.Cent); err != nil {
			t.Error(err)
		}
		must(t, s.Finish(t.Context(), id, Outcome{Status: Completed}))
		if c := load(t, s, id); c.Cost != 2*instrument.Cent {
			t.Errorf("the cost is %v after the call has ended after all", c.Cost)
		}
	})

	t.Run("a job whose account was lost has spent its money all the same", func(t *testing.T) {
		const id = "lost"
		s := open(t)
		must(t, s.Begin(t.Context(), id, "in"))
		must(t, s.db.exec(t.Context(), saveCost, id, int64(6*instrument.Cent)))
		for range 2 {
			if c := load(t, s, id); c.Cost != 6*instrument.Cent {
				t.Errorf("the cost is %v", c.Cost)
			}
		}
		a := reserve(t, s, id, budget.Hold{ID: "call", Job: id, Amount: 94 * instrument.Cent})
		if _, err := a.Reserve(t.Context(), budget.Hold{ID: "another", Job: id, Amount: 1}); !errors.Is(err, budget.ErrExceeded) {
			t.Errorf("the job begins its budget again: %v", err)
		}
	})
}

func TestCostsInSQLite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "costs.db")
	costs(t, func(t *testing.T) *Store { return open(t, path) })
}

func TestCostsInPostgres(t *testing.T) {
	url := testserver.Postgres(t)
	costs(t, func(t *testing.T) *Store { return open(t, url) })
}

// A server that ends all its connections, as a restart does, loses no stage and no cost.
func TestBrokenConnections(t *testing.T) {
	url := testserver.Postgres(t)
	s, other := open(t, url), open(t, url)
	must(t, s.Begin(t.Context(), "job", "in"))
	for i, operation := range []func() error{
		func() error { return s.SaveStage(t.Context(), "job", Stage{Name: "a", Result: []byte("1")}) },
		func() error { return spend(t, s, "job", "hold", instrument.Cent) },
		func() error { _, err := s.Load(t.Context(), "job"); return err },
		func() error { return s.Finish(t.Context(), "job", Outcome{Status: Completed}) },
	} {
		must(t, other.db.exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"))
		if err := operation(); err != nil {
			t.Errorf("operation %d: %v", i, err)
		}
	}
	if c := load(t, s, "job"); c.Status != Completed || c.Cost != instrument.Cent || len(c.Stages) != 1 {
		t.Errorf("got %+v", c)
	}
}

func TestRetriedErrors(t *testing.T) {
	state := func(code string) error { return fmt.Errorf("exec: %w", &pgconn.PgError{Code: code}) }
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{state("57P01"), true},  // the server is shut down
		{state("57P03"), true},  // the server starts
		{state("08006"), true},  // the connection failed
		{state("53300"), true},  // too many connections
		{state("42P01"), false}, // no such table
		{state("23505"), false}, // not unique
		{fmt.Errorf("exec: %w", driver.ErrBadConn), false},
		{errors.New("any other"), false},
	} {
		if got := away(tt.err); got != tt.want {
			t.Errorf("%v is tried again: %t, want %t", tt.err, got, tt.want)
		}
	}
}
