package budgettest

import (
	"math"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// Amounts that no ledger may book.
var badAmounts = []money.USD{-1, money.Dollars(math.NaN()), money.Dollars(math.Inf(1)), money.Unlimited}

var amountDuties = []duty{
	{"no hold of an invalid amount", "an error of a program becomes a hold", 0, func(c *checker) {
		a := c.open(c.job(10))
		for _, bad := range badAmounts {
			a.reserve("a", bad).fails(invalid)
			a.reserve("a", 3, floor(bad)).fails(invalid)
		}
		a.look(0, 0)
		a.reserve("a", 3).gives(0, 3)
	}},
	{"no booking of an invalid amount", "an error of a program becomes a cost", 0, func(c *checker) {
		a := c.open(c.job(10))
		a.reserve("a", 3).gives(0, 3)
		for _, bad := range badAmounts {
			a.settle("a", bad).fails(invalid)
		}
		a.look(0, 3)
		a.settle("a", 3).gives(3, 0)
	}},
	{"exact to the nano-dollar", "sums drift from the invoice", 0, func(c *checker) {
		a := c.open(c.job(1_000_000 * dollar))
		a.settle("a", 999_999*dollar).gives(999_999*dollar, 0)
		a.settle("b", 1).gives(999_999*dollar+1, 0)
		a.reserve("c", dollar).fails(exceeded).gives(999_999*dollar+1, 0)
		a.reserve("c", dollar-1).gives(999_999*dollar+1, dollar-1)
	}},
	// A ledger may refuse a sum that it cannot hold, stop at its largest, or be larger.
	{"sums beyond the range do not wrap around", "a huge cost becomes a refund", 0, func(c *checker) {
		const large = unlimited / 3 * 2
		a := c.open(c.job(unlimited))
		var spent money.USD
		look := func() {
			b := a.release("nobody").ok().b
			if b.Spent < spent || b.Held < 0 || b.Own < 0 || b.Unconfirmed < 0 {
				c.fail("balance %s, unconfirmed %s, after %s was spent", show(b), nano(b.Unconfirmed), nano(spent))
			}
			spent = b.Spent
		}
		for _, id := range []string{"a", "b", "c"} {
			a.reserve(id, large, c.leased) // whatever it answers
			look()
		}
		c.expire()
		for range 2 {
			a.reserve("free", 0, free, c.leased)
			look()
		}
		for _, id := range []string{"d", "e", "f"} {
			a.settle(id, large)
			look()
		}
	}},
}
