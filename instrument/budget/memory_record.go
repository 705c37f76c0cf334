package budget

import (
	"github.com/stagemeter/stagemeter/instrument/internal/once"
	"github.com/stagemeter/stagemeter/instrument/money"
)

const (
	keptEnded       = 1024   // ended holds that an account remembers, to be idempotent
	keptUnconfirmed = 10_000 // holds that are expired or unconfirmed, to apply the difference of a late settle
)

// A record is a hold by its id, over all scopes that it was reserved in. Guarded by the ledger's
// mutex; each part is guarded by the mutex of its books too.
type record struct {
	scope  *memoryScope // the first
	id     string
	job    string
	amount money.USD
	ending
	kept  bool // is in the ring of the ended or of the unconfirmed
	parts []part
	one   [1]part
}

// A part of a record is its hold in one scope.
type part struct {
	once.Hold
	books *books
}

// add makes a record of h in the current books of scopes. It holds nothing yet.
func (s *memoryScope) add(h Hold, scopes []*memoryScope) *record {
	r := &record{scope: s, id: h.ID, job: h.Job, amount: h.Amount}
	r.parts = r.one[:]
	if len(scopes) > 1 {
		r.parts = make([]part, len(scopes))
	}
	for i, in := range scopes {
		r.parts[i] = part{books: in.current, Hold: once.Hold{
			Own: h.Job == in.key.id, Free: h.Free, Amount: h.Amount, Floor: h.Floor, Lease: h.Lease, Owner: r,
		}}
	}
	return r
}

func (r *record) keep() {
	if r.scope.holds == nil {
		r.scope.holds = make(map[string]*record)
	}
	r.scope.holds[r.id] = r
}

// record returns the record of a hold, or nil. One that ended is unknown if all its scopes were
// forgotten since.
func (s *memoryScope) record(id string) *record {
	r := s.holds[id]
	if r == nil || r.state == once.UnderWay {
		return r
	}
	for i := range r.parts {
		if !r.parts[i].forgotten() {
			return r
		}
	}
	delete(s.holds, id)
	return nil
}

// forgotten reports whether the scope was forgotten after the hold ended.
func (p *part) forgotten() bool {
	p.books.mu.Lock()
	defer p.books.mu.Unlock()
	return p.Forgotten != p.books.forgotten
}

// end remembers that a hold ended, within the bounds.
func (r *record) end(e ending) {
	r.ending = e
	if r.kept {
		return
	}
	r.kept = true
	kept, bound := &r.scope.ended, keptEnded
	if !e.confirmed() {
		kept, bound = &r.scope.unconfirmed, keptUnconfirmed
	}
	if old := kept.push(r, bound); old != nil && r.scope.holds[old.id] == old {
		delete(r.scope.holds, old.id)
	}
}

// expire expires a hold in all its scopes.
func (r *record) expire() {
	for i := range r.parts {
		p := &r.parts[i]
		p.books.mu.Lock()
		p.books.expire(&p.Hold)
		p.books.mu.Unlock()
	}
	r.end(ending{state: once.Expired})
}

// A ring has the newest records.
type ring struct {
	records []*record
	next    int
}

// push adds a record, and returns the one that it displaces, or nil.
func (r *ring) push(rec *record, bound int) (old *record) {
	if len(r.records) < bound {
		r.records = append(r.records, rec)
		return nil
	}
	old, r.records[r.next] = r.records[r.next], rec
	r.next = (r.next + 1) % bound
	return old
}
