package budgettest

import "github.com/stagemeter/stagemeter/instrument/money"

var closeDuties = []duty{
	{"an account lives as long as one of its opens", "an attempt loses the budget when another ends", 0, func(c *checker) {
		for _, final := range []bool{false, true} {
			s := c.scope("job", map[bool]string{false: "kept", true: "final"}[final], 10)
			first, second := c.open(s), c.open(s)
			first.settle("a", 6).gives(6, 0)
			second.look(6, 0)
			first.close(final)
			second.look(6, 0)
			third := c.opens(6, 0, s)
			second.close(final)
			third.look(6, 0)
			third.close(final)
		}
	}},
	{"a close that is tried again ends one open", "an answer that was lost costs another attempt its budget", 0, func(c *checker) {
		s := c.job(10)
		first, second := c.open(s), c.open(s)
		first.settle("a", 6).gives(6, 0)
		first.close(true)
		first.close(true)
		second.look(6, 0)
		second.close(true)
	}},
	{"a job is opened again after its end", "a job that is redelivered has no budget", 0, func(c *checker) {
		for range 3 {
			a, r := c.tryOpen(c.ledger, c.job(unlimited))
			before := r.ok().b.Spent
			a.settle("hold-"+uniqueID(), 6).gives(money.Sum(before, 6), 0)
			a.close(true)
		}
	}},
	{"a close that is not final keeps the account", "five attempts of a $1 job spend $5", 0, func(c *checker) {
		first := c.open(c.scope("job", "first", 10))
		first.settle("a", 6).gives(6, 0)
		first.close(false)
		c.opens(6, 0, first.scopes...)
		a := c.open(c.job(10), c.tenant(10))
		a.reserve("under way", 1).gives(0, 1)
		a.reserve("settled", 3).gives(0, 4)
		a.settle("settled", 5).gives(5, 1).tellsOf("job 50", "tenant 50")
		a.close(false)
		a = c.opens(5, 1, c.job(10), c.tenant(10))
		a.settle("settled", 5).gives(5, 1)
		a.settle("settled", 6).fails(conflict)
		a.reserve("under way", 1).gives(5, 1)
		a.reserve("new", 5).fails(exceeded).gives(5, 1)
		a.settle("under way", 1).gives(6, 0).tellsOf()
	}},
	{"what expired after a close is kept", "an attempt whose worker died costs nothing", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 6, floor(2), c.leased).gives(0, 6)
		a.close(false)
		c.expire()
		a = c.open(c.job(10))
		a.reserve("b", 9).fails(exceeded).gives(2, 0).unconfirmed(2)
		a.settle("a", 3).gives(3, 0).unconfirmed(0)
	}},
	{"a hold ends after its account is closed", "a call that outlives its job is not counted", 0, func(c *checker) {
		a := c.open(c.job(10), c.tenant(10))
		a.reserve("a", 6).gives(0, 6)
		a.reserve("b", 2).gives(0, 8)
		a.close(false)
		a.settle("a", 4).ok()
		a.release("b").ok()
		c.opens(4, 0, c.job(10))
		c.opens(4, 0, c.tenant(10))
	}},
	{"a final close keeps the account while a hold is under way", "a call that outlives its job is not counted", 0, func(c *checker) {
		a := c.open(c.job(10), c.tenant(10))
		a.reserve("a", 6).gives(0, 6)
		a.close(true)
		b := c.opens(0, 6, c.job(10))
		a.settle("a", 4).ok()
		b.look(4, 0)
		c.opens(4, 0, c.tenant(10))
	}},
	{"a final close ends the job, and no other scope", "each job gives its tenant a new budget", 0, func(c *checker) {
		a := c.open(c.job(10), c.tenant(10))
		a.settle("a", 6).gives(6, 0)
		a.close(true)
		c.opens(6, 0, c.tenant(10))
	}},
}
