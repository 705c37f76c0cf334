package remote

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/internal/errs"
	"github.com/stagemeter/stagemeter/instrument/money"
)

const (
	maxQueued = 10_000
	minWait   = 100 * time.Millisecond // before the second delivery, then twice as long each time
	maxWait   = 10 * time.Second
)

// An entry is a settle, a release or a close.
type entry struct {
	account *Account
	op      Op
	hold    budget.Hold
	cost    money.USD
	told    func(budget.Balance)
	until   time.Time

	open  budget.Account // only of a close
	final bool
}

// retried reports whether an operation that failed may succeed later. An account that was closed for
// good may be lost since it was forgotten. A close that was answered is done.
func (e entry) retried(err error) bool {
	if e.op == Close || errs.Is(err, budget.ErrUnavailable) {
		return !Answered(err)
	}
	return !errs.Is(err, budget.ErrConflict) && !errs.Is(err, budget.ErrInvalid) && !(errs.Is(err, budget.ErrLost) && e.account.over())
}

// books reports whether the entry is a close that books costs.
func (e entry) books() bool {
	_, books := e.open.(interface{ BooksAtClose() })
	return books
}

// lasting returns the entry with the time until which it is tried.
func (e entry) lasting() entry {
	lease := e.hold.Lease
	if lease <= 0 {
		lease = time.Hour
	}
	e.until = time.Now().Add(lease)
	return e
}

// queue holds what is to be delivered. Its goroutine lives while there is any.
type queue struct {
	mu        sync.Mutex
	entries   []entry
	underway  int           // taken out by the goroutine
	goroutine chan struct{} // closed when it ends; nil if there is none
	closed    bool
	over      error // of Close's context, if that ended it; set before quit is closed
	lost      lost  // given up since closed

	flush chan struct{} // closed by Close
	quit  chan struct{} // closed when Close has no more time

	closing   sync.Once
	closeDone chan struct{}
	closeErr  error
}

func newQueue() queue {
	return queue{flush: make(chan struct{}), quit: make(chan struct{}), closeDone: make(chan struct{})}
}

// Pending returns how many settles, releases and closes wait to be delivered.
func (l *Ledger) Pending() int {
	l.queue.mu.Lock()
	defer l.queue.mu.Unlock()
	return len(l.queue.entries) + l.queue.underway
}

// enqueue has an entry delivered later. It never blocks.
func (l *Ledger) enqueue(e entry) {
	e = e.lasting()
	q := &l.queue
	q.mu.Lock()
	closed, full := q.closed, len(q.entries)+q.underway >= maxQueued
	if closed || full {
		q.mu.Unlock()
		if closed {
			l.giveUp(e, "the pipeline is closed")
		} else {
			l.giveUp(e, fmt.Sprintf("%d others wait already", maxQueued))
		}
		return
	}
	e.account.count(+1)
	q.entries = append(q.entries, e)
	if q.goroutine == nil {
		q.goroutine = make(chan struct{})
		go l.deliver(q.goroutine)
	}
	q.mu.Unlock()
}

func (l *Ledger) giveUp(e entry, why string) {
	l.Count(GivenUp)
	if e.op == Close {
		l.Report(fmt.Errorf("the close of %s, with what it has not booked yet, cannot be delivered to the ledger: %s", e.account, why))
		return
	}
	what := fmt.Sprintf("the release of a hold of job %q", e.hold.Job)
	if e.op == Settle {
		what = fmt.Sprintf("%s of job %q", e.cost, e.hold.Job)
		if e.hold.Unconfirmed > 0 {
			what = fmt.Sprintf("%s, of which %s is unconfirmed, of job %q", e.cost, e.hold.Unconfirmed, e.hold.Job)
		}
	}
	l.Report(fmt.Errorf("%s, API %q, hold %s, cannot be delivered to the ledger: %s", what, e.hold.API, e.hold.ID, why))
}

// deliver delivers until nothing is left.
func (l *Ledger) deliver(done chan struct{}) {
	defer close(done)
	wait, missed := minWait, 0
	for {
		e, more := l.queue.take()
		if !more {
			return
		}
		bal, err := l.send(context.Background(), e, l.queue.quit, l.queue.flushing())
		if err == nil || !e.retried(err) {
			switch {
			case err != nil:
				l.refused(e, err)
			case e.told != nil:
				e.told(bal)
			}
			wait, missed = minWait, 0
			l.done(e)
			continue
		}
		missed++
		left := l.queue.back(e)
		if Answered(err) && missed < left {
			continue // others may succeed
		}
		missed = 0
		if !l.queue.sleep(wait) {
			l.drop()
			return
		}
		l.expire()
		wait = min(2*wait, maxWait)
		if l.queue.flushing() {
			wait = minWait
		}
	}
}

