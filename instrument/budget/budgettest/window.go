package budgettest

import (
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

const day = 24 * time.Hour

var windowDuties = []duty{
	{"a day starts afresh, once in 24 hours of the store's clock", "a budget of a day is one of for ever, or of an hour", advance, func(c *checker) {
		a := c.open(c.scope(budget.Day, "tenant", 1000))
		fresh, before := 0, money.USD(0)
		for i := range 49 { // 48 hours and the moment after
			b := a.settle(uniqueID(), 1).ok().b
			switch b.Spent {
			case money.Sum(before, 1):
			case 1:
				fresh++
			default:
				c.fail("hour %d: balance %s after %s was spent", i, show(b), nano(before))
			}
			before = b.Spent
			c.store.Advance(time.Hour)
		}
		if fresh != 2 {
			c.fail("in 48 hours the day started afresh %d times, want 2", fresh)
		}
	}},
	{"a month starts afresh, and not with each day", "a budget of a month is one of a day, or of for ever", advance, func(c *checker) {
		month := c.open(c.scope(budget.Month, "tenant", 1000))
		before, fresh := money.USD(0), 0
		for range 62 {
			b := month.settle(uniqueID(), 1).ok().b
			if b.Spent == 1 {
				fresh++
			} else if b.Spent != money.Sum(before, 1) {
				c.fail("balance %s after %s was spent", show(b), nano(before))
			}
			before = b.Spent
			c.store.Advance(day)
		}
		if fresh < 2 || fresh > 4 { // with the first
			c.fail("in 62 days the month started afresh %d times, want 2 or 3", fresh-1)
		}
	}},
	{"a hold stays in the window that it was reserved in", "a call over midnight frees what the new day has not held", advance, func(c *checker) {
		a := c.open(c.job(100), c.scope(budget.Day, "tenant", 10))
		today := c.open(c.scope(budget.Day, "tenant", 10))
		a.reserve("a", 6).gives(0, 6)
		a.reserve("b", 3).gives(0, 9)
		today.look(0, 9)
		c.advance(day)
		today.look(0, 0)
		a.reserve("c", 10).gives(0, 19)
		a.settle("a", 5).gives(5, 13)
		a.release("b").gives(5, 10)
		today.look(0, 10)
		a.settle("a", 5).gives(5, 10)
		today.look(0, 10)
	}},
	{"an account over a day alone keeps its holds over midnight", "a retry after midnight books twice", advance, func(c *checker) {
		a := c.open(c.scope(budget.Day, "tenant", 10))
		a.reserve("a", 6).gives(0, 6)
		a.settle("b", 2).gives(2, 6)
		c.advance(day)
		a.reserve("a", 6).gives(0, 0)
		a.settle("b", 2).gives(0, 0)
		a.settle("a", 3).gives(0, 0)
		a.reserve("c", 10).gives(0, 10)
	}},
	{"a limit outlasts the day, and thresholds do not", "tomorrow has no budget, or its alert stays away", advance, func(c *checker) {
		a := c.open(c.scope(budget.Day, "tenant", 10))
		a.settle("a", 5).gives(5, 0).tellsOf("day 50")
		a.settle("b", 1).gives(6, 0).tellsOf()
		c.advance(day)
		a.settle("c", 5).gives(5, 0).tellsOf("day 50")
		a.reserve("d", 6).refusedBy(a.scopes[0], 5, 0)
	}},
	{"a job and a tenant outlast the month", "a redelivered job spends its budget again", advance, func(c *checker) {
		a := c.open(c.job(10), c.tenant(10))
		a.settle("a", 5).gives(5, 0)
		c.advance(32 * day)
		a.settle("b", 1).gives(6, 0)
		c.opens(6, 0, c.tenant(10))
	}},
}
