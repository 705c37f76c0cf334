// Package newest keeps the newest of many entries, each from its start to its end and then as long as
// there is room, so that keeping one more allocates nothing and takes the same time however many
// there are.
package newest

import (
	"cmp"
	"slices"
)

// A Place is where a [List] has an entry, counted from 1. 0 is none.
type Place int32

// A List keeps entries. Its zero value has none. It is not safe for concurrent use.
type List[E any] struct {
	slots       []slot[E]
	n           uint64 // entries so far, kept or not
	drops       int    // of them, those dropped
	first, last Place  // of the entries that have ended, in the order of their ends
}

type slot[E any] struct {
	entry E
	n     uint64 // in the order of the starts; 0: it was dropped
	next  Place  // that ended after it
	ended bool
}

// Start returns the place of an entry that starts, and the entry, which still holds what was there
// before. Once there are limit entries, that is the one that ended first. If all of them are under
// way there may be more, up to most, which is at least limit; beyond that Start returns 0 and nil,
// and only counts the entry.
func (l *List[E]) Start(limit, most int) (Place, *E) {
	l.n++
	at := l.first
	switch {
	case at > 0 && len(l.slots) >= limit:
		if l.first = l.slots[at-1].next; l.first == 0 {
			l.last = 0
		}
	case len(l.slots) >= most:
		return 0, nil
	default:
		l.slots = append(l.slots, slot[E]{})
		at = Place(len(l.slots))
	}
	s := &l.slots[at-1]
	s.n, s.next, s.ended = l.n, 0, false
	return at, &s.entry
}

// End returns the entry at a place, which ends now. It must be under way. The entry stays until its
// place is needed.
func (l *List[E]) End(at Place) *E {
	s := &l.slots[at-1]
	s.ended = true
	if l.last == 0 {
		l.first = at
	} else {
		l.slots[l.last-1].next = at
	}
	l.last = at
	return &s.entry
}

// Drop forgets an entry that is under way, as if it had never started. at is 0 for one that was only
// counted.
func (l *List[E]) Drop(at Place) {
	l.drops++
	if at == 0 {
		return
	}
	l.slots[at-1] = slot[E]{next: l.first, ended: true} // used again before any other
	if l.first = at; l.last == 0 {
		l.last = at
	}
}

// Newest returns all entries under way and those that have ended and started last, at most limit
// unless more are under way, in the order of their starts; and how many more there were. The
// entries are those of the list, not copies.
func (l *List[E]) Newest(limit int) (list []*E, more int) {
	sorted := make([]*slot[E], 0, len(l.slots))
	for i := range l.slots {
		if l.slots[i].n > 0 {
			sorted = append(sorted, &l.slots[i])
		}
	}
	slices.SortFunc(sorted, func(a, b *slot[E]) int { return cmp.Compare(a.n, b.n) })
	list = make([]*E, 0, len(sorted))
	drop := len(sorted) - limit
	for _, s := range sorted {
		if drop > 0 && s.ended {
			drop--
			continue
		}
		list = append(list, &s.entry)
	}
	return list, int(l.n) - l.drops - len(list)
}
