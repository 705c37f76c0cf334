package trial

import (
	"context"
	"fmt"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
)

const reserveUnpriced = 5e7 // nano-dollars, of the policy reserve

// A callBook is what the books keep of one paid call.
type callBook struct {
	api  string
	call *instrument.Call
	job  *jobBook
	over *over
	hold *hold // nil if no budget was asked

	max, min int64 // -1: none
	free     bool
	unknown  string // the reason of WithUnknownCost
	before   bool   // the context was over before
	invalid  bool   // an amount that is none came
	said     string // cost or unpriced, whichever came last
	cost     int64
	reason   string
}

// callOptions chooses what a call says beforehand.
func (p *program) callOptions(c *callBook) []instrument.CallOption {
	var opts []instrument.CallOption
	c.max, c.min = -1, -1
	if p.oneIn(2) {
		c.max = p.rnd.Int64N(4e8)
		opts = append(opts, instrument.WithMaxCost(money.USD(c.max)))
	} else if p.oneIn(10) {
		opts = append(opts, instrument.WithMaxCost(-1))
		p.b.invalid("cost", "negative")
		c.invalid = true
	}
	if p.oneIn(3) {
		c.min = p.rnd.Int64N(1e8)
		opts = append(opts, instrument.WithMinCost(money.USD(c.min)))
	}
	if p.oneIn(5) {
		c.unknown = pick(p, "unknown_model", "no_table")
		opts = append(opts, instrument.WithUnknownCost(c.unknown))
	}
	if p.oneIn(6) {
		c.free = true
		opts = append(opts, instrument.Free())
	}
	return opts
}

// limited reports whether the job, or one around it, was given a budget that is not Unlimited.
func (j *jobBook) limited() bool {
	for ; j != nil; j = j.parent {
		if j.given {
			return true
		}
	}
	return false
}

// ask asks the budgets, and reports whether they refuse the call.
func (p *program) ask(c *callBook) (refused bool) {
	if c.job == nil || len(c.job.accounts) == 0 {
		return false
	}
	amount := max(c.max, 0)
	isUnknown := c.max < 0 && !c.free && (c.unknown != "" || c.invalid)
	if isUnknown && c.job.limited() {
		switch p.policy {
		case "deny":
			return true
		case "reserve":
			amount = reserveUnpriced
		}
	}
	if c.free {
		amount = 0
	}
	var no *account
	floor := int64(0)
	if !c.free {
		floor = max(c.min, 0)
	}
	c.hold, no = p.reserve(c.job.accounts, c.job.named(), amount, floor, c.free, time.Hour)
	return no != nil
}

func (p *program) call(s scope) (f failure) {
	c := &callBook{api: pick(p, "whisper", "openai"), job: s.job}
	opts := p.callOptions(c)
	in := p.within(s)
	if p.oneIn(8) {
		in.cancel()
	}
	c.over = in.over
	c.before = in.over.why() != nil
	refused := p.ask(c)
	ctx, call, err := instrument.StartCall(in.ctx, c.api, opts...)
	c.call = call
	if refused {
		p.b.add(1, "api_calls_total", "api", c.api, "status", "refused")
	}
	p.note("start call %s of %s max=%d unknown=%q free=%v: refused=%v, product says %v", c.api, c.jobID(), c.max, c.unknown, c.free, refused, err)
	if got := err != nil; got != refused {
		p.b.add(1, "calls refused against the books")
	}
	if err != nil {
		return single(err, kind{word: "budget_exceeded", row: 1, own: true, free: true})
	}
	if c.job != nil {
		c.job.calls++
	}
	if instrument.CallFromContext(ctx) != call {
		panic("another call in the context")
	}
	time.Sleep(time.Duration(p.rnd.IntN(2))*time.Second + time.Duration(1+p.rnd.IntN(999))*time.Microsecond)
	if p.oneIn(8) {
		in.cancel()
	}
	for range p.rnd.IntN(3) {
		p.say(c)
	}
	if p.oneIn(8) {
		p.late = append(p.late, c)
		return failure{}
	}
	f = p.failure()
	p.endCall(c, f, false)
	return f
}

