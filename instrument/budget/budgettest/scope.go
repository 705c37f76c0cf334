package budgettest

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

var scopeDuties = []duty{
	{"a call has to fit into each of its scopes", "only one of the budgets bounds anything", 0, func(c *checker) {
		a := c.open(c.job(10), c.tenant(8))
		a.reserve("a", 6).gives(0, 6)
		a.reserve("b", 3).refusedBy(c.tenant(8), 0, 6)
		a.reserve("c", 2).gives(0, 8)
		b := c.open(c.scope("job", "other", 5), c.tenant(20))
		b.reserve("d", 6).refusedBy(b.scopes[0], 0, 0)
		b.reserve("d", 5).gives(0, 5)
	}},
	{"all scopes or none", "a call that one budget refused blocks the others", 0, func(c *checker) {
		for _, scopes := range [][]budget.Scope{{c.job(10), c.tenant(5)}, {c.tenant(5), c.job(10)}} {
			a := c.open(scopes...)
			a.reserve("a", 6).refusedBy(c.tenant(5), 0, 0)
			c.opens(0, 0, c.job(10))
			c.opens(0, 0, c.tenant(5))
		}
	}},
	{"the refusal names the scope with its figures", "nobody knows which budget to raise", 0, func(c *checker) {
		other := c.open(c.scope("job", "other", 100), c.tenant(20))
		other.reserve("x", 5).gives(0, 5)
		other.settle("y", 4).gives(4, 5)
		a := c.open(c.job(100), c.tenant(20), c.scope(budget.Day, "tenant", 100))
		a.settle("a", 1).gives(1, 0)
		a.reserve("b", 11).refusedBy(c.tenant(20), 5, 5).gives(1, 0)
		a.reserve("c", 100).refusedBy(c.job(100), 1, 0)
	}},
	{"the refusal of a single scope names it too", "nobody knows which budget to raise", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 4).gives(0, 4)
		a.settle("b", 5).gives(5, 4)
		a.reserve("c", 2, of("nested")).refusedBy(c.job(10), 5, 4)
		a = c.open(c.tenant(10))
		a.reserve("c", 20).refusedBy(c.tenant(10), 0, 0)
	}},
	{"every operation counts in all scopes", "what one budget shows is not what is spent", 0, func(c *checker) {
		a := c.open(c.job(100), c.tenant(100), c.scope(budget.Month, "tenant", 100))
		each := func(spent, held money.USD) {
			for _, s := range a.scopes {
				c.opens(spent, held, s)
			}
		}
		a.reserve("a", 6).gives(0, 6)
		a.reserve("b", 5).gives(0, 11)
		each(0, 11)
		a.settle("a", 7).gives(7, 5)
		each(7, 5)
		a.release("b").gives(7, 0)
		each(7, 0)
		a.settle("spend", 2).gives(9, 0)
		each(9, 0)
		a.settle("a", 7).gives(9, 0)
		a.settle("spend", 2).gives(9, 0)
		each(9, 0)
	}},
	{"a hold expires in all scopes", "what one budget shows is not what is spent", 0, func(c *checker) {
		a := c.open(c.job(100), c.tenant(100))
		a.reserve("a", 6, floor(2), c.leased).gives(0, 6)
		a.reserve("b", 6, floor(3), c.leased).gives(0, 12)
		c.expire()
		tenant := c.open(c.tenant(100))
		tenant.reserve("probe", 100).fails(exceeded).gives(5, 0).unconfirmed(5)
		a.reserve("probe", 100).fails(exceeded).gives(5, 0).unconfirmed(5)
		a.settle("a", 4).gives(7, 0).unconfirmed(3)
		tenant.look(7, 0).unconfirmed(3)
		a.release("b").gives(4, 0).unconfirmed(0)
		tenant.look(4, 0).unconfirmed(0)
		c.told(2, 5)
	}},
	{"the balance is that of the first scope", "a job shows what its tenant has spent", 0, func(c *checker) {
		c.open(c.tenant(100)).settle("x", 5).gives(5, 0)
		a := c.open(c.job(10), c.tenant(100))
		a.reserve("a", 3).gives(0, 3)
		a.settle("a", 2).gives(2, 0)
		c.opens(7, 0, c.tenant(100), c.job(10)).look(7, 0)
	}},
	{"one id is another scope in each kind", "a job that is called as its tenant spends twice", 0, func(c *checker) {
		var scopes []budget.Scope
		for _, kind := range []budget.Kind{budget.Job, budget.Tenant, budget.Day, budget.Month} {
			scopes = append(scopes, c.scope(kind, "x", 100))
		}
		for i, cost := range []money.USD{1, 2, 3, 4} {
			c.open(scopes[i]).settle("a", cost).gives(cost, 0)
		}
		c.open(scopes...).settle("b", 10).gives(11, 0)
		c.opens(12, 0, scopes[1])
		c.opens(14, 0, scopes[3])
	}},
	{"jobs share a tenant's budget strictly", "a tenant overspends by having many jobs", 0, func(c *checker) {
		const room = 37
		tenant := c.tenant(room)
		var accounts [10]*account
		for i := range accounts {
			accounts[i] = c.open(c.scope(budget.Job, fmt.Sprint("job-", i), unlimited), tenant)
		}
		var passed atomic.Int64
		c.noError(parallel(many, func(i int) error {
			a := accounts[i%len(accounts)]
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
		c.opens(0, room, tenant)
	}},
	{"scopes in any order do not block each other", "two jobs wait for each other for ever", 0, func(c *checker) {
		x, y := c.scope(budget.Tenant, "x", unlimited), c.scope(budget.Tenant, "y", unlimited)
		accounts := [...]*account{c.open(x, y), c.open(y, x)}
		c.note("settle %d holds, half of them in each order", many)
		c.noError(parallel(many, func(i int) error {
			a := accounts[i%2]
			h := a.hold(fmt.Sprint("hold-", i), 1)
			_, err := a.Account.Reserve(c.ctx, h)
			_, settleErr := a.Account.Settle(c.ctx, h, 1)
			return errors.Join(err, settleErr)
		}))
		accounts[0].look(many, 0)
		accounts[1].look(many, 0)
	}},
}
