package instrument_test

import (
	"context"
	"database/sql"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// limitAndWaits returns the series of a kind's pools beside used and idle, without comments and the
// prefix of their names.
func limitAndWaits(rec *instrumenttest.Recorder, kind string) string {
	var shown []string
	for line := range strings.Lines(rec.Exposition(vp(kind+"_connections_max"), vp(kind+"_connection_waits_total"), vp(kind+"_connection_wait_seconds_total"))) {
		if !strings.HasPrefix(line, "#") {
			shown = append(shown, strings.TrimPrefix(strings.TrimSpace(line), vp(kind+"_")))
		}
	}
	return strings.Join(shown, "; ")
}

// observed shows a pool whose state the test sets.
func observed(t *testing.T, p *instrument.Pipeline, kind instrument.PoolKind, name string, stats instrument.PoolStats) (state *instrument.PoolStats, unregister func()) {
	t.Helper()
	unregister, err := p.ObservePool(kind, name, func() instrument.PoolStats { return stats })
	if err != nil {
		t.Fatal(err)
	}
	return &stats, unregister
}

func TestObserveDBShowsLimitAndWaits(t *testing.T) {
	p, rec := instrumenttest.New(t)
	db := sql.OpenDB(&memoryConnector{})
	defer db.Close()
	if _, err := p.ObserveDB("main", db); err != nil {
		t.Fatal(err)
	}
	if got, want := limitAndWaits(rec, "database"), `connection_wait_seconds_total{pool="main"} 0; connection_waits_total{pool="main"} 0`; got != want {
		t.Errorf("without a limit: %s, want %s", got, want)
	}
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := db.Conn(short); err == nil {
		t.Fatal("there is a second connection")
	}
	s := rec.Snapshot()
	if got, _ := s.Gauge(vp("database_connections_max"), label("pool", "main")); got != 1 {
		t.Errorf("max = %v, want 1", got)
	}
	if got := s.Counter(vp("database_connection_waits_total"), label("pool", "main")); got != 1 {
		t.Errorf("waits = %v, want 1", got)
	}
	if got, want := s.Counter(vp("database_connection_wait_seconds_total"), label("pool", "main")), db.Stats().WaitDuration.Seconds(); got != want || got == 0 {
		t.Errorf("wait time = %v s, want %v s", got, want)
	}
}

func TestPoolsShowWhatTheyKnow(t *testing.T) {
	const (
		maximum = `connections_max{pool="main"} `
		waits   = `connection_waits_total{pool="main"} `
		seconds = `connection_wait_seconds_total{pool="main"} `
	)
	for _, tt := range []struct {
		reason string
		stats  []instrument.PoolStats
		want   string
	}{
		{"a pool that says nothing is not one without waits", []instrument.PoolStats{{Used: 1, Idle: 2}}, ""},
		{"no waits so far", []instrument.PoolStats{{CountsWaits: true}}, seconds + "0; " + waits + "0"},
		{"all", []instrument.PoolStats{{Max: 10, CountsWaits: true, Waits: 3, WaitTime: 1500 * time.Millisecond}}, seconds + "1.5; " + waits + "3; " + maximum + "10"},
		{"without the flag the figures mean nothing", []instrument.PoolStats{{Max: 10, Waits: 3, WaitTime: time.Second}}, maximum + "10"},
		{"only the number of waits", []instrument.PoolStats{{CountsWaits: true, Waits: 3, WaitTime: -1}}, waits + "3"},
		{"only the time", []instrument.PoolStats{{CountsWaits: true, Waits: -1, WaitTime: time.Second}}, seconds + "1"},
		{"a negative limit", []instrument.PoolStats{{Max: -1}}, ""},
		{"pools of one name", []instrument.PoolStats{{Max: 10, CountsWaits: true, Waits: 3, WaitTime: time.Second}, {Max: 5, CountsWaits: true, Waits: 4, WaitTime: time.Minute}}, seconds + "61; " + waits + "7; " + maximum + "15"},
		{"one of them has no limit, so that they have none together", []instrument.PoolStats{{Max: 10, CountsWaits: true, Waits: 3}, {CountsWaits: true, Waits: 4}}, seconds + "0; " + waits + "7"},
		{"one of them does not count its waits", []instrument.PoolStats{{Max: 10, CountsWaits: true, Waits: 3}, {Max: 5}}, maximum + "15"},
		{"more than an int64", []instrument.PoolStats{
			{Used: math.MaxInt64, Max: math.MaxInt64, CountsWaits: true, Waits: math.MaxInt64, WaitTime: math.MaxInt64},
			{Used: math.MaxInt64, Max: 1, CountsWaits: true, Waits: 1, WaitTime: 1},
		}, seconds + "9.223372036854776e+09; " + waits + "9.223372036854776e+18; " + maximum + "9.223372036854776e+18"},
		{"less than an int64", []instrument.PoolStats{{Used: math.MinInt64, Max: math.MinInt64, CountsWaits: true, Waits: math.MinInt64, WaitTime: math.MinInt64}}, ""},
	} {
		for kind, name := range map[instrument.PoolKind]string{instrument.PoolDatabase: "database", instrument.PoolRedis: "redis"} {
			p, rec := instrumenttest.New(t)
			for _, stats := range tt.stats {
				observed(t, p, kind, "main", stats)
			}
			if got := limitAndWaits(rec, name); got != tt.want {
				t.Errorf("%s, %s: %q, want %q", tt.reason, name, got, tt.want)
			}
		}
	}
}

// A counter that goes down looks to Prometheus like a restart: all that was ever counted would
// count again.
func TestWaitsNeverGoDown(t *testing.T) {
	p, rec := instrumenttest.New(t)
	want := func(when, want string) {
		t.Helper()
		if got := limitAndWaits(rec, "redis"); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
	}
	series := func(waits, seconds string) string {
		return `connection_wait_seconds_total{pool="cache"} ` + seconds + `; connection_waits_total{pool="cache"} ` + waits
	}
	first, unregisterFirst := observed(t, p, instrument.PoolRedis, "cache", instrument.PoolStats{CountsWaits: true, Waits: 10, WaitTime: 10 * time.Second})
	want("at first", series("10", "10"))
	first.Waits, first.WaitTime = 4, 4*time.Second
	want("after a step back", series("10", "10"))
	first.Waits, first.WaitTime = 12, 11*time.Second
	want("beyond where it was", series("12", "11"))
	first.CountsWaits = false
	want("while it does not know", "")
	first.CountsWaits, first.Waits = true, 0
	want("when it knows again", series("12", "11"))

	_, unregisterSecond := observed(t, p, instrument.PoolRedis, "cache", instrument.PoolStats{CountsWaits: true, Waits: 1, WaitTime: time.Second})
	third, unregisterThird := observed(t, p, instrument.PoolRedis, "cache", instrument.PoolStats{CountsWaits: true, Waits: 1, WaitTime: time.Second})
	want("with two more of the name", series("14", "13"))
	unregisterFirst()
	unregisterFirst()
	want("the others keep what the first counted", series("14", "13"))
	unregisterSecond()
	third.Waits = 2
	want("and hand it on", series("15", "13"))
	unregisterThird()
	want("until the last is gone", "")
	observed(t, p, instrument.PoolRedis, "cache", instrument.PoolStats{CountsWaits: true, Waits: 1})
	want("a pool that comes later begins at its own", series("1", "0"))
}

func TestWaitsOfAPoolThatPanics(t *testing.T) {
	p, rec := instrumenttest.New(t)
	captureReports(t)
	broken := false
	if _, err := p.ObservePool(instrument.PoolDatabase, "main", func() instrument.PoolStats {
		if broken {
			panic("closed")
		}
		return instrument.PoolStats{Max: 10, CountsWaits: true, Waits: 5}
	}); err != nil {
		t.Fatal(err)
	}
	rec.Snapshot()
	broken = true
	if got := limitAndWaits(rec, "database"); got != "" {
		t.Errorf("alone it is shown with %s", got)
	}
	observed(t, p, instrument.PoolDatabase, "main", instrument.PoolStats{Max: 2, CountsWaits: true, Waits: 1})
	if got, want := limitAndWaits(rec, "database"), `connection_wait_seconds_total{pool="main"} 0; connection_waits_total{pool="main"} 6; connections_max{pool="main"} 2`; got != want {
		t.Errorf("beside another one: %s, want %s", got, want)
	}
}

// Pools come and go while others collect; what one has counted is in the sum exactly once.
func TestWaitsWhilePoolsComeAndGo(t *testing.T) {
	p, rec := instrumenttest.New(t)
	stats := instrument.PoolStats{CountsWaits: true, Waits: 1}
	observed(t, p, instrument.PoolRedis, "cache", stats)
	const pools = 200
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range pools {
			unregister, err := p.ObservePool(instrument.PoolRedis, "cache", func() instrument.PoolStats { return stats })
			if err != nil {
				t.Error(err)
			}
			unregister()
		}
	}()
	for last, running := 0.0, true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		got := rec.Counter(vp("redis_connection_waits_total"), label("pool", "cache"))
		if got < last || got > 1+pools {
			t.Errorf("waits went from %v to %v, of at most %v", last, got, 1+pools)
		}
		last = got
	}
}