// say says of a call what it has cost, or that nobody knows.
func (p *program) say(c *callBook) {
	switch p.rnd.IntN(6) {
	case 0:
		c.call.SetCost(-1)
		p.b.invalid("cost", "negative")
		c.invalid = true
	case 1, 2:
		c.reason = pick(p, "no_usage", "other_currency")
		c.said = "unpriced"
		c.call.SetUnpriced(c.reason)
	default:
		c.cost = p.rnd.Int64N(3e8)
		c.said = "cost"
		c.call.SetCost(money.USD(c.cost))
	}
}

// endCall ends a call, in the program and in the books.
func (p *program) endCall(c *callBook, f failure, crashed bool) {
	if !crashed {
		c.call.End(&f.err)
	}
	over := c.over.why()
	statusOf, word := callStatus(over, f)
	p.b.add(1, "api_calls_total", "api", c.api, "status", statusOf)
	p.b.add(1, "api_call_duration_seconds_count", "api", c.api)
	if statusOf == "error" {
		p.b.add(1, "api_errors_total", "api", c.api, "error_type", word)
	}
	if c.job != nil {
		c.job.calls--
	}
	cost, unpriced := c.books(f)
	p.note("end call %s over=%v before=%v f=%v max=%d min=%d free=%v unknown=%q said=%q invalid=%v: %s %d %q hold=%v", c.api, over, c.before, f.parts, c.max, c.min, c.free, c.unknown, c.said, c.invalid, statusOf, cost, unpriced, c.hold)
	if unpriced != "" {
		p.b.add(1, "api_unpriced_total", "api", c.api, "reason", unpriced)
		if c.job != nil {
			c.job.unpriced++
		}
	} else {
		p.paid(c.job, c.api, cost)
	}
	if c.hold != nil {
		loses, unconfirmed := cost, int64(0)
		if unpriced != "" && !(f.failed() && c.max >= 0 && c.said != "unpriced") {
			loses, unconfirmed = c.hold.amount, c.hold.amount
		}
		p.settle(c.hold, loses, unconfirmed)
	}
}

// callStatus is the status of a call that was made, and the type of its error.
func callStatus(over error, f failure) (status, word string) {
	if !f.failed() {
		return "success", ""
	}
	word, own := f.word(over)
	switch {
	case over == context.Canceled && !own, over == nil && word == "canceled", own && word == "canceled":
		return "canceled", ""
	}
	return "error", end(over, f, false).errorType
}

// books is what a call books when it ends: the table of the guide.
func (c *callBook) books(f failure) (cost int64, unpriced string) {
	surelyFree := f.failed() && (f.free() || c.before && !f.answer())
	switch {
	case c.said == "cost" && f.failed() && !surelyFree:
		return max(c.cost, c.leastCost()), ""
	case c.said == "cost":
		return c.cost, ""
	case surelyFree:
		return 0, ""
	case c.said == "unpriced":
		return 0, c.reason
	case c.free:
		return 0, ""
	case f.failed() && c.min >= 0:
		return c.min, ""
	case !f.failed() && c.max >= 0:
		return c.max, ""
	case c.unknown != "":
		return 0, c.unknown
	case c.invalid:
		return 0, "invalid"
	case f.failed():
		return 0, "failed"
	}
	return 0, "no_price"
}

// leastCost is what WithMinCost says, which has no effect beside Free.
func (c *callBook) leastCost() int64 {
	if c.free {
		return 0
	}
	return max(c.min, 0)
}

func (c *callBook) jobID() string {
	if c.job == nil {
		return "none"
	}
	id := c.job.id
	for _, a := range c.job.accounts {
		id += fmt.Sprintf(" [%s limit %d spent %d held %d]", a.name, a.limit, a.spent, a.held)
	}
	return id
}
