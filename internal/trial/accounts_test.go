package trial

import (
	"fmt"
	"math"
	"time"
)

const unlimited = math.MaxInt64

// An account is what the books keep of one budget. Amounts are nano-dollars.
type account struct {
	name        string
	limit       int64
	spent, held int64
	unconfirmed int64
	own         int64 // of spent, by the job that the account is named after
	told        map[int]bool
	opens       int
	generated   bool
	final       bool
	holds       []*hold
}

// A hold is the reservation of one call, in all accounts or in none.
type hold struct {
	accounts []*account
	own      *account // the account that is named after the job that makes the call, if one is
	amount   int64
	floor    int64 // what an expired hold books
	free     bool  // a free call reserves nothing
	until    time.Time
	state    holdState
}

type holdState int

const (
	held holdState = iota
	expired
	ended
)

// opened sets the newest limit. A threshold that the new limit has not reached is new.
func (a *account) opened(limit int64) {
	a.opens++
	a.final = false
	if limit == a.limit {
		return
	}
	a.limit = limit
	for percent := range a.told {
		if !a.reached(percent) {
			delete(a.told, percent)
		}
	}
}

func (a *account) reached(percent int) bool {
	if a.limit == unlimited {
		return false
	}
	if percent > 100 {
		return a.spent > a.limit
	}
	return a.spent > 0 && a.spent*100 >= a.limit*int64(percent)
}

// shown returns the name as events have it. That of a generated id is not known.
func (a *account) shown() string {
	if a.generated {
		return "job:unnamed"
	}
	return a.name
}

func (a *account) forgettable() bool {
	for _, h := range a.holds {
		if h.state == held && !h.free {
			return false
		}
	}
	return a.final && a.opens == 0
}

// tell counts the thresholds that an operation finds reached and that nobody was told of.
func (p *program) tell(accounts []*account, refused *account) {
	for _, a := range accounts {
		for _, percent := range []int{50, 80, 100, 101} {
			if a.told[percent] || !a.reached(percent) && !(percent == 101 && a == refused) {
				continue
			}
			a.told[percent] = true
			p.thresholds[fmt.Sprint(a.shown(), " ", percent)]++
			p.crossed++
			if percent == 101 {
				p.b.add(1, "budget_exceeded_total")
			}
		}
	}
}

// sweep expires the holds of accounts whose lease is over.
func sweep(accounts []*account) {
	for _, a := range accounts {
		for _, h := range a.holds {
			if h.state != held || time.Now().Before(h.until) {
				continue
			}
			h.state = expired
			h.book(h.floor)
			for _, in := range h.accounts {
				in.held -= h.amount
				in.spent += h.floor
				in.unconfirmed += h.floor
			}
		}
	}
}

func (h *hold) book(cost int64) {
	if h.own != nil {
		h.own.own += cost
	}
}

// reserve holds an amount in all accounts, or returns the one that it does not fit into.
func (p *program) reserve(accounts []*account, own *account, amount, floor int64, free bool, lease time.Duration) (*hold, *account) {
	if !free { // a free call asks nothing
		sweep(accounts)
	}
	for _, a := range accounts {
		if a.limit == unlimited || free {
			continue
		}
		if left := a.limit - a.spent - a.held; left <= 0 || amount > left {
			p.tell([]*account{a}, a)
			return nil, a
		}
	}
	if floor == 0 {
		floor = amount
	}
	h := &hold{accounts: accounts, own: own, amount: amount, floor: floor, free: free, until: time.Now().Add(lease)}
	for _, a := range accounts {
		a.held += amount
		a.holds = append(a.holds, h)
	}
	if !free {
		p.tell(accounts, nil)
	}
	return h, nil
}

// settle books the cost of a hold, of which a part may not be known. One that has expired is
// corrected.
func (p *program) settle(h *hold, cost, unconfirmed int64) {
	if h.state == expired {
		h.book(-h.floor)
	}
	h.book(cost)
	for _, a := range h.accounts {
		switch h.state {
		case held:
			a.held -= h.amount
		case expired:
			a.spent -= h.floor
			a.unconfirmed -= h.floor
		}
		a.spent += cost
		a.unconfirmed += unconfirmed
	}
	h.state = ended
	p.tell(h.accounts, nil)
	p.forget(h.accounts)
}

// forget drops the accounts of jobs that have completed.
func (p *program) forget(accounts []*account) {
	for _, a := range accounts {
		if a.forgettable() && p.accounts[a.name] == a {
			delete(p.accounts, a.name)
		}
	}
}

// open returns the account of this name, and makes it if there is none.
func (p *program) open(name string, limit int64) *account {
	a := p.accounts[name]
	if a == nil {
		a = &account{name: name, limit: limit, told: make(map[int]bool)}
		p.accounts[name] = a
	}
	a.opened(limit)
	sweep([]*account{a})
	return a
}
