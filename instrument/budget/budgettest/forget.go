package budgettest

import "github.com/stagemeter/stagemeter/instrument/budget"

// forget forgets a scope.
func (c *checker) forget(s budget.Scope) {
	c.note("forget %s", s.Kind)
	c.noError(c.ledger.Forget(c.ctx, s.Kind, s.ID))
}

var forgetDuties = []duty{
	{"forget starts an account afresh, also for those who have it open", "a job cannot be made to run again", 0, func(c *checker) {
		a := c.open(c.job(10))
		other := c.openBy(c.store.Open(), c.job(10))
		a.settle("a", 10).gives(10, 0).own(10)
		c.forget(c.job(10))
		a.look(0, 0).own(0)
		other.reserve("b", 10).gives(0, 10)
		c.opens(0, 10, c.job(10))
	}},
	{"forget keeps the holds under way", "calls that are being made are not counted", 0, func(c *checker) {
		a := c.open(c.job(10), c.tenant(100))
		a.settle("a", 1).gives(1, 0)
		a.reserve("b", 6).gives(1, 6)
		a.reserve("c", 2).gives(1, 8)
		c.forget(c.job(10))
		a.look(0, 8)
		a.reserve("b", 6).gives(0, 8)
		a.settle("b", 5).gives(5, 2)
		a.release("c").gives(5, 0)
		c.opens(6, 0, c.tenant(100))
	}},
	{"forget forgets the holds that ended", "a hold that the account no longer knows is not counted", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.settle("a", 4).gives(4, 0)
		c.forget(c.job(10))
		a.settle("a", 3).gives(3, 0)
		a.settle("a", 3).gives(3, 0)
	}},
	{"forget forgets the holds that expired", "what is not booked any more is taken back", 0, func(c *checker) {
		a := c.expiredHold()
		c.forget(c.job(100))
		a.look(0, 0).unconfirmed(0)
		a.settle("a", 5).gives(5, 0).unconfirmed(0).own(5)
		a.release("a").gives(5, 0)
	}},
	{"the late release of an expired hold that was forgotten changes nothing", "spent becomes negative", 0, func(c *checker) {
		a := c.expiredHold()
		c.forget(c.job(100))
		a.release("a").gives(0, 0).unconfirmed(0).own(0)
	}},
	{"forget of one scope leaves the others", "a job that is run again gives its tenant a new budget", 0, func(c *checker) {
		a := c.open(c.job(10), c.tenant(10))
		a.settle("a", 4).gives(4, 0)
		c.open(c.scope(budget.Tenant, "job", 10)).settle("x", 2).gives(2, 0)
		c.forget(c.job(10))
		a.look(0, 0)
		c.opens(4, 0, c.tenant(10))
		c.opens(2, 0, c.scope(budget.Tenant, "job", 10))
		c.forget(c.tenant(10))
		c.opens(0, 0, c.tenant(10))
	}},
	{"forget starts the thresholds afresh", "a job that is run again has no alerts", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.settle("a", 5).tells(50)
		a.reserve("b", 6).fails(exceeded).tells(budget.Exceeded)
		c.forget(c.job(10))
		a.settle("c", 5).tells(50)
		a.reserve("d", 6).fails(exceeded).tells(budget.Exceeded)
	}},
	{"forget of what nobody knows changes nothing", "cleaning up is an error", 0, func(c *checker) {
		c.forget(c.job(10))
		c.forget(c.tenant(10))
		c.opens(0, 0, c.job(10))
	}},
}

var ownDuties = []duty{
	{"own is what the job itself has spent, without nested jobs", "a nested job's cost is counted twice", 0, func(c *checker) {
		a := c.open(c.job(100))
		nested := of("nested")
		a.reserve("a", 6).gives(0, 6).own(0)
		a.reserve("b", 6, nested).gives(0, 12).own(0)
		a.settle("a", 5).gives(5, 6).own(5)
		a.settle("b", 4, nested).gives(9, 0).own(5)
		a.settle("c", 3, nested).gives(12, 0).own(5)
		a.settle("d", 2).gives(14, 0).own(7)
		a.close(false)
		c.opens(14, 0, c.job(100)).look(14, 0).own(7)
	}},
	{"own follows holds that expire", "what died workers have spent belongs to nobody", 0, func(c *checker) {
		a := c.open(c.job(100))
		nested := of("nested")
		a.reserve("a", 6, floor(2), c.leased).ok()
		a.reserve("b", 6, floor(3), nested, c.leased).ok()
		a.reserve("c", 6, c.leased).ok()
		c.expire()
		a.reserve("probe", 100).fails(exceeded).gives(11, 0).own(8)
		a.settle("a", 3).gives(12, 0).own(9)
		a.settle("b", 5, nested).gives(14, 0).own(9)
		a.release("c").gives(8, 0).own(3)
	}},
}
