package instrument

import (
	"container/list"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagemeter/stagemeter/instrument/money"
)

// Of so many jobs, and for so long, the pipeline remembers what attempts have spent.
const (
	maxAttempts = 10_000
	attemptsFor = 24 * time.Hour
)

// earlierCosts has what the runs of a job have spent that ended without completing it, if no account
// has it.
type earlierCosts struct {
	n    atomic.Int64 // len(byID), so that a start need not lock while that is 0
	mu   sync.Mutex
	byID map[string]*list.Element
	ages list.List // of *earlierCost, the newest first
}

type earlierCost struct {
	id   string
	cost USD
	at   time.Time
}

// add adds what a run has spent.
func (a *earlierCosts) add(id string, cost USD) {
	if cost == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if a.byID == nil {
		a.byID = make(map[string]*list.Element)
	}
	e := a.byID[id]
	if e == nil {
		e = a.ages.PushFront(&earlierCost{id: id})
		a.byID[id] = e
	}
	old := e.Value.(*earlierCost)
	if now.Sub(old.at) >= attemptsFor {
		old.cost = 0
	}
	old.cost, old.at = money.Sum(old.cost, cost), now
	a.ages.MoveToFront(e)
	for {
		oldest := a.ages.Back()
		if a.ages.Len() <= maxAttempts && now.Sub(oldest.Value.(*earlierCost).at) < attemptsFor {
			break
		}
		a.remove(oldest)
	}
	a.n.Store(int64(len(a.byID)))
}

// take returns what earlier runs have spent, and forgets it.
func (a *earlierCosts) take(id string) USD {
	if a.n.Load() == 0 {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.byID[id]
	if e == nil {
		return 0
	}
	a.remove(e)
	a.n.Store(int64(len(a.byID)))
	if old := e.Value.(*earlierCost); time.Since(old.at) < attemptsFor {
		return old.cost
	}
	return 0
}

func (a *earlierCosts) remove(e *list.Element) {
	a.ages.Remove(e)
	delete(a.byID, e.Value.(*earlierCost).id)
}
