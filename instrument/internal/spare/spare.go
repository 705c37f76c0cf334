// Package spare keeps what was used for the next one who needs the same.
package spare

import "sync"

// most is how many things of a kind a List keeps for good.
const most = 16

// A List keeps things of one kind. Some outlive the collections of garbage, so that the first calls
// after one cost no more than others; what is beyond these is kept as by a [sync.Pool]. It is safe
// for concurrent use, and its zero value is empty.
type List[T any] struct {
	mu   sync.Mutex
	kept []*T
	more sync.Pool
}

// Get returns a thing that nobody uses, or nil.
func (l *List[T]) Get() *T {
	l.mu.Lock()
	if n := len(l.kept); n > 0 {
		v := l.kept[n-1]
		l.kept[n-1] = nil
		l.kept = l.kept[:n-1]
		l.mu.Unlock()
		return v
	}
	l.mu.Unlock()
	v, _ := l.more.Get().(*T)
	return v
}

// Put gives a thing that nobody uses any more.
func (l *List[T]) Put(v *T) {
	l.mu.Lock()
	if len(l.kept) < most {
		l.kept = append(l.kept, v)
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.more.Put(v)
}
