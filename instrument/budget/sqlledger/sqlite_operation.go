package sqlledger

import "slices"

// operate reserves, settles or releases a hold.
func (t *transaction) operate() {
	in := t.scopes()
	if in == nil {
		return
	}
	parts, rows := t.hold(t.Hold)
	if rows > 0 && !slices.ContainsFunc(parts, remembered) {
		t.exec("DELETE FROM stagemeter_holds WHERE hold = ?", t.Hold)
		parts = nil
	}
	concerned := slices.Clone(in) // accounts whose thresholds are told
	for _, p := range parts {
		if !slices.Contains(concerned, p.books) {
			concerned = append(concerned, p.books)
		}
	}
	var crossed []crossing
	switch t.Op {
	case reserving:
		crossed = t.reserve(in, parts)
	case settling:
		t.settle(in, parts)
	case releasing:
		if len(parts) > 0 && (parts[0].state <= expired || parts[0].unconfirmed > 0) {
			for i := range parts {
				parts[i].release()
			}
			t.save(t.Hold, parts)
		}
	}
	for _, b := range concerned {
		crossed = append(crossed, b.cross()...)
	}
	t.tell(crossed)
	t.write()
	t.figures = in[0].figures
}

// remembered reports whether an account has not forgotten a part.
func remembered(p part) bool { return p.state == underWay || p.forgotten == p.books.forgotten }

func (t *transaction) reserve(in []*books, parts []part) (crossed []crossing) {
	if len(parts) > 0 {
		if t.due(parts[0]) {
			t.expire(t.Hold, parts)
		}
		switch p := parts[0]; {
		case p.state != underWay:
			t.Code = ended
		case p.amount != t.Amount:
			t.Code, t.Was = conflict, p.amount
		}
		return nil
	}
	t.sweep(in)
	at := slices.IndexFunc(in, func(b *books) bool { return b.fits(t.Amount, t.Free) != done })
	switch {
	case at < 0:
		parts = t.add(in)
		for i := range parts {
			parts[i].reserve()
		}
		t.save(t.Hold, parts)
	case t.left(in):
		t.Again = true
	default:
		b := in[at]
		t.At, t.Code, t.Refused = at, b.fits(t.Amount, t.Free), b.figures
		if t.Code == refused {
			crossed = b.reach(b.cross(), slices.Index(percents[:], 101))
		}
	}
	return crossed
}

func (t *transaction) settle(in []*books, parts []part) {
	if len(parts) == 0 {
		parts = t.add(in)
		for i := range parts { // with nothing to free
			parts[i].state, parts[i].amount, parts[i].floor = released, 0, 0
		}
	} else if p := parts[0]; p.state >= settled && p.unconfirmed == 0 && t.Unconfirmed > 0 {
		return // what is confirmed stays
	} else if p.state == settled && (p.unconfirmed > 0) == (t.Unconfirmed > 0) && (p.cost != t.Cost || p.unconfirmed != t.Unconfirmed) {
		t.Code, t.Was = conflict, p.cost
		return
	}
	for i := range parts {
		if p := &parts[i]; p.state != settled || p.forgotten != p.books.forgotten || p.unconfirmed > 0 {
			p.settle(t.Cost, t.Unconfirmed)
		}
	}
	t.save(t.Hold, parts)
}

// tell keeps what the operation is answered with, and answers with all that it ever was.
func (t *transaction) tell(crossed []crossing) {
	for _, c := range crossed {
		t.exec(`INSERT INTO stagemeter_crossings (hold, op, first, scope, kind, name, lim, percent, spent, at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			t.Hold, t.told(), t.Scopes[0].Key, c.Scope, c.Kind, c.Name, c.Limit, c.Percent, c.Spent, t.now)
	}
	t.rows("SELECT scope, kind, name, lim, percent, spent FROM stagemeter_crossings WHERE hold = ? AND op = ? ORDER BY rowid",
		[]any{t.Hold, t.told()}, func(scan func(...any)) {
			var c crossing
			scan(&c.Scope, &c.Kind, &c.Name, &c.Limit, &c.Percent, &c.Spent)
			t.Crossed = append(t.Crossed, c)
		})
}
