package instrument_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// memoryConnector is a database without tables: every query has no rows, and one breaks the connection.
type memoryConnector struct{}

func (c *memoryConnector) Connect(context.Context) (driver.Conn, error) { return &memoryConn{}, nil }
func (c *memoryConnector) Driver() driver.Driver                        { return c }
func (c *memoryConnector) Open(string) (driver.Conn, error)             { return &memoryConn{}, nil }

type memoryConn struct{}

func (*memoryConn) Prepare(string) (driver.Stmt, error) { return nil, driver.ErrSkip }
func (*memoryConn) Close() error                        { return nil }
func (*memoryConn) Begin() (driver.Tx, error)           { return memoryTx{}, nil }

func (*memoryConn) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	if strings.HasPrefix(query, "break") {
		return nil, driver.ErrBadConn
	}
	return memoryRows{}, nil
}

type memoryTx struct{}

func (memoryTx) Commit() error   { return nil }
func (memoryTx) Rollback() error { return nil }

type memoryRows struct{}

func (memoryRows) Columns() []string         { return []string{"n"} }
func (memoryRows) Close() error              { return nil }
func (memoryRows) Next([]driver.Value) error { return io.EOF }

func connections(rec *instrumenttest.Recorder, kind, pool string) (used, idle float64, shown bool) {
	s := rec.Snapshot()
	used, shown = s.Gauge(vp(kind+"_connections"), label("pool", pool), label("state", "used"))
	idle, _ = s.Gauge(vp(kind+"_connections"), label("pool", pool), label("state", "idle"))
	return used, idle, shown
}

func TestObserveDB(t *testing.T) {
	p, rec := instrumenttest.New(t)
	db := sql.OpenDB(&memoryConnector{})
	defer db.Close()
	unregister, err := p.ObserveDB("main", db)
	if err != nil {
		t.Fatal(err)
	}
	one, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	two, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	two.Close()
	if used, idle, _ := connections(rec, "database", "main"); used != 1 || idle != 1 {
		t.Errorf("used %v, idle %v, want 1 and 1", used, idle)
	}
	one.Close()
	if used, idle, _ := connections(rec, "database", "main"); used != 0 || idle != 2 {
		t.Errorf("used %v, idle %v, want 0 and 2", used, idle)
	}
	unregister()
	if _, _, shown := connections(rec, "database", "main"); shown {
		t.Error("the pool is shown after it was unregistered")
	}
}

// A callback that can't be unregistered keeps a closed pool alive and its last values on the dashboard, for ever; one
// that unregisters the wrong thing takes another pool's series with it.
func TestUnregisterIsIdempotentAndTakesOnlyItsOwn(t *testing.T) {
	p, rec := instrumenttest.New(t)
	stats := func(n int64) func() instrument.PoolStats {
		return func() instrument.PoolStats { return instrument.PoolStats{Used: n, Idle: 10 * n} }
	}
	first, err1 := p.ObservePool(instrument.PoolRedis, "cache", stats(1))
	_, err2 := p.ObservePool(instrument.PoolRedis, "cache", stats(2))
	_, err3 := p.ObservePool(instrument.PoolDatabase, "cache", stats(5))
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	if used, idle, _ := connections(rec, "redis", "cache"); used != 3 || idle != 30 {
		t.Errorf("used %v, idle %v, want pools of one name added up to 3 and 30", used, idle)
	}
	first()
	first()
	if used, idle, _ := connections(rec, "redis", "cache"); used != 2 || idle != 20 {
		t.Errorf("used %v, idle %v, want the other's 2 and 20", used, idle)
	}
	if used, _, _ := connections(rec, "database", "cache"); used != 5 {
		t.Errorf("the database of the same name has %v, want 5", used)
	}
}

// A statistics function runs inside of a scrape. One that panics would take the scrape, or the process, with it.
func TestPoolStatisticsThatPanic(t *testing.T) {
	p, rec := instrumenttest.New(t)
	reports := captureReports(t)
	var broken atomic.Bool
	for name, stats := range map[string]func() instrument.PoolStats{
		"flaky": func() instrument.PoolStats {
			if broken.Load() {
				panic("pool is closed")
			}
			return instrument.PoolStats{Used: 7}
		},
		"sound": func() instrument.PoolStats { return instrument.PoolStats{Used: 1} },
	} {
		if _, err := p.ObservePool(instrument.PoolDatabase, name, stats); err != nil {
			t.Fatal(err)
		}
	}
	broken.Store(true)
	for range 3 {
		if _, _, shown := connections(rec, "database", "flaky"); shown {
			t.Error("a pool that panics is shown")
		}
		if used, _, _ := connections(rec, "database", "sound"); used != 1 {
			t.Errorf("the other pool has %v, want 1", used)
		}
		if _, ok := rec.Gauge(vp("jobs_in_progress")); !ok {
			t.Error("the rest of the collection is gone")
		}
	}
	reports.expect(t, "the stats function of pool flaky panicked: pool is closed") // once, not at every scrape
	broken.Store(false)
	if used, _, shown := connections(rec, "database", "flaky"); !shown || used != 7 {
		t.Errorf("used %v, %v after it came back, want 7", used, shown)
	}
}

