package sqlledger

import (
	"math"
	"slices"
)

// States of a hold.
const (
	underWay = 1 + iota
	expired
	settled
	released
)

// A part is a row of stagemeter_holds: a hold in one account.
type part struct {
	books               *books // nil if the account is deleted
	place               int
	state               int
	own                 bool
	amount, floor, cost int64
	unconfirmed         int64 // of cost
	forgotten, expires  int64
}

// hold reads the parts of a hold whose accounts are there, and how many it has in all.
func (t *transaction) hold(key string) (parts []part, rows int) {
	var accounts []int64
	t.rows("SELECT account, place, state, own, amount, floor, cost, unconfirmed, forgotten, expires FROM stagemeter_holds WHERE hold = ? ORDER BY place",
		[]any{key}, func(scan func(...any)) {
			var p part
			var id int64
			scan(&id, &p.place, &p.state, &p.own, &p.amount, &p.floor, &p.cost, &p.unconfirmed, &p.forgotten, &p.expires)
			parts, accounts = append(parts, p), append(accounts, id)
		})
	for i, id := range accounts {
		parts[i].books = t.account(id)
	}
	rows = len(parts)
	return slices.DeleteFunc(parts, func(p part) bool { return p.books == nil }), rows
}

// add returns the parts of the hold of the request in accounts. They are under way, with nothing
// held.
func (t *transaction) add(in []*books) []part {
	parts := make([]part, len(in))
	for i, b := range in {
		p := part{books: b, place: i, own: t.Scopes[i].Own, amount: t.Amount, floor: t.Floor, expires: math.MaxInt64}
		if t.Lease > 0 {
			p.expires = sum(t.now, t.Lease)
		}
		parts[i] = p
	}
	return parts
}

// save writes the parts of a hold.
func (t *transaction) save(hold string, parts []part) {
	for _, p := range parts {
		t.exec(`INSERT INTO stagemeter_holds (hold, place, account, name, job, attempt, api, state, own, amount, floor, cost, unconfirmed,
				forgotten, expires, keep_until)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (hold, place) DO UPDATE SET state = excluded.state, cost = excluded.cost, unconfirmed = excluded.unconfirmed,
				forgotten = excluded.forgotten, keep_until = excluded.keep_until`,
			hold, p.place, p.books.id, t.Name, t.Job, t.Attempt, t.API, p.state, p.own, p.amount, p.floor, p.cost, p.unconfirmed,
			p.forgotten, p.expires, t.keepEnded(p))
	}
}

// keepEnded returns until when a part is kept after its end.
func (t *transaction) keepEnded(p part) int64 {
	switch {
	case p.state == expired || p.unconfirmed > 0:
		return sum(t.now, int64(keptUnconfirmed))
	case p.expires == math.MaxInt64:
		return sum(t.now, int64(keptUnleased))
	}
	return sum(max(t.now, p.expires), int64(keptEnded))
}

// due reports whether the lease of a part is over.
func (t *transaction) due(p part) bool { return p.state == underWay && p.expires <= t.now }

// sweep expires a batch of holds of the accounts, in all of their accounts.
func (t *transaction) sweep(in []*books) {
	for _, b := range in {
		var holds []string
		t.rows("SELECT hold FROM stagemeter_holds WHERE account = ? AND state = 1 AND expires <= ? ORDER BY expires LIMIT ?",
			[]any{b.id, t.now, max(0, sweepBatch-t.Holds)}, func(scan func(...any)) {
				var hold string
				scan(&hold)
				holds = append(holds, hold)
			})
		for _, hold := range holds {
			parts, _ := t.hold(hold)
			t.expire(hold, parts)
		}
	}
}

func (t *transaction) expire(hold string, parts []part) {
	if len(parts) == 0 {
		return
	}
	for i := range parts {
		parts[i].expire()
	}
	t.save(hold, parts)
	t.Holds++
	t.Booked = sum(t.Booked, parts[0].cost)
}

// left reports whether expired holds of the accounts are left to sweep.
func (t *transaction) left(in []*books) bool {
	return slices.ContainsFunc(in, func(b *books) bool {
		var one int
		return t.row("SELECT 1 FROM stagemeter_holds WHERE account = ? AND state = 1 AND expires <= ? LIMIT 1", []any{b.id, t.now}, &one)
	})
}
