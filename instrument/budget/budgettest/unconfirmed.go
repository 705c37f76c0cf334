package budgettest

import "github.com/stagemeter/stagemeter/instrument/budget"

var unconfirmedDuties = []duty{
	{"a cost that is not known is booked, unconfirmed", "a cost that nobody knows counts as one that is known", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 6).gives(0, 6).unconfirmed(0)
		a.settle("a", 6, unconfirmed(6)).gives(6, 0).unconfirmed(6)
		a.reserve("b", 5).fails(exceeded).gives(6, 0).unconfirmed(6)
		a.reserve("c", 4).gives(6, 4).unconfirmed(6)
	}},
	{"a part of a cost may be unconfirmed", "what is known of a cost counts as not known", 0, func(c *checker) {
		a := c.open(c.job(100))
		a.reserve("a", 10).gives(0, 10)
		a.settle("a", 14, unconfirmed(10)).gives(14, 0).unconfirmed(10)
		a.settle("a", 7).gives(7, 0).unconfirmed(0)
	}},
	{"no more of a cost is unconfirmed than there is", "an error of a program makes a known cost unknown", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 3).gives(0, 3)
		for _, bad := range append(badAmounts, 4) {
			a.settle("a", 3, unconfirmed(bad)).fails(invalid)
		}
		a.look(0, 3).unconfirmed(0)
		a.settle("a", 3, unconfirmed(3)).gives(3, 0).unconfirmed(3)
	}},
	{"settle unconfirmed twice books once", "a retry books twice", 0, func(c *checker) {
		a := c.open(c.job(100))
		a.reserve("a", 6).gives(0, 6)
		a.settle("a", 6, unconfirmed(4)).gives(6, 0).unconfirmed(4)
		a.settle("a", 6, unconfirmed(4)).gives(6, 0).unconfirmed(4)
		a.settle("a", 7, unconfirmed(4)).fails(conflict)
		a.settle("a", 6, unconfirmed(5)).fails(conflict)
		a.look(6, 0).unconfirmed(4)
	}},
	{"settle unconfirmed what nobody reserved books it, once", "a cost whose hold was lost is not counted", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.settle("a", 3, unconfirmed(3)).gives(3, 0).unconfirmed(3)
		a.settle("a", 3, unconfirmed(3)).gives(3, 0).unconfirmed(3)
		a.settle("a", 2).gives(2, 0).unconfirmed(0)
	}},
	{"a later settle confirms, and applies the difference", "a cost that is told later is booked twice, or never", 0, func(c *checker) {
		a := c.open(c.job(100))
		for _, id := range []string{"less", "more", "same"} {
			a.reserve(id, 6).ok()
			a.settle(id, 6, unconfirmed(6)).ok()
		}
		a.look(18, 0).unconfirmed(18)
		a.settle("less", 1).gives(13, 0).unconfirmed(12)
		a.settle("more", 9).gives(16, 0).unconfirmed(6)
		a.settle("same", 6).gives(16, 0).unconfirmed(0)
		a.settle("less", 1).gives(16, 0).unconfirmed(0)
		a.settle("more", 6).fails(conflict)
		a.release("same").gives(16, 0).unconfirmed(0)
	}},
	{"a later release takes back what was unconfirmed", "a call that cost nothing is paid", 0, func(c *checker) {
		a := c.open(c.job(100))
		a.settle("before", 10).gives(10, 0)
		a.reserve("a", 6).gives(10, 6)
		a.settle("a", 6, unconfirmed(6)).gives(16, 0).unconfirmed(6)
		a.release("a").gives(10, 0).unconfirmed(0)
		a.release("a").gives(10, 0).unconfirmed(0)
	}},
	{"what is confirmed stays confirmed", "a late retry makes a cost unknown again", 0, func(c *checker) {
		a := c.open(c.job(100))
		for _, id := range []string{"a", "b"} {
			a.reserve(id, 6).ok()
			a.settle(id, 6, unconfirmed(6)).ok()
		}
		a.settle("a", 3).gives(9, 0).unconfirmed(6)
		a.release("b").gives(3, 0).unconfirmed(0)
		a.settle("a", 6, unconfirmed(6)).gives(3, 0).unconfirmed(0)
		a.settle("b", 6, unconfirmed(6)).gives(3, 0).unconfirmed(0)
	}},
	{"a hold that expired may be settled unconfirmed", "a late call of unknown cost counts as its least", 0, func(c *checker) {
		a := c.expiredHold()
		a.settle("a", 6, unconfirmed(6)).gives(16, 0).unconfirmed(6)
		a.settle("a", 1).gives(11, 0).unconfirmed(0)
	}},
	{"a cost is unconfirmed in all scopes", "what one budget shows is not what is known", 0, func(c *checker) {
		a := c.open(c.job(100), c.tenant(100))
		a.reserve("a", 6).gives(0, 6)
		a.settle("a", 6, unconfirmed(5)).gives(6, 0).unconfirmed(5)
		a.close(false) // so that slices are booked
		tenant := c.open(c.tenant(100))
		tenant.look(6, 0).unconfirmed(5)
	}},
	{"a cost is confirmed after its account was closed", "what was not known stays unconfirmed for ever", 0, func(c *checker) {
		a := c.open(c.job(100), c.tenant(100))
		a.reserve("a", 6).gives(0, 6)
		a.settle("a", 6, unconfirmed(6)).gives(6, 0).unconfirmed(6)
		a.close(false)
		a = c.open(c.job(100), c.tenant(100))
		a.settle("a", 2).gives(2, 0).unconfirmed(0)
		c.open(c.tenant(100)).look(2, 0).unconfirmed(0)
	}},
	{"a cost is confirmed in the window that it was booked in", "a cost that is told after midnight is taken back from the new day", advance, func(c *checker) {
		a := c.open(c.scope(budget.Day, "tenant", 100))
		a.reserve("a", 6).gives(0, 6)
		a.settle("a", 6, unconfirmed(6)).gives(6, 0).unconfirmed(6)
		c.advance(day)
		a.settle("b", 5, unconfirmed(5)).gives(5, 0).unconfirmed(5)
		a.settle("a", 9).gives(5, 0).unconfirmed(5)
	}},
	{"forget forgets what is unconfirmed", "an account that starts afresh gets money back", 0, func(c *checker) {
		a := c.open(c.job(10))
		for _, id := range []string{"a", "b"} {
			a.reserve(id, 3).ok()
			a.settle(id, 3, unconfirmed(3)).ok()
		}
		c.forget(c.job(10))
		a.look(0, 0).unconfirmed(0)
		a.settle("c", 5, unconfirmed(5)).gives(5, 0).unconfirmed(5)
		a.release("a").gives(5, 0).unconfirmed(5)
		a.settle("b", 3).gives(8, 0).unconfirmed(5)
	}},
	{"own follows costs that are unconfirmed", "what a job itself has spent is not what it was", 0, func(c *checker) {
		a := c.open(c.job(100))
		a.settle("a", 6, unconfirmed(6)).own(6)
		a.settle("b", 3, unconfirmed(3), of("nested")).own(6).unconfirmed(9)
		a.settle("a", 4).own(4)
		a.settle("b", 2, of("nested")).own(4).gives(6, 0).unconfirmed(0)
	}},
	{"what an unconfirmed cost reaches is told, once", "a budget that unknown costs used up is used up in silence", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.settle("a", 5, unconfirmed(5)).tells(50)
		a.settle("a", 1).gives(1, 0).tells()
		a.settle("b", 7, unconfirmed(7)).gives(8, 0).tells(80)
	}},
	{"a settle unconfirmed whose answer is lost is done once", "an outage multiplies costs", 0, func(c *checker) {
		a := c.openBy(losing(c.ledger), c.job(100))
		a.reserve("a", 6).fails(budget.ErrUnavailable)
		a.settle("a", 6, unconfirmed(6)).fails(budget.ErrUnavailable)
		a.settle("a", 6, unconfirmed(6)).gives(6, 0).unconfirmed(6)
		a.settle("a", 2).gives(2, 0).unconfirmed(0)
	}},
	{"what one handle settles unconfirmed another confirms", "a cost that another machine hears of is booked twice", 0, func(c *checker) {
		a, b := c.open(c.job(100)), c.openBy(c.store.Open(), c.job(100))
		a.reserve("a", 6).gives(0, 6)
		a.settle("a", 6, unconfirmed(6)).gives(6, 0).unconfirmed(6)
		b.settle("a", 4).gives(4, 0).unconfirmed(0)
		a.look(4, 0).unconfirmed(0)
	}},
}
