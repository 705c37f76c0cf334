package budget

import (
	"time"
)

const (
	keptScopes = 10_000 // accounts of each kind that are kept without an Open
	keptFor    = 24 * time.Hour
)

type scopeKey struct {
	kind Kind
	id   string
}

// A memoryScope is what the ledger keeps of one scope.
type memoryScope struct {
	ledger *memoryLedger
	key    scopeKey
	first  books // those of a job or a tenant for ever; of a day or a month the first

	// Guarded by ledger.mu.
	current     *books
	past        []*books  // of windows that are over, while holds are under way there
	began       time.Time // when the window of current began; unused for jobs and tenants
	opens       int
	holds       map[string]*record // of accounts whose first scope this is
	ended       ring
	unconfirmed ring // expired too
	told        tales
	prev, next  *memoryScope // in the list of those without an Open
	until       time.Time    // when to leave that list; zero for never
}

func newMemoryScope(l *memoryLedger, scope Scope, now time.Time) *memoryScope {
	s := &memoryScope{ledger: l, key: scopeKey{scope.Kind, scope.ID}, began: scope.Kind.begin(now)}
	s.first.scope = scope
	s.first.arm()
	s.current = &s.first
	return s
}

// books returns the books of the window that now is in. The caller holds ledger.mu.
func (s *memoryScope) books(now time.Time) *books {
	if began := s.key.kind.begin(now); began.After(s.began) {
		s.began = began
		old := s.current
		old.mu.Lock()
		scope := old.scope
		if old.underWay > 0 {
			s.past = append(s.past, old)
		}
		old.mu.Unlock()
		s.current = &books{scope: scope}
		s.current.arm()
	}
	return s.current
}

// keptUntil returns when a scope that is closed now is forgotten; zero for never.
func (s *memoryScope) keptUntil(now time.Time) time.Time {
	switch s.key.kind {
	case Job:
		return now.Add(keptFor)
	case Day:
		return s.began.AddDate(0, 0, 1)
	case Month:
		return s.began.AddDate(0, 1, 0)
	}
	return time.Time{}
}

func (k Kind) known() bool { return k == Job || k == Tenant || k == Day || k == Month }

// begin returns when the window began that t is in; zero for kinds without windows.
func (k Kind) begin(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	switch k {
	case Day:
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	case Month:
		return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
	}
	return time.Time{}
}

// closedScopes lists the scopes of one kind without an Open, by the time of the last Close.
type closedScopes struct {
	oldest, newest *memoryScope
	len            int
}

func (c *closedScopes) add(s *memoryScope, until time.Time) {
	s.until, s.prev, s.next = until, c.newest, nil
	if c.newest == nil {
		c.oldest = s
	} else {
		c.newest.next = s
	}
	c.newest = s
	c.len++
}

func (c *closedScopes) remove(s *memoryScope) {
	if s.prev == nil {
		c.oldest = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next == nil {
		c.newest = s.prev
	} else {
		s.next.prev = s.prev
	}
	s.prev, s.next = nil, nil
	c.len--
}

// forgetClosed forgets the scopes that were closed too long ago, and those beyond the bound. The
// caller holds l.mu.
func (l *memoryLedger) forgetClosed(now time.Time) {
	for _, c := range l.closed {
		for s := c.oldest; s != nil && (c.len > keptScopes || !s.until.IsZero() && !now.Before(s.until)); s = c.oldest {
			c.remove(s)
			delete(l.scopes, s.key)
		}
	}
}
