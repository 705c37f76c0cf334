package budgettest

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/stagemeter/stagemeter/instrument/budget"
)

var handleDuties = []duty{
	{"two handles share an account", "each process has a budget of its own", 0, func(c *checker) {
		a, b := c.open(c.job(10)), c.openBy(c.store.Open(), c.job(10))
		a.reserve("a", 6).gives(0, 6)
		b.look(0, 6)
		b.reserve("b", 5).fails(exceeded).gives(0, 6)
		a.settle("a", 3).gives(3, 0)
		b.reserve("b", 5).gives(3, 5)
		a.look(3, 5)
	}},
	{"a hold of one handle is ended by another", "a settle that a second process delivers books twice", 0, func(c *checker) {
		a, b := c.open(c.job(10)), c.openBy(c.store.Open(), c.job(10))
		a.reserve("a", 6).gives(0, 6)
		b.reserve("a", 6).gives(0, 6)
		b.settle("a", 5).gives(5, 0)
		a.settle("a", 5).gives(5, 0)
		a.settle("a", 4).fails(conflict)
		a.reserve("b", 2).gives(5, 2)
		b.release("b").gives(5, 0)
		a.release("b").gives(5, 0)
	}},
	{"two handles are strict together", "two machines overspend a budget", 0, func(c *checker) {
		const room = 37
		accounts := [...]*account{c.open(c.job(room)), c.openBy(c.store.Open(), c.job(room))}
		var passed atomic.Int64
		c.noError(parallel(many, func(i int) error {
			a := accounts[i%2]
			_, err := a.Account.Reserve(c.ctx, a.hold(fmt.Sprint("hold-", i), 1))
			if errors.Is(err, exceeded) {
				return nil
			}
			passed.Add(1)
			return err
		}))
		if n := passed.Load(); n != room {
			c.fail("%d of %d calls passed, with room for %d", n, many, room)
		}
		accounts[0].look(0, room)
		accounts[1].look(0, room)
	}},
	{"the limit of another handle holds", "each process goes by a limit of its own", 0, func(c *checker) {
		a := c.open(c.job(10))
		c.openBy(c.store.Open(), c.job(5))
		a.scopes[0].Limit = 5
		a.reserve("a", 6).fails(exceeded).gives(0, 0)
	}},
	{"what another handle forgot is forgotten", "a job cannot be made to run again", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.settle("a", 10).gives(10, 0)
		c.note("forget by another handle")
		c.noError(c.store.Open().Forget(c.ctx, budget.Job, c.job(10).ID))
		a.reserve("b", 10).gives(0, 10)
	}},
}

var storeDuties = []duty{
	{"an account that the store lost is not one that has spent nothing", "a job spends its budget again when the store is emptied", lose, func(c *checker) {
		a := c.open(c.job(10), c.tenant(10))
		a.reserve("a", 6).gives(0, 6)
		c.note("lose the store")
		c.store.Lose()
		a.reserve("b", 1).fails(budget.ErrLost)
		a.settle("a", 1).fails(budget.ErrLost)
		a.release("a").fails(budget.ErrLost)
		b := c.opens(0, 0, c.job(10), c.tenant(10))
		b.settle("a", 1).gives(1, 0)
	}},
	{"what was acknowledged outlasts a restart of the store", "a restart gives money back", restart, func(c *checker) {
		a := c.open(c.job(10), c.tenant(10))
		a.reserve("under way", 2).gives(0, 2)
		a.reserve("leased", 3, floor(1), c.leased).gives(0, 5)
		a.settle("settled", 5).gives(5, 5).tellsOf("job 50", "tenant 50")
		c.note("restart the store")
		c.store.Restart()
		a = c.openBy(c.store.Open(), c.job(10), c.tenant(10))
		a.reserve("new", 1).fails(exceeded).gives(5, 5).tellsOf("job 101")
		a.settle("settled", 5).gives(5, 5).tellsOf("job 50", "tenant 50")
		a.settle("settled", 6).fails(conflict)
		a.settle("under way", 1).gives(6, 3).tellsOf()
		c.expire()
		a.reserve("new", 3).gives(7, 3).unconfirmed(1)
	}},
	{"a handle goes on after a restart of the store", "each restart takes all workers down", restart, func(c *checker) {
		a := c.open(c.job(10))
		a.settle("a", 5).gives(5, 0)
		c.note("restart the store")
		c.store.Restart()
		for i := 0; ; i++ { // connections may be found broken first
			r := a.settle("b", 1)
			if i < 10 && r.err != nil && !errors.Is(r.err, budget.ErrLost) {
				continue
			}
			r.gives(6, 0)
			return
		}
	}},
}
