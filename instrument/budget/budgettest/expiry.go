package budgettest

var expiryDuties = []duty{
	{"an expired hold books its floor, unconfirmed", "a worker that died holds its budget for ever, or frees what it has spent", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 6, floor(2), c.leased).gives(0, 6).unconfirmed(0)
		c.expire()
		a.reserve("b", 9).fails(exceeded).gives(2, 0).unconfirmed(2)
		a.reserve("c", 8).gives(2, 8).unconfirmed(2)
	}},
	{"an expired hold without a floor books its amount", "a worker that died has spent less than it may have", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 6, c.leased).gives(0, 6)
		c.expire()
		a.reserve("b", 5).fails(exceeded).gives(6, 0).unconfirmed(6)
		a.reserve("c", 4).gives(6, 4)
	}},
	{"a floor above the amount is booked all the same", "a call without a maximum, whose worker died, counts as 0", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 0, floor(4), c.leased).gives(0, 0)
		c.expire()
		a.reserve("b", 11).fails(exceeded).gives(4, 0).unconfirmed(4)
	}},
	{"a refusal comes after the expired holds are swept", "a budget stays full of the calls of workers that died", 0, func(c *checker) {
		a := c.open(c.job(10))
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			a.reserve(id, 2, floor(1), c.leased).ok()
		}
		a.reserve("f", 1).fails(exceeded).gives(0, 10)
		c.expire()
		a.reserve("f", 5).gives(5, 5).unconfirmed(5)
	}},
	{"a hold lives until its lease is over", "a call that takes its time is booked twice", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 6, floor(2), c.leased).gives(0, 6)
		c.advance(c.store.Lease / 2)
		a.reserve("b", 5).fails(exceeded).gives(0, 6).unconfirmed(0)
		c.told(0, 0)
	}},
	{"a hold without a lease never expires", "a call of hours is booked twice", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 6).gives(0, 6)
		c.expire()
		c.expire()
		a.reserve("b", 5).fails(exceeded).gives(0, 6)
		c.told(0, 0)
	}},
	{"what ended does not expire", "calls that are over are booked again", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 6, c.leased).gives(0, 6)
		a.reserve("b", 2, c.leased).gives(0, 8)
		a.settle("a", 1).gives(1, 2)
		a.release("b").gives(1, 0)
		c.expire()
		a.reserve("c", 10).fails(exceeded).gives(1, 0).unconfirmed(0)
		c.told(0, 0)
	}},
	{"each hold has a lease of its own", "a new hold renews the old ones", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 3, floor(1), c.leased).gives(0, 3)
		c.advance(c.store.Lease * 3 / 4)
		a.reserve("b", 3, floor(1), c.leased).gives(0, 6)
		c.advance(c.store.Lease / 2)
		a.reserve("c", 8).fails(exceeded).gives(1, 3).unconfirmed(1)
	}},
	{"a retry does not renew the lease", "a client that retries holds for ever", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 3, floor(1), c.leased).gives(0, 3)
		c.advance(c.store.Lease * 3 / 4)
		a.reserve("a", 3, floor(1), c.leased).gives(0, 3)
		c.advance(c.store.Lease / 2)
		a.reserve("b", 10).fails(exceeded).gives(1, 0)
	}},
	{"reserve again does not revive an expired hold", "a late retry leaves a hold that nobody ends", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 3, floor(1), c.leased).gives(0, 3)
		c.expire()
		a.reserve("b", 10).fails(exceeded).gives(1, 0)
		a.reserve("a", 3, floor(1), c.leased) // whatever it answers
		a.look(1, 0)
	}},
	{"each expired hold is told of once", "what workers that died have spent is counted twice, or never", 0, func(c *checker) {
		a, b := c.open(c.job(100)), c.openBy(c.store.Open(), c.job(100))
		a.reserve("a", 6, floor(2), c.leased).gives(0, 6)
		b.reserve("b", 5, c.leased).gives(0, 11)
		c.expire()
		a.reserve("c", 100).fails(exceeded).gives(7, 0)
		b.reserve("d", 100).fails(exceeded).gives(7, 0)
		a.settle("a", 3).gives(8, 0)
		b.release("b").gives(3, 0)
		c.told(2, 7)
	}},
	{"open counts what expired, sooner or later", "a job that comes back spends again what is gone", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 6, floor(2), c.leased).gives(0, 6)
		c.expire()
		a = c.open(c.job(10))
		a.reserve("b", 9).fails(exceeded).gives(2, 0).unconfirmed(2)
		c.told(1, 2)
	}},
}

// expired opens a job with limit 100 that has spent 10, and has a hold "a" of 6 with floor 2, which
// is expired.
func (c *checker) expiredHold() *account {
	a := c.open(c.job(100))
	a.settle("before", 10).gives(10, 0)
	a.reserve("a", 6, floor(2), c.leased).gives(10, 6)
	c.expire()
	a.reserve("probe", 100).fails(exceeded).gives(12, 0).unconfirmed(2)
	return a
}

var lateDuties = []duty{
	{"a late settle that cost more books the difference", "what was booked on expiry is booked again", 0, func(c *checker) {
		a := c.expiredHold()
		a.settle("a", 5).gives(15, 0).unconfirmed(0)
		a.settle("a", 5).gives(15, 0).unconfirmed(0)
		a.settle("a", 4).fails(conflict)
		a.look(15, 0)
	}},
	{"a late settle that cost less takes the difference back", "a call that ended late is overpaid for ever", 0, func(c *checker) {
		a := c.expiredHold()
		a.settle("a", 1).gives(11, 0).unconfirmed(0)
		a.settle("a", 1).gives(11, 0).unconfirmed(0)
		a.reserve("b", 89).gives(11, 89)
	}},
	{"a late settle of what was booked confirms it", "unconfirmed money never goes away", 0, func(c *checker) {
		a := c.expiredHold()
		a.settle("a", 2).gives(12, 0).unconfirmed(0)
		a.release("a").gives(12, 0).unconfirmed(0)
	}},
	{"a late release takes back what was booked", "a call that was never sent is paid", 0, func(c *checker) {
		a := c.expiredHold()
		a.release("a").gives(10, 0).unconfirmed(0)
		a.release("a").gives(10, 0).unconfirmed(0)
		a.settle("a", 3).gives(13, 0).unconfirmed(0)
	}},
	{"a settle after the lease, before a sweep, books its cost", "a hold that nobody swept is booked twice", 0, func(c *checker) {
		a := c.open(c.job(100))
		a.reserve("a", 6, floor(2), c.leased).gives(0, 6)
		a.reserve("b", 6, floor(2), c.leased).gives(0, 12)
		c.expire()
		a.settle("a", 5).ok()
		a.release("b").ok()
		a.reserve("probe", 100).fails(exceeded).gives(5, 0).unconfirmed(0)
	}},
}