// send makes the operation of an entry.
func (l *Ledger) send(ctx context.Context, e entry, quit <-chan struct{}, force bool) (budget.Balance, error) {
	limit := l.Settle
	if e.op == Release {
		limit = l.Reserve
	}
	bal, _, err := l.do(ctx, try{op: e.op, limit: limit, quit: quit, force: force}, func(ctx context.Context) (budget.Balance, error) {
		if e.op == Close {
			return budget.Balance{}, e.open.Close(ctx, e.final)
		}
		account, err := e.account.get(ctx)
		switch {
		case err != nil:
			return budget.Balance{}, err
		case e.op == Settle:
			return account.Settle(ctx, e.hold, e.cost)
		default:
			return account.Release(ctx, e.hold)
		}
	})
	return bal, err
}

// refused takes note of an answer that will not change.
func (l *Ledger) refused(e entry, err error) {
	if e.op == Close {
		l.Report(fmt.Errorf("%s: %w", e.account, err))
		return
	}
	q := &l.queue
	q.mu.Lock()
	if q.closed {
		q.lost.add(e)
	}
	q.mu.Unlock()
	l.giveUp(e, errs.Text(err))
}

// done takes note that an entry is no longer queued. After the last of an account that is to be
// closed, the close is queued, also while Close delivers.
func (l *Ledger) done(e entry) {
	e.account.count(-1)
	last, due := e.account.leaving()
	if due {
		e.account.count(+1)
	}
	q := &l.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	q.underway--
	if due {
		q.entries = append(q.entries, last.lasting())
	}
}

// expire gives up the entries whose lease is over.
func (l *Ledger) expire() {
	q, now := &l.queue, time.Now()
	q.mu.Lock()
	var over []entry
	kept := q.entries[:0]
	for _, e := range q.entries {
		if now.Before(e.until) {
			kept = append(kept, e)
		} else {
			over = append(over, e)
		}
	}
	clear(q.entries[len(kept):])
	q.entries = kept
	q.underway += len(over)
	if q.closed {
		q.lost.add(over...)
	}
	q.mu.Unlock()
	for _, e := range over {
		l.giveUp(e, "its lease is over")
		l.done(e)
	}
}

// drop gives up everything, as nobody waits any longer, with the closes that were to follow and
// would have booked something.
func (l *Ledger) drop() {
	q := &l.queue
	q.mu.Lock()
	over, why := q.entries, fmt.Sprintf("the pipeline is closed, and its time is over: %v", q.over)
	q.entries, q.underway, q.goroutine = nil, q.underway+len(over), nil
	q.mu.Unlock()
	var closes []entry
	for _, e := range over {
		l.giveUp(e, why)
		e.account.count(-1)
		if last, due := e.account.leaving(); due && last.books() {
			closes = append(closes, last)
			l.giveUp(last, why)
		}
	}
	q.mu.Lock()
	q.lost.add(over...)
	q.lost.add(closes...)
	q.underway -= len(over)
	q.mu.Unlock()
}

// take returns the first entry. Without one, the goroutine must end.
func (q *queue) take() (entry, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.entries) == 0 {
		q.entries, q.goroutine = nil, nil
		return entry{}, false
	}
	e := q.entries[0]
	q.entries[0] = entry{}
	q.entries = q.entries[1:]
	q.underway++
	return e, true
}

// back puts an entry behind the others, and returns how many there are.
func (q *queue) back(e entry) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.underway--
	q.entries = append(q.entries, e)
	return len(q.entries)
}

func (q *queue) flushing() bool {
	select {
	case <-q.flush:
		return true
	default:
		return false
	}
}

// sleep waits, and reports false if there is no more time.
func (q *queue) sleep(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	flush := q.flush
	if q.flushing() {
		flush = nil // a nil channel never is ready
	}
	select {
	case <-q.quit:
		return false
	case <-flush:
	case <-timer.C:
	}
	select {
	case <-q.quit:
		return false
	default:
		return true
	}
}
