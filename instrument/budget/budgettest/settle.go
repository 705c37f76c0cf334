package budgettest

var settleDuties = []duty{
	{"settle below the hold frees the rest", "a budget fills up with maximum costs", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 10).gives(0, 10)
		a.settle("a", 4).gives(4, 0)
		a.reserve("b", 6).gives(4, 6)
	}},
	{"settle above the hold books all of it", "money that is gone is not counted", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 3).gives(0, 3)
		a.reserve("b", 3).gives(0, 6)
		a.settle("a", 5).gives(5, 3)
	}},
	{"settle above the limit is not refused", "money that is gone is not counted", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 10).gives(0, 10)
		a.settle("a", 25).gives(25, 0)
		a.settle("b", 5).gives(30, 0)
		a.reserve("c", 0).fails(exceeded).gives(30, 0)
	}},
	{"settle nothing ends the hold", "holds of free calls add up", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 10).gives(0, 10)
		a.settle("a", 0).gives(0, 0)
		a.reserve("b", 10).gives(0, 10)
	}},
	{"settle twice books once", "a retry books twice", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 3).gives(0, 3)
		a.settle("a", 3).gives(3, 0)
		a.settle("a", 3).gives(3, 0)
	}},
	{"settle again with another cost is an error and books nothing", "two calls with one id hide each other", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 3).gives(0, 3)
		a.settle("a", 3).gives(3, 0)
		a.settle("a", 4).fails(conflict)
		a.settle("a", 0).fails(conflict)
		a.look(3, 0)
	}},
	{"settle what nobody reserved books it, once", "a cost without a call, or whose hold was lost, is not counted", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.settle("a", 3).gives(3, 0)
		a.settle("a", 3).gives(3, 0)
		a.settle("a", 4).fails(conflict)
		a.look(3, 0)
	}},
}

var releaseDuties = []duty{
	{"release frees the hold", "calls that were never sent use up the budget", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 10).gives(0, 10)
		a.release("a").gives(0, 0)
		a.reserve("b", 10).gives(0, 10)
	}},
	{"release twice frees once", "a retry frees what another call holds", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 3).gives(0, 3)
		a.reserve("b", 3).gives(0, 6)
		a.release("a").gives(0, 3)
		a.release("a").gives(0, 3)
	}},
	{"release what nobody knows changes nothing", "the release of a call whose Reserve never arrived is an error", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 3).gives(0, 3)
		a.release("b").gives(0, 3)
	}},
	{"release after settle gives nothing back", "money that is gone comes back", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 3).gives(0, 3)
		a.settle("a", 3).gives(3, 0)
		a.release("a").gives(3, 0)
		a.settle("a", 3).gives(3, 0)
	}},
	{"settle after release books it, once", "a call that cost something after all is not counted", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 3).gives(0, 3)
		a.release("a").gives(0, 0)
		a.settle("a", 3).gives(3, 0)
		a.settle("a", 3).gives(3, 0)
		a.settle("a", 4).fails(conflict)
		a.look(3, 0)
	}},
}
