package instrument

import (
	"database/sql"
	"errors"
	"fmt"

	"github.com/stagemeter/stagemeter/semconv"
)

// ObserveDB shows the connections of db at each collection until unregister is called, which is
// idempotent. Close db after that. The metrics have the attribute pool, which is name:
//
//	video_processing_database_connections{state}            used and idle connections
//	video_processing_database_connections_max               SetMaxOpenConns, if it sets a limit
//	video_processing_database_connection_waits_total        how often a caller waited for a connection
//	video_processing_database_connection_wait_seconds_total how long
//
// Pools of one name are added up. The maximum, the waits and the wait time are shown if all of them
// know it. A nil db is an error; unregister is never nil.
func (p *Pipeline) ObserveDB(name string, db *sql.DB) (unregister func(), err error) {
	if db == nil {
		return func() {}, fmt.Errorf("instrument: ObserveDB(%q): db is nil", name)
	}
	return p.ObservePool(PoolDatabase, name, func() PoolStats {
		s := db.Stats()
		return PoolStats{
			Used: int64(s.InUse), Idle: int64(s.Idle), Max: int64(s.MaxOpenConnections),
			CountsWaits: true, Waits: s.WaitCount, WaitTime: s.WaitDuration,
		}
	})
}

// ObservePool does the same for any pool. stats is called at each collection, possibly concurrently
// with itself, and must not block. After unregister no call of it begins; unregister does not wait
// for one that a collection has begun. If stats panics or calls runtime.Goexit, that is reported to
// otel.Handle once, and the pool is not shown while it does.
//
// Waits and WaitTime only grow: where they are less than at an earlier collection, the earlier
// figure is shown. For example, with pgx and go-redis:
//
//	p.ObservePool(instrument.PoolDatabase, "main", func() instrument.PoolStats {
//		s := pgxPool.Stat()
//		return instrument.PoolStats{
//			Used: int64(s.AcquiredConns()), Idle: int64(s.IdleConns()), Max: int64(s.MaxConns()),
//			CountsWaits: true, Waits: s.EmptyAcquireCount(), WaitTime: s.EmptyAcquireWaitTime(),
//		}
//	})
//	p.ObservePool(instrument.PoolRedis, "cache", func() instrument.PoolStats {
//		s := redisClient.PoolStats()
//		return instrument.PoolStats{
//			Used: int64(s.TotalConns) - int64(s.IdleConns), Idle: int64(s.IdleConns), Max: int64(redisClient.Options().PoolSize),
//			CountsWaits: true, Waits: int64(s.WaitCount), WaitTime: time.Duration(s.WaitDurationNs),
//		}
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
	prepareDefault()
	label, ok := cleanName(name)
	if !ok {
		metric := semconv.DatabaseConnectionsName
		if kind == PoolRedis {
			metric = semconv.RedisConnectionsName
		}
		p.badName(metric)
	}
	e := &pool{poolName: poolName{kind, label}, stats: stats}
	p.pools.mu.Lock()
	p.pools.set = append(p.pools.set, e)
	p.pools.mu.Unlock()
	return func() { p.pools.remove(e) }, nil
}
