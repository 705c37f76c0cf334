package remote

import (
	"context"
	"fmt"

	"github.com/stagemeter/stagemeter/instrument/budget"
)

// lost counts what could not be delivered.
type lost struct{ holds, accounts int }

func (l *lost) add(entries ...entry) {
	for _, e := range entries {
		if e.op == Close {
			l.accounts++
		} else {
			l.holds++
		}
	}
}

func (l lost) String() string {
	holds := fmt.Sprintf("%d settles and releases could not be delivered", l.holds)
	closes := fmt.Sprintf("%d accounts could not be closed", l.accounts)
	switch {
	case l.accounts == 0:
		return holds
	case l.holds == 0:
		return closes + ", with what they had not booked yet"
	}
	return holds + ", and " + closes + ", with what they had not booked yet"
}

// Close delivers what is queued, until ctx is done. The error says how much could not be delivered.
// Whatever fails later is given up at once. Only the first Close does anything; the others wait for
// it, until their ctx is done.
func (l *Ledger) Close(ctx context.Context) error {
	q := &l.queue
	first := false
	q.closing.Do(func() { first = true })
	if !first {
		select {
		case <-q.closeDone:
		case <-ctx.Done():
		}
		select {
		case <-q.closeDone:
			return q.closeErr
		default:
			return ctx.Err()
		}
	}
	defer close(q.closeDone)
	l.await(ctx)
	q.mu.Lock()
	q.closed = true
	goroutine := q.goroutine
	q.mu.Unlock()
	close(q.flush)
	if goroutine != nil {
		select {
		case <-goroutine:
		case <-ctx.Done():
		}
	}
	q.mu.Lock()
	q.over = ctx.Err()
	q.mu.Unlock()
	close(q.quit)
	if goroutine != nil {
		<-goroutine
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lost != (lost{}) {
		q.closeErr = fmt.Errorf("%w: %s", budget.ErrUnavailable, q.lost)
		if q.over != nil {
			q.closeErr = fmt.Errorf("%w: %w", q.closeErr, q.over)
		}
	}
	return q.closeErr
}

// await waits for the operations that nobody waits for any more, but not for long: some may never
// return.
func (l *Ledger) await(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, l.Settle)
	defer cancel()
	l.runner.wait(ctx.Done())
}
