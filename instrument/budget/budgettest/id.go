package budgettest

import (
	"strings"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// hostile returns ids that a ledger must keep apart: separators and hash tags of key-value stores,
// ends of lines and strings, patterns, bytes that are not UTF-8, and 10 KB.
func hostile() []string {
	long := strings.Repeat("x", 10<<10)
	return []string{
		"{}", "{a}", "{b}", "{", "}", "a:b", "a", "a\n", "a\r\n", "a\x00", "a\x00b", " a", "a ", "A", "*", "?", "[a]",
		"a'b", `a"b`, "$(a)", "../a", "%s%n", "é", "e\u0301", "🎬", "\xff", "\xfe", long, long + "y", long + "z",
	}
}

var idDuties = []duty{
	{"ids may be anything", "a job with an odd name has no budget", 0, func(c *checker) {
		ids := []string{""}
		for _, h := range hostile() {
			ids = append(ids, c.prefix+h, h+c.prefix)
		}
		for _, id := range ids {
			for _, kind := range []budget.Kind{budget.Job, budget.Tenant} {
				s := budget.Scope{Kind: kind, ID: id, Limit: unlimited}
				c.done = []string{}
				c.note("%s %.80q", kind, id)
				a, r := c.tryOpen(c.ledger, s)
				before := r.ok().b
				a.settle("hold-"+uniqueID(), 3).gives(money.Sum(before.Spent, 3), before.Held).own(money.Sum(before.Own, 3))
				a.close(false)
			}
		}
	}},
	{"ids of holds, jobs and APIs may be anything", "a call with an odd name is not counted", 0, func(c *checker) {
		a := c.open(c.job(unlimited))
		for i, id := range append(hostile(), "") {
			c.done = []string{}
			h := budget.Hold{ID: id, Job: id, API: id, Attempt: -i, Amount: money.USD(i)}
			c.note("reserve hold %.80q", id)
			_, err := a.Account.Reserve(c.ctx, h)
			c.noError(err)
		}
		for i, id := range append(hostile(), "") {
			c.note("settle hold %.80q", id)
			_, err := a.Account.Settle(c.ctx, budget.Hold{ID: id, Job: id, API: id}, money.USD(i))
			c.noError(err)
		}
		n := len(hostile())
		a.look(money.USD(n*(n+1)/2), 0)
	}},
	{"jobs do not touch each other", "a job spends another's budget", 0, func(c *checker) {
		accounts := make(map[string]*account)
		for _, id := range hostile() {
			accounts[id] = c.open(c.scope(budget.Job, id, unlimited))
		}
		for i, id := range hostile() {
			c.done = []string{}
			c.note("job …%.80q", id)
			accounts[id].settle("hold", money.USD(i)).ok()
		}
		for i, id := range hostile() {
			c.done = []string{}
			c.note("job …%.80q", id)
			accounts[id].look(money.USD(i), 0)
		}
	}},
}
