package budgettest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// faultyStore keeps the accounts of plain ledgers with one mistake, or none. All of it is behind one
// mutex, so what the suite finds is the mistake and not a data race.
type faultyStore struct {
	fault  string
	mu     sync.Mutex
	now    time.Duration
	lives  int // how often it lost everything
	starts int // how often it was restarted
	limits map[string]money.USD
	books  map[string]*faultyBooks
	holds  map[string]*faultyHold
	opens  map[string]int
	final  map[string]bool
	closed map[string]bool
	told   map[string][]budget.Crossing // by scope, operation and hold
	busy   map[string]bool              // scopes that are locked in the order given
	undo   func()                       // the newest operation
	dead   bool                         // two operations wait for each other
	looked int                          // releases that found a hold
	next   time.Duration                // when a hold expires, or before
	mine   map[string]map[int]bool      // by scope and handle
}

func newFaulty(fault string) *faultyStore {
	s := &faultyStore{fault: fault}
	s.clear()
	return s
}

func (s *faultyStore) clear() {
	s.limits, s.books, s.holds = make(map[string]money.USD), make(map[string]*faultyBooks), make(map[string]*faultyHold)
	s.opens, s.final, s.closed = make(map[string]int), make(map[string]bool), make(map[string]bool)
	s.told, s.busy, s.undo = make(map[string][]budget.Crossing), make(map[string]bool), func() {}
}

// store returns what a duty is given.
func (s *faultyStore) store() Store {
	return Store{
		Open: s.open,
		Advance: func(d time.Duration) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.now += d
		},
		Lose: func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.lives++
			s.clear()
		},
		Restart: func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.starts++
			if s.is("a restart loses the newest operation") {
				s.undo()
			}
		},
	}
}

func (s *faultyStore) is(fault string) bool { return s.fault == fault }

func (s *faultyStore) open() budget.Ledger {
	l := &faultyLedger{faultyStore: s, lives: s.lives}
	if s.is("each handle has accounts of its own") {
		l.faultyStore = newFaulty("")
	}
	l.handle = fmt.Sprintf("%p", l)
	return l
}

// A faultyLedger is one handle.
type faultyLedger struct {
	*faultyStore
	handle string
	lives  int
}

var errFault = errors.New("fault")

type faultyAccount struct {
	*faultyLedger
	scopes []budget.Scope // their ids as keys
	names  []budget.Scope // as they were opened
	lives  int
	starts int
	shut   bool
	limit  money.USD
	old    budget.Balance // after the last operation, and the one before
	older  budget.Balance
}

func (l *faultyLedger) Open(_ context.Context, scopes ...budget.Scope) (budget.Account, budget.Balance, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := make(map[string]bool)
	for _, s := range scopes {
		known := s.Kind == budget.Job || s.Kind == budget.Tenant || s.Kind == budget.Day || s.Kind == budget.Month
		if (s.Limit < 0 || !known || seen[string(s.Kind)+s.ID]) && !l.is("scopes are not looked at") {
			return nil, budget.Balance{}, budget.ErrInvalid
		}
		seen[string(s.Kind)+s.ID] = true
	}
	if len(scopes) == 0 {
		return nil, budget.Balance{}, budget.ErrInvalid
	}
	a := &faultyAccount{faultyLedger: l, lives: l.faultyStore.lives, starts: l.starts, names: scopes, limit: scopes[0].Limit}
	for _, s := range scopes {
		id, err := l.key(s)
		if err != nil {
			return nil, budget.Balance{}, err
		}
		a.scopes = append(a.scopes, budget.Scope{Kind: s.Kind, ID: id, Limit: s.Limit})
	}
	if first := a.scopes[0].ID; l.is("a job is opened once") && l.closed[first] {
		return nil, budget.Balance{}, errFault
	}
	for _, s := range a.scopes {
		l.opens[s.ID]++
		l.final[s.ID] = false
		l.openBooks(s)
	}
	for id, h := range l.holds {
		if h.due(l.now) && l.is("an open forgets what expired") {
			h.free()
			delete(l.holds, id)
		}
	}
	var crossed []budget.Crossing
	if l.is("open tells thresholds") {
		a.sweep(&budget.Expired{})
		crossed = a.cross()
	}
	b := a.figures()
	b.Crossed = crossed
	return a, b, nil
}

