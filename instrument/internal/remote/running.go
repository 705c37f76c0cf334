package remote

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stagemeter/stagemeter/instrument/budget"
)

// maxRunning is the number of operations that may be under way at once, those that nobody waits
// for any more among them.
const maxRunning = 256

// runner runs operations so that their callers can leave them behind.
type runner struct {
	slots chan struct{} // maxRunning

	abandoned atomic.Int64
	mu        sync.Mutex
	left      map[*Running]struct{} // those that were abandoned
}

// A Running is an operation under way, which its caller may have left behind.
type Running struct {
	done chan struct{}
	bal  budget.Balance // not to be read before done
	err  error

	mu        sync.Mutex
	over      bool
	abandoned bool
	then      func()
}

// after calls f when the operation is over, or at once if it is. f must not block. A nil Running is
// over.
func (r *Running) after(f func()) {
	if r == nil {
		f()
		return
	}
	r.mu.Lock()
	if !r.over {
		r.then = f
		r.mu.Unlock()
		return
	}
	r.mu.Unlock()
	f()
}

// run calls f in a goroutine of its own, and waits for it until the limit or quit. It returns the
// operation only if it left it behind.
func (n *runner) run(ctx context.Context, limit time.Duration, quit <-chan struct{}, f func(context.Context) (budget.Balance, error)) (bal budget.Balance, late *Running, err error) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	deadline := time.Now().Add(limit)
	select {
	case n.slots <- struct{}{}:
	default:
		if n.abandoned.Load() >= maxRunning {
			return budget.Balance{}, nil, errTooMany
		}
		select {
		case n.slots <- struct{}{}:
		case <-timer.C:
			return budget.Balance{}, nil, errTooMany
		case <-quit:
			return budget.Balance{}, nil, errQuit
		}
	}
	r := &Running{done: make(chan struct{})}
	inner, cancel := context.WithDeadline(ctx, deadline)
	go func() {
		r.err = errGoexit
		defer func() {
			if v := recover(); v != nil {
				r.err = panicked(v)
			}
			cancel()
			n.finish(r)
		}()
		bal, err := f(inner)
		r.bal, r.err = bal, contained(err)
	}()
	select {
	case <-r.done:
		return r.bal, nil, r.err
	case <-timer.C:
		err = noAnswer(limit)
	case <-quit:
		err = errQuit
	}
	if !n.abandon(r) { // it has ended in the meantime
		return r.bal, nil, r.err
	}
	return budget.Balance{}, r, err
}

// abandon leaves an operation behind, and reports false if it is over.
func (n *runner) abandon(r *Running) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return false
	}
	r.abandoned = true
	n.abandoned.Add(1)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.left[r] = struct{}{}
	return true
}

func (n *runner) finish(r *Running) {
	r.mu.Lock()
	r.over = true
	if r.abandoned {
		n.abandoned.Add(-1)
		n.mu.Lock()
		delete(n.left, r)
		n.mu.Unlock()
	}
	then := r.then
	close(r.done)
	r.mu.Unlock()
	<-n.slots
	if then != nil {
		then()
	}
}

// wait waits for the operations that were left behind until quit.
func (n *runner) wait(quit <-chan struct{}) {
	n.mu.Lock()
	left := make([]*Running, 0, len(n.left))
	for r := range n.left {
		left = append(left, r)
	}
	n.mu.Unlock()
	for _, r := range left {
		select {
		case <-r.done:
		case <-quit:
			return
		}
	}
}
