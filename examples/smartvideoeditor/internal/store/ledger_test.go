package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // "pgx"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/budget/budgettest"
	"github.com/stagemeter/stagemeter/instrument/budget/sqlledger"

	"github.com/stagemeter/stagemeter/internal/testserver"
)

// The tests of package sqlledger that need a driver, which its module does not have.

func TestLedgerInSQLite(t *testing.T) {
	t.Parallel()
	// Hardly any waiting in the driver, so that the ledger has to.
	testLedger(t, sqlledger.SQLite, func(t *testing.T) (driver, at string) { return "sqlite", sqliteFile(t, "busy_timeout(1)") })
}

func TestLedgerInPostgres(t *testing.T) {
	t.Parallel()
	server := testserver.Postgres(t)
	var mu sync.Mutex
	databases := 0
	testLedger(t, sqlledger.Postgres, func(t *testing.T) (driver, at string) {
		mu.Lock()
		databases++
		name := fmt.Sprint("ledger_", databases)
		mu.Unlock()
		db := openDB(t, "pgx", server)
		exec(t, db, "CREATE DATABASE "+name)
		return "pgx", strings.Replace(server, "/postgres?", "/"+name+"?", 1)
	})
}

// testLedger tests the ledger in databases that fresh makes.
func testLedger(t *testing.T, dialect sqlledger.Dialect, fresh func(*testing.T) (driver, at string)) {
	open := func(t *testing.T) (dbs [2]*sql.DB) { // of two processes
		driver, at := fresh(t)
		for i := range dbs {
			dbs[i] = openDB(t, driver, at)
		}
		return dbs
	}
	t.Run("does all duties", func(t *testing.T) { t.Parallel(); testDuties(t, dialect, open(t)) })
	t.Run("knows its schema", func(t *testing.T) { t.Parallel(); testSchema(t, dialect, open(t)) })
	t.Run("does what the ledger in memory does", func(t *testing.T) { t.Parallel(); testLikeMemory(t, dialect, open(t)[0]) })
	t.Run("keeps what is needed", func(t *testing.T) { t.Parallel(); testKept(t, dialect, open(t)[0]) })
}

func testDuties(t *testing.T, dialect sqlledger.Dialect, dbs [2]*sql.DB) {
	must(t, sqlledger.Migrate(t.Context(), dbs[0], dialect))
	budgettest.TestLedger(t, func(t *testing.T) budgettest.Store {
		opened := 0
		return budgettest.Store{
			Open: func() budget.Ledger {
				opened++
				return newLedger(t, dbs[opened%len(dbs)], dialect)
			},
			Advance: func(d time.Duration) { advance(t, dbs[0], d) },
			Lose: func() {
				for _, table := range []string{"accounts", "holds", "opens", "crossings"} {
					exec(t, dbs[0], "DELETE FROM stagemeter_"+table)
				}
			},
			Restart: func() { // without a warning to those who have a connection
				if dialect == sqlledger.Postgres {
					exec(t, dbs[0], "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
				}
				reconnect(dbs)
			},
		}
	})
}

// reconnect closes the connections that are not in use.
func reconnect(dbs [2]*sql.DB) {
	for _, db := range dbs {
		db.SetMaxIdleConns(0)
		db.SetMaxIdleConns(conns)
	}
}

// A schema that is missing, older or newer is an error that names both versions, and several
// programs that migrate at once make one schema.
func testSchema(t *testing.T, dialect sqlledger.Dialect, dbs [2]*sql.DB) {
	fails := func(err error, words ...string) {
		t.Helper()
		for _, w := range words {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("got %v, want %q", err, words)
			}
		}
	}
	_, err := sqlledger.New(t.Context(), dbs[0], dialect)
	fails(err, "no schema", "needs version 1", "Migrate")

	if dialect == sqlledger.Postgres { // which may be set up with another isolation
		var name string
		must(t, dbs[0].QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name))
		exec(t, dbs[0], "ALTER DATABASE "+name+" SET default_transaction_isolation = 'serializable'")
		reconnect(dbs)
	}
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			if err := sqlledger.Migrate(t.Context(), dbs[i%2], dialect); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	newLedger(t, dbs[0], dialect)
	testMigrateReads(t, dialect, dbs)

	exec(t, dbs[0], "UPDATE stagemeter_schema SET version = 7")
	_, err = sqlledger.New(t.Context(), dbs[1], dialect)
	fails(err, "version 7", "version 1")
	fails(sqlledger.Migrate(t.Context(), dbs[1], dialect), "version 7", "version 1")
}

// Migrate does not wait for those who write or migrate if there is nothing to do.
func testMigrateReads(t *testing.T, dialect sqlledger.Dialect, dbs [2]*sql.DB) {
	lock, unlock := "BEGIN IMMEDIATE", "ROLLBACK"
	if dialect == sqlledger.Postgres {
		lock, unlock = "SELECT pg_advisory_lock(7236459871203)", "SELECT pg_advisory_unlock(7236459871203)"
	}
	conn, err := dbs[1].Conn(t.Context())
	must(t, err)
	_, err = conn.ExecContext(t.Context(), lock)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := sqlledger.Migrate(ctx, dbs[0], dialect); err != nil {
		t.Error(err)
	}
	_, err = conn.ExecContext(t.Context(), unlock)
	must(t, err)
	must(t, conn.Close())
}

