package budget

import "slices"

// An op is one operation by hold id on an account. The ledger's mutex is held for all of it.
type op struct {
	kind    operation
	hold    string
	scopes  []*memoryScope
	locked  []*books
	room    [4]*books // of locked
	swept   Expired
	crossed []Crossing
}

// begin makes the books of the current windows those of the scopes.
func (l *memoryLedger) begin(kind operation, scopes []*memoryScope, hold string) *op {
	for _, s := range scopes {
		if s.key.kind == Day || s.key.kind == Month {
			s.books(l.clock.time())
		}
	}
	return &op{kind: kind, hold: hold, scopes: scopes}
}

// lock locks the books of the scopes, and those of a record, which may be of windows that are over.
func (o *op) lock(r *record) {
	o.locked = o.room[:0]
	for _, s := range o.scopes {
		o.locked = append(o.locked, s.current)
	}
	for i := range r.all() {
		if b := r.parts[i].books; !slices.Contains(o.locked, b) {
			o.locked = append(o.locked, b)
		}
	}
	for _, b := range o.locked {
		b.mu.Lock()
	}
}

func (r *record) all() []part {
	if r == nil {
		return nil
	}
	return r.parts
}

func (o *op) unlock() {
	for _, b := range o.locked {
		b.mu.Unlock()
	}
}

// balance returns the answer, with what is told. The books are locked.
func (o *op) balance() (bal Balance) {
	for _, b := range o.locked {
		o.crossed = b.cross(o.crossed)
	}
	o.scopes[0].current.write(&bal)
	bal.Expired = o.swept
	bal.Crossed = o.scopes[0].told.tell(o.kind, o.hold, o.crossed)
	return bal
}

// end returns the answer of an operation that changes nothing.
func (o *op) end(r *record) Balance {
	o.lock(r)
	defer o.unlock()
	return o.balance()
}
