package budgettest

var reserveDuties = []duty{
	{"reserve up to the limit and no more", "a budget that is checked loosely is overspent", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 6).gives(0, 6)
		a.reserve("b", 5).fails(exceeded).gives(0, 6)
		a.reserve("c", 4).gives(0, 10)
		a.reserve("d", 1).fails(exceeded).gives(0, 10)
	}},
	{"a refusal holds nothing", "a call that was not made blocks the next", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 11).fails(exceeded).gives(0, 0)
		a.reserve("a", 11).fails(exceeded).gives(0, 0)
		a.reserve("a", 10).gives(0, 10)
	}},
	{"what was spent counts against the limit", "the limit bounds only what is under way", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.settle("a", 7).gives(7, 0)
		a.reserve("b", 4).fails(exceeded).gives(7, 0)
		a.reserve("c", 3).gives(7, 3)
	}},
	{"without a maximum a call passes while anything is left", "a call whose cost is not known is never or always refused", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.settle("a", 9).gives(9, 0)
		a.reserve("b", 0).gives(9, 0)
		a.settle("b", 1).gives(10, 0)
		a.reserve("c", 0).fails(exceeded).gives(10, 0)
	}},
	{"what is only held is not left either", "calls without a maximum overspend beside those with one", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 10).gives(0, 10)
		a.reserve("b", 0).fails(exceeded).gives(0, 10)
		a.release("a").gives(0, 0)
		a.reserve("b", 0).gives(0, 0)
	}},
	{"a free hold passes an exhausted budget", "a job cannot even ask a cache", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.settle("a", 12).gives(12, 0)
		a.reserve("b", 0).fails(exceeded).gives(12, 0)
		a.reserve("c", 0, free).gives(12, 0)
		a.settle("c", 0).gives(12, 0)
		a = c.open(c.scope("job", "refuses all", 0))
		a.reserve("a", 0, free).gives(0, 0)
		a.release("a").gives(0, 0)
	}},
	{"a free hold of an amount has to fit", "the word free opens every budget", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 11, free).fails(exceeded).gives(0, 0)
		a.reserve("a", 10, free).gives(0, 10)
	}},
	{"reserve twice holds once", "a retry holds twice", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 6).gives(0, 6)
		a.reserve("a", 6).gives(0, 6)
		a.reserve("a", 7).fails(conflict)
		a.look(0, 6)
		a.settle("a", 6).gives(6, 0)
	}},
	{"reserve again after the end holds nothing", "a late retry leaves a hold that nobody ends", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 6).gives(0, 6)
		a.settle("a", 6).gives(6, 0)
		a.reserve("a", 3) // whatever it answers
		a.look(6, 0)
		a.reserve("b", 2).gives(6, 2)
		a.release("b").gives(6, 0)
		a.reserve("b", 2)
		a.look(6, 0)
	}},
}
