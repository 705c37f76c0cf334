package budgettest

import "github.com/stagemeter/stagemeter/instrument/budget"

var limitDuties = []duty{
	{"a limit of 0 refuses every call", "no budget and no limit are confused", 0, func(c *checker) {
		a := c.open(c.job(0))
		a.reserve("a", 0).fails(exceeded).gives(0, 0)
		a.reserve("b", 1).fails(exceeded).gives(0, 0)
		a.settle("c", 2).gives(2, 0)
	}},
	{"unlimited refuses none", "a job that is only to be counted is refused", 0, func(c *checker) {
		a := c.open(c.job(unlimited))
		a.reserve("a", 1_000_000*dollar).gives(0, 1_000_000*dollar)
		a.settle("a", 2_000_000*dollar).gives(2_000_000*dollar, 0)
		a.reserve("b", 1).gives(2_000_000*dollar, 1)
	}},
	{"a limit lowered below what is spent holds", "what was spent is lost, or the lower limit is", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 4).gives(0, 4)
		a.settle("b", 6).gives(6, 4)
		a = c.opens(6, 4, c.job(5))
		a.look(6, 4)
		a.reserve("c", 0).fails(exceeded).gives(6, 4)
		a.settle("a", 4).gives(10, 0)
	}},
	{"a limit that was raised holds", "a budget that was raised still refuses", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.settle("a", 10).gives(10, 0)
		a = c.opens(10, 0, c.job(15))
		a.reserve("b", 6).fails(exceeded).gives(10, 0)
		a.reserve("b", 5).gives(10, 5)
		a = c.opens(10, 5, c.job(unlimited))
		a.reserve("c", 100).gives(10, 105)
		a = c.opens(10, 105, c.job(0))
		a.reserve("d", 0).fails(exceeded).gives(10, 105)
	}},
	{"the newest limit holds for the opens before it", "each process goes by a limit of its own", 0, func(c *checker) {
		first := c.open(c.job(10))
		c.open(c.job(5))
		first.scopes[0].Limit = 5
		first.reserve("a", 6).fails(exceeded).gives(0, 0)
	}},
	{"scopes that cannot be opened", "a typing error becomes a budget without a limit", 0, func(c *checker) {
		for _, scopes := range [][]budget.Scope{
			{},
			{c.job(-1)},
			{c.job(10), c.tenant(-1)},
			{c.job(10), c.scope("", "no kind", 10)},
			{c.job(10), c.scope("week", "unknown kind", 10)},
			{c.job(10), c.tenant(10), c.job(20)},
		} {
			_, r := c.tryOpen(c.ledger, scopes...)
			r.fails(invalid)
		}
	}},
}
