package instrument

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// history is a ring of the jobs that ended last. Its zero value keeps none.
type history struct {
	limit     atomic.Int64 // changed under mu
	forgotten atomic.Int64 // when the newest job that is not kept ended, in Unix nanoseconds; 0: none
	mu        sync.Mutex
	ended     []*JobState // never changed
	next      int         // the oldest, once there are limit
}

// forget takes note of the end of a job that is not kept, or no longer.
func (h *history) forget(end time.Time) { h.forgotten.Store(end.UnixNano()) }

// forgot returns when the newest job ended that is not kept.
func (h *history) forgot() time.Time {
	if at := h.forgotten.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// add keeps a job that has ended.
func (h *history) add(s JobState) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.ended) < int(h.limit.Load()) {
		h.ended = append(h.ended, &s)
		return
	}
	h.forget(h.ended[h.next].End)
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