func (l *faultyLedger) openBooks(s budget.Scope) {
	if s.Limit == 0 && l.is("a limit of 0 is no limit") {
		s.Limit = unlimited
	}
	old, known := l.limits[s.ID]
	if known && (l.is("the first limit holds") || l.is("the lowest limit holds") && old < s.Limit) {
		s.Limit = old
	}
	l.limits[s.ID] = s.Limit
	b := l.current(s.ID)
	if known && old != s.Limit {
		if l.is("a lower limit cuts what is spent") {
			b.spent = min(b.spent, s.Limit)
		}
		for p := range b.reached {
			if !reached(p, b.spent, s.Limit) && !l.is("a higher limit does not tell again") {
				delete(b.reached, p)
			}
		}
		if l.is("a lower limit reaches nothing") {
			b.cross(s, true)
		}
	}
	if l.is("each open starts anew") {
		*b = *newFaultyBooks()
	}
}

// key returns the key of a scope.
func (l *faultyLedger) key(s budget.Scope) (string, error) {
	id := s.ID
	switch {
	case l.is("an empty id is an error") && id == "":
		return "", errFault
	case l.is("ids are cut at 255 bytes"):
		id = id[:min(len(id), 255)]
	case l.is("ids are trimmed"):
		id = strings.TrimSpace(id)
	case l.is("ids ignore case"):
		id = strings.ToLower(id)
	case l.is("ids end at a zero byte"):
		id, _, _ = strings.Cut(id, "\x00")
	case l.is("ids are made valid UTF-8"):
		id = strings.ToValidUTF8(id, "?")
	case l.is("what is between braces is the id"):
		if _, tag, ok := strings.Cut(id, "{"); ok {
			id, _, _ = strings.Cut(tag, "}")
		}
	}
	if l.is("kinds share ids") {
		return "job " + id, nil
	}
	return string(s.Kind) + " " + id, nil
}

func (l *faultyLedger) Forget(_ context.Context, kind budget.Kind, id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	key, _ := l.key(budget.Scope{Kind: kind, ID: id})
	if _, known := l.limits[key]; !known && l.is("forget of an unknown account is an error") {
		return errFault
	}
	b := l.current(key)
	switch {
	case l.is("forget does nothing"):
		return nil
	case l.is("forget forgets all scopes"):
		for _, other := range l.books {
			other.spent, other.own, other.unconfirmed = 0, 0, 0
		}
	case l.is("forget is for later opens"):
		delete(l.books, l.window(key))
		return nil
	}
	reached := b.reached
	held := b.held
	*b = *newFaultyBooks()
	b.held = held
	if l.is("forget keeps the thresholds") {
		b.reached = reached
	}
	for id, h := range l.holds {
		if h.first != key {
			continue
		}
		underWay := h.state == underWay
		switch {
		case underWay && !l.is("forget drops the holds under way"):
		case h.state == expired && l.is("forget remembers what expired"):
		case h.state == expired && l.is("forget takes back what is released late"):
		case h.state == settled && l.is("forget remembers what ended"):
		case h.state == settled && l.is("forget remembers what is unconfirmed"):
		default:
			if underWay {
				h.free()
			}
			delete(l.holds, id)
		}
	}
	for id := range l.told {
		if strings.HasPrefix(id, key+"\x00") {
			delete(l.told, id)
		}
	}
	return nil
}

func (a *faultyAccount) Close(_ context.Context, final bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.shut && !a.is("each close ends an open") {
		return nil
	}
	a.shut = true
	first := a.scopes[0].ID
	a.closed[first] = true
	final = final || a.is("every close is final")
	for i, s := range a.scopes {
		a.opens[s.ID]--
		a.final[s.ID] = a.final[s.ID] || final && (i == 0 && s.Kind == budget.Job || a.is("a final close ends all scopes"))
		if a.is("the first close ends it") || a.opens[s.ID] == 0 && a.final[s.ID] {
			a.end(s.ID)
		}
	}
	if a.is("a close frees the holds under way") {
		for _, h := range a.holds {
			if h.first == first && h.state == underWay {
				h.free()
				h.state = released
			}
		}
	}
	return nil
}

// end forgets a scope, unless a hold is under way.
func (l *faultyLedger) end(key string) {
	for _, h := range l.holds {
		if h.first == key && h.state == underWay && !l.is("a final close does not wait for holds") {
			return
		}
	}
	for id, h := range l.holds {
		if h.first == key {
			delete(l.holds, id)
		}
	}
	delete(l.books, l.window(key))
	delete(l.limits, key)
}
