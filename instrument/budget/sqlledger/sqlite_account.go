package sqlledger

import (
	"math"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
)

// books is a row of stagemeter_accounts: a scope in one window.
type books struct {
	figures
	id, window                   int64
	scope, kind, name            string
	reached, forgotten, underWay int64
	changed                      bool
}

const bookColumns = "id, win, scope, kind, name, lim, spent, held, own, unconfirmed, reached, forgotten, under_way"

func (b *books) columns() []any {
	return []any{&b.id, &b.window, &b.scope, &b.kind, &b.name, &b.Limit, &b.Spent, &b.Held, &b.Own, &b.Unconfirmed,
		&b.reached, &b.forgotten, &b.underWay}
}

// window returns the number of the day or month, since 1970, that it is for a kind.
func (t *transaction) window(kind string) int64 {
	at := time.Unix(0, t.now).UTC()
	switch budget.Kind(kind) {
	case budget.Day:
		return at.Unix() / (24 * 60 * 60)
	case budget.Month:
		return int64(at.Year()-1970)*12 + int64(at.Month()) - 1
	}
	return 0
}

// current returns the account of a scope in the current window, or nil. The first operation in a
// window makes it, with the limit of the one before.
func (t *transaction) current(s scope) *books {
	b := new(books)
	if !t.row("SELECT "+bookColumns+" FROM stagemeter_accounts WHERE scope = ? ORDER BY win DESC LIMIT 1", []any{s.Key}, b.columns()...) {
		return nil
	}
	if now := t.window(s.Kind); now > b.window {
		t.insert(s, now, b.Limit)
		return t.current(s)
	}
	return t.known(b)
}

func (t *transaction) insert(s scope, window, limit int64) {
	t.exec("INSERT INTO stagemeter_accounts (scope, win, kind, name, lim, keep_until) VALUES (?, ?, ?, ?, ?, ?)",
		s.Key, window, s.Kind, s.Name, limit, t.keepUntil(s.Kind))
}

// keepUntil returns until when an account is kept after an Open or a Close that is not final.
func (t *transaction) keepUntil(kind string) int64 {
	if budget.Kind(kind) == budget.Tenant {
		return math.MaxInt64
	}
	return sum(t.now, int64(keptIdle))
}

// known returns what was read of an account before, or b.
func (t *transaction) known(b *books) *books {
	if before := t.accounts[b.id]; before != nil {
		return before
	}
	t.accounts[b.id] = b
	t.order = append(t.order, b)
	return b
}

// account returns an account by its id, or nil.
func (t *transaction) account(id int64) *books {
	if b := t.accounts[id]; b != nil {
		return b
	}
	b := new(books)
	if !t.row("SELECT "+bookColumns+" FROM stagemeter_accounts WHERE id = ?", []any{id}, b.columns()...) {
		return nil
	}
	return t.known(b)
}

// scopes returns the current accounts of the request. If one is missing, the answer says so.
func (t *transaction) scopes() []*books {
	list := make([]*books, 0, len(t.Scopes))
	for i, s := range t.Scopes {
		b := t.current(s)
		if b == nil {
			t.Code, t.At = lost, i
			return nil
		}
		list = append(list, b)
	}
	return list
}

// write writes the accounts that changed.
func (t *transaction) write() {
	for _, b := range t.order {
		if b.changed {
			t.exec(`UPDATE stagemeter_accounts SET lim = ?, spent = ?, held = ?, own = ?, unconfirmed = ?, reached = ?, forgotten = ?,
				under_way = ? WHERE id = ?`,
				b.Limit, b.Spent, b.Held, b.Own, b.Unconfirmed, b.reached, b.forgotten, b.underWay, b.id)
		}
	}
}

func (t *transaction) open() {
	var list []*books
	for i, s := range t.Scopes {
		b := t.current(s)
		if b == nil {
			t.insert(s, t.window(s.Kind), s.Limit)
			b = t.current(s)
		}
		if t.err != nil {
			return
		}
		list = append(list, b)
		b.setLimit(s.Limit)
		t.exec("UPDATE stagemeter_accounts SET completed = 0, keep_until = ? WHERE id = ?", t.keepUntil(s.Kind), b.id)
		t.exec("INSERT INTO stagemeter_opens (token, account, place, keep_until) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
			t.Token, b.id, i, sum(t.now, int64(keptIdle)))
	}
	t.sweep(list)
	t.write()
	t.figures = list[0].figures
}

// look returns the balance.
func (t *transaction) look() {
	if list := t.scopes(); list != nil {
		t.sweep(list)
		t.write()
		t.figures = list[0].figures
	}
}

// close ends an open, unless that was done before.
func (t *transaction) close() {
	var id int64
	var kind string
	first := t.row("SELECT a.id, a.kind FROM stagemeter_opens o JOIN stagemeter_accounts a ON a.id = o.account WHERE o.token = ? AND o.place = 0",
		[]any{t.Token}, &id, &kind)
	t.exec("DELETE FROM stagemeter_opens WHERE token = ?", t.Token)
	if !first || budget.Kind(kind) != budget.Job {
		return
	}
	final := 0
	if t.Final {
		final = 1
	}
	t.exec("UPDATE stagemeter_accounts SET completed = MAX(completed, ?), keep_until = ? WHERE id = ?", final, t.keepUntil(kind), id)
	t.exec(`UPDATE stagemeter_accounts SET keep_until = ? WHERE id = ? AND completed = 1
		AND NOT EXISTS (SELECT 1 FROM stagemeter_opens WHERE account = stagemeter_accounts.id)`, sum(t.now, int64(keptCompleted)), id)
}

// forget starts the account of the current window afresh. One of an earlier window stays as it is.
func (t *transaction) forget() {
	s := t.Scopes[0]
	t.exec(`UPDATE stagemeter_accounts SET spent = 0, own = 0, unconfirmed = 0, reached = 0, forgotten = forgotten + 1
		WHERE scope = ? AND win >= ?`, s.Key, t.window(s.Kind))
	t.exec("DELETE FROM stagemeter_crossings WHERE first = ?", s.Key)
}

// clean deletes some of what is kept no longer.
func (t *transaction) clean() {
	t.exec(`DELETE FROM stagemeter_holds WHERE (hold, place) IN
		(SELECT hold, place FROM stagemeter_holds WHERE state <> 1 AND keep_until <= ? LIMIT ?)`, t.now, cleanBatch)
	t.exec(`DELETE FROM stagemeter_crossings WHERE rowid IN (SELECT rowid FROM stagemeter_crossings WHERE at <= ? LIMIT ?)`,
		t.now-int64(keptUnleased), cleanBatch)
	t.exec(`DELETE FROM stagemeter_opens WHERE (token, account) IN
		(SELECT token, account FROM stagemeter_opens WHERE keep_until <= ? LIMIT ?)`, t.now, cleanBatch)
	t.exec(`DELETE FROM stagemeter_accounts WHERE id IN (SELECT id FROM stagemeter_accounts a WHERE keep_until <= ? AND under_way = 0
		AND NOT EXISTS (SELECT 1 FROM stagemeter_opens WHERE account = a.id) LIMIT ?)`, t.now, cleanBatch)
}