// Ended holds, closed accounts and stored answers are deleted in time. What is under way, and what a
// late settle needs, stays.
func testKept(t *testing.T, dialect sqlledger.Dialect, db *sql.DB) {
	must(t, sqlledger.Migrate(t.Context(), db, dialect))
	l := newLedger(t, db, dialect)
	rows := func(table string) (n int) {
		t.Helper()
		must(t, db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM stagemeter_"+table).Scan(&n))
		return n
	}
	open := func(id string) budget.Account {
		t.Helper()
		a, _, err := l.Open(t.Context(), budget.Scope{Kind: budget.Job, ID: id, Limit: 100}, budget.Scope{Kind: budget.Day, ID: "all", Limit: instrument.Unlimited})
		must(t, err)
		return a
	}
	calls := 0
	call := func(a budget.Account, id string, amount instrument.USD, lease time.Duration) budget.Hold {
		t.Helper()
		calls++
		h := budget.Hold{ID: fmt.Sprint("hold-", calls), Job: id, Amount: amount, Lease: lease}
		_, err := a.Reserve(t.Context(), h)
		must(t, err)
		return h
	}

	a := open("job")
	underWay, late := call(a, "job", 1, 20*time.Hour), call(a, "job", 7, time.Minute)
	unknown := call(a, "job", 5, time.Minute)
	unknown.Unconfirmed = 5
	_, err := a.Settle(t.Context(), unknown, 5)
	must(t, err)
	const perRound = 125
	for range 4 {
		for range perRound {
			_, err := a.Settle(t.Context(), call(a, "job", 0, time.Minute), 0)
			must(t, err)
		}
		if n := rows("holds"); n > 2*(2*perRound+3) { // of two scopes
			t.Fatalf("%d rows of holds", n)
		}
		advance(t, db, 2*time.Hour)
	}
	bal, err := a.Settle(t.Context(), late, 3)
	must(t, err)
	if bal.Spent != 8 || bal.Held != 1 || bal.Unconfirmed != 5 {
		t.Errorf("a settle 8 hours late gives %+v", bal)
	}
	unknown.Unconfirmed = 0
	bal, err = a.Settle(t.Context(), unknown, 2)
	must(t, err)
	if bal.Spent != 5 || bal.Unconfirmed != 0 {
		t.Errorf("a settle with the cost after 8 hours gives %+v", bal)
	}
	_, err = a.Release(t.Context(), underWay)
	must(t, err)

	// A threshold, and a close that is final.
	_, err = a.Settle(t.Context(), budget.Hold{ID: "large", Job: "job"}, 60)
	must(t, err)
	if rows("crossings") != 1 {
		t.Errorf("%d rows of crossings, want that of 50 %%", rows("crossings"))
	}
	must(t, a.Close(t.Context(), true))
	if rows("opens") != 0 {
		t.Errorf("%d rows of opens", rows("opens"))
	}
	busy := func() {
		for i := range 2 * perRound {
			must(t, open(fmt.Sprint("other-", i%10)).Close(t.Context(), false))
		}
	}
	advance(t, db, 23*time.Hour)
	busy()
	if bal, err := l.Balance(t.Context(), budget.Job, "job"); err != nil || bal.Spent != 65 {
		t.Errorf("within a day of the final close the account has %+v, %v", bal, err)
	}
	advance(t, db, 26*time.Hour) // 49 in all
	busy()
	if bal, err := l.Balance(t.Context(), budget.Job, "job"); err == nil {
		t.Errorf("two days after the final close the account has %+v", bal)
	}
	if h, c := rows("holds"), rows("crossings"); h != 0 || c != 0 {
		t.Errorf("%d holds and %d crossings are left", h, c)
	}
	if n := rows("accounts"); n > 10+3 { // the others, and the days
		t.Errorf("%d accounts are left", n)
	}
}

func newLedger(t *testing.T, db *sql.DB, dialect sqlledger.Dialect) *sqlledger.Ledger {
	t.Helper()
	l, err := sqlledger.New(t.Context(), db, dialect)
	must(t, err)
	return l
}

// advance moves the clock of the ledger.
func advance(t *testing.T, db *sql.DB, d time.Duration) {
	t.Helper()
	exec(t, db, "UPDATE stagemeter_schema SET shift = shift + $1", int64(d))
}

func exec(t *testing.T, db *sql.DB, query string, args ...any) {
	t.Helper()
	for try := 0; ; try++ { // others hold the lock for a moment
		_, err := db.ExecContext(t.Context(), query, args...)
		if err == nil {
			return
		}
		if try == 100 {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

const conns = 8

func openDB(t *testing.T, driver, at string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, at)
	must(t, err)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func sqliteFile(t *testing.T, pragma string) string {
	file := url.URL{Scheme: "file", Opaque: filepath.Join(t.TempDir(), "ledger.db")}
	file.RawQuery = url.Values{"_pragma": {pragma, "journal_mode(WAL)", "synchronous(OFF)"}}.Encode()
	return file.String()
}
