package budgettest

import (
	"fmt"
	"sync"

	"github.com/stagemeter/stagemeter/instrument/budget"
)

var thresholdDuties = []duty{
	{"each threshold is told by the operation that reaches it", "nobody hears that a budget is used up", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.settle("a", 4).tells()
		a.settle("b", 1).tells(50)
		a.reserve("c", 3).tells()
		a.settle("c", 2).tells()
		a.settle("d", 1).tells(80)
		a.settle("e", 2).tells(100)
		a.settle("f", 1).tells(budget.Exceeded)
		a.settle("g", 1).tells()
	}},
	{"one cost may reach several thresholds", "an expensive call hides what it passed", 0, func(c *checker) {
		c.open(c.job(10)).settle("a", 11).tells(50, 80, 100, budget.Exceeded)
		c.open(c.scope(budget.Job, "exact", 3)).settle("a", 2).tells(50)
	}},
	{"the first refusal is told, and no second one", "each refused call alerts again", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 11).fails(exceeded).tells(budget.Exceeded)
		a.reserve("b", 12).fails(exceeded).tells()
		a.settle("c", 9).tells(50, 80)
		a.settle("d", 9).tells(100)
	}},
	{"each threshold is told once in the life of an account", "each attempt and each process alerts again", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.settle("a", 8).tells(50, 80)
		a.close(false)
		a = c.openBy(c.store.Open(), c.job(10))
		a.settle("b", 1).tells()
		a.reserve("c", 2).fails(exceeded).tells(budget.Exceeded)
		a = c.open(c.job(10))
		a.settle("d", 3).tells(100)
	}},
	{"without a limit there are no thresholds", "unlimited is taken for a large limit", 0, func(c *checker) {
		a := c.open(c.job(unlimited))
		a.settle("a", unlimited-1).tells()
		a.settle("b", unlimited-1) // beyond the range
		a.reserve("c", 0).orNot().tells()
	}},
	{"what an expired hold reaches is told", "a budget that died workers used up is used up in silence", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.settle("a", 4).tells()
		a.reserve("b", 4, floor(1), c.leased).tells()
		c.expire()
		a.reserve("c", 6).fails(exceeded).gives(5, 0).tells(50, budget.Exceeded)
		a.settle("d", 1).tells()
	}},
	{"what an expired hold reaches is not told by Open", "nobody looks at the thresholds of Open", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("b", 8, floor(6), c.leased).tells()
		c.expire()
		a, r := c.tryOpen(c.ledger, c.job(10))
		r.tells()
		a.reserve("c", 10).fails(exceeded).gives(6, 0).tells(50, budget.Exceeded)
	}},
	{"what a lower limit reaches is told by the next operation", "a budget that was cut is used up in silence", 0, func(c *checker) {
		c.open(c.job(100)).settle("a", 5).tells()
		a, r := c.tryOpen(c.ledger, c.job(10))
		r.tells()
		a.reserve("b", 1).tells(50)
		a, r = c.tryOpen(c.ledger, c.job(4))
		r.tells()
		a.release("b").tells(80, 100, budget.Exceeded)
		a.release("b").tells(80, 100, budget.Exceeded) // as every retry
	}},
	{"a higher limit tells again what it has not reached", "a budget that was raised has no alerts any more", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.settle("a", 9).tells(50, 80)
		a.reserve("b", 5).fails(exceeded).tells(budget.Exceeded)
		a = c.open(c.job(16)) // 9 is 56 %
		a.settle("c", 1).tells()
		a.settle("d", 3).tells(80)
		a.reserve("e", 5).fails(exceeded).tells(budget.Exceeded)
		a = c.open(c.job(100))
		a.settle("f", 37).tells(50)
	}},
	{"each scope has thresholds of its own", "the tenant's alert never comes", 0, func(c *checker) {
		a := c.open(c.job(10), c.tenant(20))
		a.settle("a", 5).tellsOf("job 50")
		b := c.open(c.scope(budget.Job, "other", 100), c.tenant(20))
		b.settle("b", 5).tellsOf("tenant 50")
		a.settle("c", 6).tellsOf("job 80", "job 100", "job 101", "tenant 80")
		b.reserve("d", 5).fails(exceeded).tellsOf("tenant 101")
		a.reserve("e", 5).fails(exceeded).tellsOf()
	}},
	{"of 1,000 operations by two handles one tells of each threshold", "each process alerts", 0, func(c *checker) {
		c.tellOnce(c.ledger, c.store.Open(), 1)
	}},
}

// orNot accepts any error.
func (r *answer) orNot() *answer { r.err = nil; return r }

// tellOnce settles 1,010 of a limit of 1,000 and checks that each threshold is told once. Each
// operation is done as many times as it takes to get an answer.
func (c *checker) tellOnce(one, two budget.Ledger, answers int) {
	accounts := [...]*account{c.openBy(one, c.job(many)), c.openBy(two, c.job(many))}
	var mu sync.Mutex
	found := make(map[int]int)
	c.note("settle %d holds of 1n by two handles", many+10)
	c.noError(parallel(many+10, func(i int) error {
		a := accounts[i%2]
		b, err := a.Account.Settle(c.ctx, a.hold(fmt.Sprint("hold-", i), 0), 1)
		for n := 1; n < answers && err != nil; n++ {
			b, err = a.Account.Settle(c.ctx, a.hold(fmt.Sprint("hold-", i), 0), 1)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, crossing := range b.Crossed {
			found[crossing.Percent]++
		}
		return err
	}))
	for _, percent := range []int{50, 80, 100, budget.Exceeded} {
		if found[percent] != 1 {
			c.fail("%d operations tell of threshold %d, want 1", found[percent], percent)
		}
	}
	c.opens(many+10, 0, c.job(many))
}
