package instrument

import (
	"slices"
	"sync"
	"sync/atomic"
)

// history is a ring of the jobs that ended last. Its zero value keeps none.
type history struct {
	limit atomic.Int64 // changed under mu
	mu    sync.Mutex
	ended []*JobState // never changed
	next  int         // the oldest, once there are limit
}

// add keeps a job that has ended.
func (h *history) add(s JobState) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.ended) < int(h.limit.Load()) {
		h.ended = append(h.ended, &s)
		return
	}
	h.ended[h.next] = &s
	h.next = (h.next + 1) % len(h.ended)
}

// keep raises the limit to n.
func (h *history) keep(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if int64(n) > h.limit.Load() {
		h.limit.Store(int64(n))
		h.ended, h.next = slices.Concat(h.ended[h.next:], h.ended[:h.next]), 0
	}
}

// last returns the newest jobs that fit the query, and how many fit it.
func (h *history) last(q Query) (ended []JobState, fit int) {
	var found []*JobState
	h.mu.Lock()
	for i := range h.ended {
		s := h.ended[(h.next+2*len(h.ended)-1-i)%len(h.ended)]
		if !q.matches(s.Run, s.ID) {
			continue
		}
		if fit++; fit <= q.Limit {
			found = append(found, s)
		}
	}
	h.mu.Unlock()
	for _, s := range found { // without the lock, which jobs that end wait for
		ended = append(ended, s.clone())
	}
	return ended, fit
}
