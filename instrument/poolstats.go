package instrument

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/stagemeter/stagemeter/internal/instruments"
	"github.com/stagemeter/stagemeter/semconv"
)

// A PoolKind says which metrics a pool is shown in.
type PoolKind int

const (
	PoolDatabase PoolKind = iota + 1 // video_processing_database_connections and those beside it
	PoolRedis                        // video_processing_redis_connections and those beside it
)

// String returns "database" or "redis".
func (k PoolKind) String() string {
	switch k {
	case PoolDatabase:
		return "database"
	case PoolRedis:
		return "redis"
	}
	return "unknown"
}

// PoolStats is the state of a connection pool. What a pool does not know is not shown, so that
// nobody takes it for 0. The zero values of Max and of what follows it are unknown.
type PoolStats struct {
	Used, Idle int64 // open connections; negative numbers are shown as 0
	Max        int64 // the most connections that may be open; 0 or less: unknown, or without a limit

	CountsWaits bool          // Waits and WaitTime are known, also if they are 0
	Waits       int64         // how often a caller has waited for a connection, since the pool was made; negative: unknown
	WaitTime    time.Duration // how long all callers together have waited; negative: unknown
}

// A PoolState is the state of the connection pools of one kind and name, added up; see
// [Pipeline.ObservePool].
type PoolState struct {
	Kind       PoolKind
	Name       string
	Used, Idle int64
	Max        int64 // 0: unknown or unlimited
}

// pools is the set of observed pools, which the pipeline's callback reads. Unregistering takes a
// pool out of the set, so no callback of its own can outlive it or deadlock.
type pools struct {
	mu  sync.Mutex
	set []*pool
}

// poolName is what the series of a pool have in common with those of others.
type poolName struct {
	kind PoolKind
	name string
}

type pool struct {
	poolName
	stats    func() PoolStats
	waits    growing     // in waits
	waitTime growing     // in nanoseconds
	broken   atomic.Bool // its function has panicked: reported once
	gone     atomic.Bool // unregistered
}

// growing is a total that never goes down.
type growing struct {
	highest   atomic.Int64 // of this pool
	inherited int64        // from pools of the same name that were unregistered; guarded by pools.mu
}

// see takes note of a figure. Collections may report out of order.
func (g *growing) see(n int64) {
	for old := g.highest.Load(); n > old && !g.highest.CompareAndSwap(old, n); {
		old = g.highest.Load()
	}
}

func (g *growing) total() int64 { return addUp(g.inherited, g.highest.Load()) }

// remove takes a pool out of the set. Another pool of the same name inherits its totals: their sum
// is a counter, which never goes down while it is shown.
func (s *pools) remove(e *pool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.gone.Swap(true) {
		return
	}
	s.set = slices.DeleteFunc(s.set, func(o *pool) bool { return o == e })
	for _, heir := range s.set {
		if heir.poolName == e.poolName {
			heir.waits.inherited = addUp(heir.waits.inherited, e.waits.total())
			heir.waitTime.inherited = addUp(heir.waitTime.inherited, e.waitTime.total())
			return
		}
	}
}

// poolSum is what the pools of one name add up to.
type poolSum struct {
	poolName
	used, idle, max, waits, waitTime int64
	maxKnown, waitsKnown, timeKnown  bool // by all pools of the name
}

func (s *pools) observe(o metric.Observer, inst *instruments.Set) {
	for _, sum := range s.read() {
		sum.observe(o, inst)
	}
}

// states returns the pools as a snapshot shows them.
func (s *pools) states() (all []PoolState) {
	for _, sum := range s.read() {
		state := PoolState{Kind: sum.kind, Name: sum.name, Used: sum.used, Idle: sum.idle}
		if sum.maxKnown {
			state.Max = sum.max
		}
		all = append(all, state)
	}
	return all
}

// read asks every pool, and adds up those of one name.
func (s *pools) read() []*poolSum {
	s.mu.Lock()
	set := slices.Clone(s.set)
	s.mu.Unlock()
	read := make(map[*pool]PoolStats, len(set))
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
		if stats.CountsWaits {
			e.waits.see(stats.Waits)
			e.waitTime.see(int64(stats.WaitTime))
		}
		read[e] = stats
	}
	return s.addUp(read)
}

// addUp returns the sums of the pools that were read, by name. A pool that was not, because its
// function panics or because it is new, counts only in the totals.
func (s *pools) addUp(read map[*pool]PoolStats) []*poolSum {
	s.mu.Lock()
	defer s.mu.Unlock()
	var sums []*poolSum
	byName := make(map[poolName]*poolSum)
	for _, e := range s.set {
		stats, ok := read[e]
		if !ok {
			continue
		}
		sum := byName[e.poolName]
		if sum == nil {
			sum = &poolSum{poolName: e.poolName, maxKnown: true, waitsKnown: true, timeKnown: true}
			byName[e.poolName] = sum
			sums = append(sums, sum)
		}
		sum.used, sum.idle, sum.max = addUp(sum.used, stats.Used), addUp(sum.idle, stats.Idle), addUp(sum.max, stats.Max)
		sum.maxKnown = sum.maxKnown && stats.Max > 0
		sum.waitsKnown = sum.waitsKnown && stats.CountsWaits && stats.Waits >= 0
		sum.timeKnown = sum.timeKnown && stats.CountsWaits && stats.WaitTime >= 0
	}
	for _, e := range s.set {
		if sum := byName[e.poolName]; sum != nil {
			sum.waits, sum.waitTime = addUp(sum.waits, e.waits.total()), addUp(sum.waitTime, e.waitTime.total())
		}
	}
	return sums
}

// addUp returns a + b without going beyond the range. A negative b counts as 0.
func addUp(a, b int64) int64 {
	if b = max(b, 0); a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

func (sum *poolSum) observe(o metric.Observer, inst *instruments.Set) {
	var connections, limit metric.Int64Observable = inst.DatabaseConnections, inst.DatabaseConnectionsMax
	var waits metric.Int64Observable = inst.DatabaseConnectionWaits
	var waitTime metric.Float64Observable = inst.DatabaseConnectionWait
	if sum.kind == PoolRedis {
		connections, limit = inst.RedisConnections, inst.RedisConnectionsMax
		waits, waitTime = inst.RedisConnectionWaits, inst.RedisConnectionWait
	}
	name := semconv.AttrPool.String(sum.name)
	o.ObserveInt64(connections, sum.used, withAttrs(name, semconv.PoolStateUsed.Attr()))
	o.ObserveInt64(connections, sum.idle, withAttrs(name, semconv.PoolStateIdle.Attr()))
	pool := withAttrs(name)
	if sum.maxKnown {
		o.ObserveInt64(limit, sum.max, pool)
	}
	if sum.waitsKnown {
		o.ObserveInt64(waits, sum.waits, pool)
	}
	if sum.timeKnown {
		o.ObserveFloat64(waitTime, time.Duration(sum.waitTime).Seconds(), pool)
	}
}
