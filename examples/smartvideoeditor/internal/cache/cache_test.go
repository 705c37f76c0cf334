package cache

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/internal/testserver"
)

type value struct{ Words []string }

func TestCache(t *testing.T) {
	c, err := Open(testserver.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var got value
	if found, err := c.Get(t.Context(), "k", &got); found || err != nil {
		t.Errorf("Get of what was never put = %v, %v", found, err)
	}
	if err := c.Put(t.Context(), "k", value{[]string{"a", "b"}}); err != nil {
		t.Fatal(err)
	}
	if found, err := c.Get(t.Context(), "k", &got); !found || err != nil || len(got.Words) != 2 {
		t.Errorf("Get of what was put = %v, %v, %v", got, found, err)
	}
	left, err := c.client.TTL(t.Context(), "k").Result()
	if err != nil || left <= 0 || left > ttl {
		t.Errorf("the result is kept for %v, %v; want it to end by itself", left, err)
	}
	if err := c.client.Set(t.Context(), "k", "no JSON", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if found, err := c.Get(t.Context(), "k", &got); found || err == nil {
		t.Errorf("Get of what another program put = %v, %v; want an error", found, err)
	}
}

// A cache that is away is an error that the caller may pass over, never a hang or a panic.
func TestServerAway(t *testing.T) {
	c, err := Open("redis://127.0.0.1:1/0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Get(t.Context(), "k", &value{}); err == nil {
		t.Error("Get gave no error")
	}
	if err := c.Put(t.Context(), "k", value{}); err == nil {
		t.Error("Put gave no error")
	}
}

func TestNoCache(t *testing.T) {
	var c *Cache
	if found, err := c.Get(t.Context(), "k", &value{}); found || err != nil {
		t.Errorf("Get = %v, %v", found, err)
	}
	if err := c.Put(t.Context(), "k", value{}); err != nil {
		t.Error(err)
	}
	unregister, err := c.Observe(nil)
	if err != nil {
		t.Error(err)
	}
	unregister()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenFails(t *testing.T) {
	if _, err := Open("http://127.0.0.1"); err == nil {
		t.Error("a URL of another kind was taken")
	}
}

// Package instrument knows go-redis's errors by their texts, without importing it.
func TestErrorTypes(t *testing.T) {
	for err, want := range map[error]string{
		redis.Nil:              "redis_nil",
		redis.ErrPoolTimeout:   "redis_pool_timeout",
		redis.ErrPoolExhausted: "redis_pool_exhausted",
	} {
		if got := instrument.ErrorType(fmt.Errorf("get: %w", err)); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

// No error shows the password of a URL, also in an unexpected place.
func TestPasswordIsNotShown(t *testing.T) {
	for _, url := range []string{
		"redis://user:hunter2@host:bad", "redis://user:hunter2%@host/0", "redis://user:hunter2@ho st:1/0", "redis://user:hunter2",
		"redis://user:hunter2@host:6379/0?dial_timeout=x", "redis://host/0?dial_timeout=hunter2", "redis://host/hunter2", "http://:hunter2@host",
		"redis://host/0?password=hunter2&x=y", "user:hunter2@host:6379",
	} {
		if _, err := Open(url); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