// With a callback of its own per pool these would deadlock.
func TestPoolsChangedFromWithinACollection(t *testing.T) {
	p, rec := instrumenttest.New(t)
	var unregister func()
	var once sync.Once
	unregister, err := p.ObservePool(instrument.PoolDatabase, "main", func() instrument.PoolStats {
		once.Do(func() {
			unregister()
			if _, err := p.ObservePool(instrument.PoolDatabase, "next", func() instrument.PoolStats {
				return instrument.PoolStats{Used: 2}
			}); err != nil {
				t.Error(err)
			}
		})
		return instrument.PoolStats{Used: 1}
	})
	if err != nil {
		t.Fatal(err)
	}
	rec.Snapshot()
	if used, _, shown := connections(rec, "database", "main"); shown {
		t.Errorf("main is still shown with %v", used)
	}
	if used, _, _ := connections(rec, "database", "next"); used != 2 {
		t.Errorf("next has %v, want 2", used)
	}
}

func TestNegativeStatisticsAreZero(t *testing.T) {
	p, rec := instrumenttest.New(t)
	// TotalConns - IdleConns of two atomics that were not read at once.
	_, _ = p.ObservePool(instrument.PoolRedis, "cache", func() instrument.PoolStats {
		return instrument.PoolStats{Used: -1, Idle: 3}
	})
	if used, idle, _ := connections(rec, "redis", "cache"); used != 0 || idle != 3 {
		t.Errorf("used %v, idle %v, want 0 and 3", used, idle)
	}
}

func TestPoolsThatCannotBeObserved(t *testing.T) {
	p, rec := instrumenttest.New(t)
	stats := func() instrument.PoolStats { return instrument.PoolStats{} }
	var none *instrument.Pipeline
	tests := []struct {
		reason  string
		observe func() (func(), error)
		want    []string
	}{
		{"no database", func() (func(), error) { return p.ObserveDB("main", nil) }, []string{"ObserveDB", `"main"`, "nil"}},
		{"no function", func() (func(), error) { return p.ObservePool(instrument.PoolRedis, "cache", nil) }, []string{"ObservePool", `"cache"`, "nil"}},
		{"no kind", func() (func(), error) { return p.ObservePool(0, "cache", stats) }, []string{"kind 0", "PoolDatabase", "PoolRedis"}},
		{"a kind of its own", func() (func(), error) { return p.ObservePool(7, "cache", stats) }, []string{"kind 7"}},
		{"no pipeline", func() (func(), error) { return none.ObservePool(instrument.PoolRedis, "cache", stats) }, []string{"pipeline"}},
	}
	for _, tt := range tests {
		unregister, err := tt.observe()
		if err == nil {
			t.Errorf("%s: no error", tt.reason)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not tell %s", tt.reason, err, want)
			}
		}
		unregister()
		unregister()
	}
	if text := rec.Exposition(vp("database_connections"), vp("redis_connections")); text != "" {
		t.Errorf("something is shown:\n%s", text)
	}
}

func TestPoolNames(t *testing.T) {
	p, rec := instrumenttest.New(t)
	for _, name := range []string{"", "\xff", strings.Repeat("x", 1000)} {
		if _, err := p.ObservePool(instrument.PoolDatabase, name, func() instrument.PoolStats { return instrument.PoolStats{} }); err != nil {
			t.Fatal(err)
		}
	}
	for _, shown := range []string{"unknown", "\uFFFD", strings.Repeat("x", 64)} {
		if _, _, ok := connections(rec, "database", shown); !ok {
			t.Errorf("no pool %q", shown)
		}
	}
	if got := rec.Counter(vp("invalid_values_total"), label("metric", "video.processing.database_connections"), label("reason", "bad_name")); got != 3 {
		t.Errorf("bad names = %v, want 3", got)
	}
}

func TestPoolsRegisteredDuringScrapes(t *testing.T) {
	p, rec := instrumenttest.New(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				unregister, err := p.ObservePool(instrument.PoolRedis, "cache", func() instrument.PoolStats { return instrument.PoolStats{Used: 1} })
				if err != nil {
					t.Error(err)
				}
				unregister()
			}
		})
	}
	for range 20 {
		if used, _, _ := connections(rec, "redis", "cache"); used > 4 {
			t.Errorf("used = %v, want at most 4", used)
		}
	}
	wg.Wait()
	if _, _, shown := connections(rec, "redis", "cache"); shown {
		t.Error("a pool was left behind")
	}
}
