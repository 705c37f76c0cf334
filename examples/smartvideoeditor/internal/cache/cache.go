// Package cache keeps results in Redis, so that no job, process or machine analyzes a video a
// second time.
package cache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/stagemeter/stagemeter/instrument"
)

// ttl is how long a result is kept.
const ttl = 24 * time.Hour

// A Cache is a Redis database. A nil *Cache is none: it holds nothing and takes nothing.
type Cache struct{ client *redis.Client }

// errURL does not wrap the error of the client, which shows the URL or parts of it.
var errURL = errors.New("cache: want a URL such as redis://host:6379/0; yours is not shown, because a password may be in it")

// Open makes a cache of the Redis database at a URL, redis://… or rediss://…. Whether it answers is
// seen at the first use.
func Open(url string) (*Cache, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return nil, errURL
	}
	// The editor works without a cache, so it does not wait long for one.
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = time.Second, time.Second, time.Second
	options.MaxRetries, options.DialerRetries = 1, 1
	redis.SetLogger(quiet{}) // the caller gets every error, and reports it once
	return &Cache{client: redis.NewClient(options)}, nil
}

// quiet replaces the log of the client, which has a format of its own.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

// Get reads the result under a key into v. It is false if there is none. An error says why the
// cache could not be asked; the caller is free to do without.
func (c *Cache) Get(ctx context.Context, key string, v any) (bool, error) {
	if c == nil {
		return false, nil
	}
	data, err := c.client.Get(ctx, key).Bytes()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		return false, fmt.Errorf("cache: get: %w", err)
	}
	return true, nil
}

// Put keeps a result under a key for a day.
func (c *Cache) Put(ctx context.Context, key string, v any) error {
	if c == nil {
		return nil
	}
	data, err := json.Marshal(v)
	if err == nil {
		err = c.client.Set(ctx, key, data, ttl).Err()
	}
	if err != nil {
		return fmt.Errorf("cache: put: %w", err)
	}
	return nil
}

// Observe reports the connections to p, until unregister is called.
func (c *Cache) Observe(p *instrument.Pipeline) (unregister func(), err error) {
	if c == nil {
		return func() {}, nil
	}
	return p.ObservePool(instrument.PoolRedis, "cache", func() instrument.PoolStats {
		stats := c.client.PoolStats()
		return instrument.PoolStats{
			Used: int64(stats.TotalConns) - int64(stats.IdleConns), Idle: int64(stats.IdleConns), Max: int64(c.client.Options().PoolSize),
			CountsWaits: true, Waits: int64(stats.WaitCount), WaitTime: time.Duration(stats.WaitDurationNs),
		}
	})
}

// Close closes the connections.
func (c *Cache) Close() error {
	if c == nil {
		return nil
	}
	return c.client.Close()
}
