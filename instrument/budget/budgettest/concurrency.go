package budgettest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// many is the number of goroutines that use one account at once.
const many = 1000

var concurrencyDuties = []duty{
	{"strict: of 1,000 calls at once those that fit pass, exactly", "calls at once overspend the budget", 0, func(c *checker) {
		const room, estimate = 37, 7
		a := c.open(c.job(room*estimate + estimate - 1))
		var passed, refused atomic.Int64
		c.noError(parallel(many, func(i int) error {
			b, err := a.Account.Reserve(c.ctx, a.hold(fmt.Sprint("hold-", i), estimate))
			switch {
			case err == nil:
				passed.Add(1)
			case errors.Is(err, exceeded):
				refused.Add(1)
			default:
				return err
			}
			return overLimit(b)
		}))
		if passed.Load() != room || refused.Load() != many-room {
			c.fail("%d of %d calls passed and %d were refused, with room for %d", passed.Load(), many, refused.Load(), room)
		}
		a.look(0, room*estimate)
	}},
	{"strict: costs below the maxima never add up above the limit", "calls that end while others begin overspend the budget", 0, func(c *checker) {
		const limit, estimate, cost = 1000, 10, 7
		a := c.open(c.job(limit))
		var settled atomic.Int64
		c.noError(parallel(many, func(i int) error {
			h := a.hold(fmt.Sprint("hold-", i), estimate)
			_, err := a.Account.Reserve(c.ctx, h)
			if errors.Is(err, exceeded) {
				return nil
			}
			if err != nil {
				return err
			}
			var b budget.Balance
			if i%5 == 0 {
				b, err = a.Account.Release(c.ctx, h)
			} else {
				settled.Add(1)
				b, err = a.Account.Settle(c.ctx, h, cost)
			}
			return errors.Join(err, overLimit(b))
		}))
		a.look(money.Mul(cost, settled.Load()), 0)
	}},
	{"a hold that 1,000 goroutines reserve and settle counts once", "retries at once book twice", 0, func(c *checker) {
		a := c.open(c.job(10))
		c.noError(parallel(many, func(int) error {
			_, err := a.Account.Reserve(c.ctx, a.hold("a", 6))
			return err
		}))
		a.look(0, 6)
		c.noError(parallel(many, func(int) error {
			_, err := a.Account.Settle(c.ctx, a.hold("a", 6), 6)
			return err
		}))
		a.look(6, 0)
	}},
	{"a hold that 1,000 goroutines release frees once", "retries at once free what others hold", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 6).gives(0, 6)
		a.reserve("b", 1).gives(0, 7)
		c.noError(parallel(many, func(int) error {
			_, err := a.Account.Release(c.ctx, a.hold("a", 6))
			return err
		}))
		a.look(0, 1)
	}},
	{"runs that open one job at once share its account", "two attempts have a budget each", 0, func(c *checker) {
		const opens, room = 100, 30
		s := c.job(room)
		accounts := make([]budget.Account, opens)
		var passed atomic.Int64
		c.noError(parallel(opens, func(i int) (err error) {
			if accounts[i], _, err = c.ledger.Open(c.ctx, s); err != nil {
				return err
			}
			_, err = accounts[i].Reserve(c.ctx, budget.Hold{ID: fmt.Sprint("hold-", i), Job: s.ID, Amount: 1})
			if errors.Is(err, exceeded) {
				return nil
			}
			passed.Add(1)
			return err
		}))
		if n := passed.Load(); n != room {
			c.fail("%d of %d runs passed, with room for %d", n, opens, room)
		}
		for _, opened := range accounts {
			a := &account{Account: opened, c: c, scopes: []budget.Scope{s}}
			a.look(0, room)
		}
	}},
}

func overLimit(b budget.Balance) error {
	if money.Sum(b.Spent, b.Held) > b.Limit {
		return fmt.Errorf("balance %s is over its limit", show(b))
	}
	return nil
}

// contained runs one function of parallel. A panic of the ledger is its error.
func contained(f func(i int) error, i int) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicked(v)
		}
	}()
	return f(i)
}

// parallel runs n functions, which all start at the same moment, and returns the first error. It
// does not wait for functions that block each other.
func parallel(n int, f func(i int) error) error {
	var wg sync.WaitGroup
	var once sync.Once
	first := make(chan error, 1)
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			if err := contained(f, i); err != nil {
				once.Do(func() { first <- err })
			}
		})
	}
	close(start)
	ended := make(chan struct{})
	go func() { wg.Wait(); close(ended) }()
	select {
	case <-ended:
		close(first)
		return <-first
	case <-time.After(5 * time.Minute):
		return errors.New("operations at once have not ended after 5 minutes")
	}
}
