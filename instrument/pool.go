package instrument

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/metric"

	"github.com/stagemeter/stagemeter/internal/instruments"
	"github.com/stagemeter/stagemeter/semconv"
)

// A PoolKind says which metric a pool's connections are shown in.
type PoolKind int

const (
	PoolDatabase PoolKind = iota + 1 // video_processing_database_connections
	PoolRedis                        // video_processing_redis_connections
)

// PoolStats is the state of a connection pool, in connections. Negative numbers are shown as 0.
type PoolStats struct{ Used, Idle int64 }

// pools is the set of observed pools, which the pipeline's callback reads. Unregistering takes a
// pool out of the set, so no callback of its own can outlive it or deadlock.
type pools struct {
	mu  sync.Mutex
	set []*pool
}

type pool struct {
	kind       PoolKind
	name       string
	stats      func() PoolStats
	used, idle metric.MeasurementOption
	broken     atomic.Bool // its function has panicked: reported once
	gone       atomic.Bool // unregistered
}

// ObserveDB shows the connections of db in video_processing_database_connections{pool, state}, the
// state being used or idle, at each collection until unregister is called, which is idempotent.
// Close db after that. Pools of one name are added up. A nil db is an error; unregister is never
// nil.
func (p *Pipeline) ObserveDB(name string, db *sql.DB) (unregister func(), err error) {
	if db == nil {
		return func() {}, fmt.Errorf("instrument: ObserveDB(%q): db is nil", name)
	}
	return p.ObservePool(PoolDatabase, name, func() PoolStats {
		s := db.Stats()
		return PoolStats{Used: int64(s.InUse), Idle: int64(s.Idle)}
	})
}

// ObservePool does the same for any pool. stats is called at each collection, possibly concurrently
// with itself, and must not block. After unregister no call of it begins; unregister does not wait
// for one that a collection has begun. If stats panics, that is reported to otel.Handle once, and
// the pool is not shown while it does. For example:
//
//	p.ObservePool(instrument.PoolDatabase, "main", func() instrument.PoolStats {
//		s := pgxPool.Stat()
//		return instrument.PoolStats{Used: int64(s.AcquiredConns()), Idle: int64(s.IdleConns())}
//	})
//	p.ObservePool(instrument.PoolRedis, "cache", func() instrument.PoolStats {
//		s := redisClient.PoolStats()
//		return instrument.PoolStats{Used: int64(s.TotalConns) - int64(s.IdleConns), Idle: int64(s.IdleConns)}
//	})
func (p *Pipeline) ObservePool(kind PoolKind, name string, stats func() PoolStats) (unregister func(), err error) {
	switch {
	case kind != PoolDatabase && kind != PoolRedis:
		return func() {}, fmt.Errorf("instrument: ObservePool(%q): kind %d is neither PoolDatabase nor PoolRedis", name, kind)
	case stats == nil:
		return func() {}, fmt.Errorf("instrument: ObservePool(%q): stats is nil", name)
	case p.inert():
		return func() {}, errors.New("instrument: ObservePool: the pipeline is nil")
	}
	// stats, and the error handler that hears of its panic, may record something outside of any
	// job, and so in Default. Made in the middle of a collection, that would wait for the end of
	// the collection for ever.
	Default()
	label, ok := cleanName(name)
	if !ok {
		metric := semconv.DatabaseConnectionsName
		if kind == PoolRedis {
			metric = semconv.RedisConnectionsName
		}
		p.badName(metric)
	}
	n := semconv.AttrPool.String(label)
	e := &pool{
		kind: kind, name: label, stats: stats,
		used: withAttrs(n, semconv.PoolStateUsed.Attr()),
		idle: withAttrs(n, semconv.PoolStateIdle.Attr()),
	}
	p.pools.mu.Lock()
	p.pools.set = append(p.pools.set, e)
	p.pools.mu.Unlock()
	return func() {
		e.gone.Store(true)
		p.pools.mu.Lock()
		defer p.pools.mu.Unlock()
		p.pools.set = slices.DeleteFunc(p.pools.set, func(o *pool) bool { return o == e })
	}, nil
}

func (s *pools) observe(o metric.Observer, inst *instruments.Set) {
	s.mu.Lock()
	set := slices.Clone(s.set)
	s.mu.Unlock()
	for _, e := range set {
		if e.gone.Load() { // since the lock was given up
			continue
		}
		var stats PoolStats
		if err := contain("the stats function of pool "+e.name, func() error { stats = e.stats(); return nil }); err != nil {
			if e.broken.CompareAndSwap(false, true) {
				handle(err)
			}
			continue
		}
		var i metric.Int64Observable = inst.DatabaseConnections
		if e.kind == PoolRedis {
			i = inst.RedisConnections
		}
		o.ObserveInt64(i, max(stats.Used, 0), e.used)
		o.ObserveInt64(i, max(stats.Idle, 0), e.idle)
	}
}
