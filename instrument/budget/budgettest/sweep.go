package budgettest

import (
	"fmt"

	"github.com/stagemeter/stagemeter/instrument/budget"
)

const (
	abandoned = 2_500 // holds that expire at once: more than two operations may sweep
	maxSweep  = 1_000 // holds that an operation may sweep which need not make room
)

var sweepDuties = []duty{
	{"an operation that need not make room sweeps a bounded number", "the first call after a machine died waits for all of its holds", 0, func(c *checker) {
		a := c.abandon()
		last := c.expired
		for i := range 50 {
			a.reserve(fmt.Sprint("small-", i), 1, c.leased).ok()
			a.settle(fmt.Sprint("small-", i), 0).ok()
			if n := c.expired.Holds - last.Holds; n > 2*maxSweep {
				c.fail("two operations with room have swept %d expired holds, want at most %d each", n, maxSweep)
			}
			last = c.expired
		}
	}},
	{"no refusal while expired holds could make room", "a budget stays full of the calls of a machine that died", 0, func(c *checker) {
		a := c.abandon()
		// Fits only when the very last hold is expired.
		a.reserve("large", abandoned, c.leased).gives(abandoned, abandoned).unconfirmed(abandoned)
		c.told(abandoned, abandoned)
	}},
	{"expired holds of other accounts over a scope make room", "the tenant's budget stays full of the calls of jobs that died", 0, func(c *checker) {
		dead := c.open(c.scope("job", "dead", 100), c.tenant(10))
		dead.reserve("a", 10, floor(3), c.leased).ok()
		c.expire()
		a := c.open(c.job(100), c.tenant(10))
		a.reserve("b", 7).gives(0, 7)
		c.told(1, 3)
		dead.reserve("probe", 100).fails(exceeded).gives(3, 0).unconfirmed(3)
	}},
}

// abandon opens a job with room for as many holds of 2 as expire with a floor of 1, and leaves that many
// to expire.
func (c *checker) abandon() *account {
	a := c.open(c.job(2 * abandoned))
	c.note("reserve %d holds of 2n with floor 1n", abandoned)
	answers := make([]budget.Balance, abandoned)
	c.noError(parallel(100, func(g int) error {
		for i := g; i < abandoned; i += 100 {
			var err error
			if answers[i], err = a.Account.Reserve(c.ctx, a.hold(fmt.Sprint("hold-", i), 2, floor(1), c.leased)); err != nil {
				return err
			}
		}
		return nil
	}))
	for _, b := range answers { // a lease may be over before the last hold is there
		a.answer(b, nil)
	}
	c.expire()
	return a
}
