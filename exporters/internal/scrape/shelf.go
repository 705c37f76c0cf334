package scrape

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Limits of what clients hold that do not read.
const (
	maxClients = 512                    // that wait or read; further ones are answered with 503
	maxBodies  = 2                      // of a kind, unless they are small: one that is read, and the newest
	smallTotal = 1 << 20                // bytes of all bodies of a kind that need no limit
	lively     = 250 * time.Millisecond // a client that took something so recently is not slow
)

// Errors of shelves.
var (
	errTooMany = fmt.Errorf("limit of concurrent scrapes reached (%d), try again later", maxClients)
	errSlow    = errors.New("the client read too slowly")
)

// shelves have the bodies that are read or waited for: at most two large ones of a kind, however
// many clients read nothing. A body leaves its shelf with its last client. If a third one is
// needed, the clients of the one from which nothing was taken for the longest time are cut off. The
// zero value is ready for use. It is safe for concurrent use. No method waits for a client.
type shelves struct {
	mu      sync.Mutex
	bodies  map[kind][]*body // the oldest first
	waiting map[kind]int     // clients without a body
	clients map[*client]struct{}
	counted int      // of clients, those that were not cut off
	free    [][]byte // chunks for the next body
	most    int      // chunks of the largest body so far
}

// admit returns a new client, or an error if there are too many.
func (s *shelves) admit(w http.ResponseWriter) (*client, error) {
	c := &client{control: http.NewResponseController(w), counted: true}
	s.mu.Lock()
	var slow *client
	if s.counted >= maxClients {
		if slow = s.cutSlowest(); slow == nil {
			s.mu.Unlock()
			return nil, errTooMany
		}
	}
	if s.clients == nil {
		s.clients, s.bodies, s.waiting = make(map[*client]struct{}), make(map[kind][]*body), make(map[kind]int)
	}
	s.clients[c] = struct{}{}
	s.counted++
	s.mu.Unlock()
	if slow != nil {
		slow.stop()
	}
	return c, nil
}

// relieve cuts off the client that took its last chunk first, unless all are lively or wait.
func (s *shelves) relieve() {
	s.mu.Lock()
	slow := s.cutSlowest()
	s.mu.Unlock()
	if slow != nil {
		slow.stop()
	}
}

// cutSlowest marks the client that took its last chunk first as cut off, and returns it for the
// caller to stop; nil if all are lively or wait. The caller has s.mu.
func (s *shelves) cutSlowest() (slow *client) {
	limit := time.Now().Add(-lively)
	for c := range s.clients {
		if c.body != nil && c.body.made && !c.cut && c.moved.Before(limit) {
			slow, limit = c, c.moved
		}
	}
	if slow != nil {
		slow.cut, slow.counted = true, false
		s.counted--
	}
	return slow
}

// leave ends what admit began.
func (s *shelves) leave(c *client) {
	c.writing.Lock()
	c.left = true
	c.writing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, c)
	if c.counted {
		s.counted--
	}
	if b := c.body; b != nil {
		delete(b.clients, c)
		s.tidy(b.kind)
	}
}

// wait keeps the newest body of a kind, even if nobody reads it, until served is called as often.
func (s *shelves) wait(k kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting[k]++
}

func (s *shelves) served(k kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting[k]--
	s.tidy(k)
}

// take gives c a body whose collection began after another one. It reports whether there is one.
func (s *shelves) take(c *client, k kind, variant string, after uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.bodies[k] {
		if b.made && b.seq > after && b.variant == variant && b.whole() {
			s.give(c, b)
			return true
		}
	}
	return false
}

// give makes c a client of b.
func (s *shelves) give(c *client, b *body) {
	c.body, c.moved = b, time.Now()
	b.clients[c] = struct{}{}
}

// room makes room for another body. If clients read two large ones, it may give c the newest
// instead, and then reports true:
//
//   - if that was made less long ago than it took to make: clients that do not read keep the program
//     busy for half of the time at most;
//   - if it was made as recently as lively says, and clients have taken something of both as
//     recently: nobody is to be cut off.
func (s *shelves) room(c *client, k kind, variant string) (shared bool) {
	s.mu.Lock()
	var cut []*client
	defer func() {
		s.mu.Unlock()
		for _, c := range cut {
			c.stop()
		}
	}()
	for {
		s.drop(k, func(b *body) bool { return b.made && len(b.clients) == 0 })
		all, total := s.bodies[k], int64(0)
		for _, b := range all {
			total += b.length
		}
		if len(all) < maxBodies || total+total/int64(len(all)) <= smallTotal {
			return false
		}
		slow := slices.MinFunc(all, func(a, b *body) int { return cmp.Compare(a.moved.UnixNano(), b.moved.UnixNano()) })
		newest := all[len(all)-1]
		age, quick := time.Since(newest.finished), time.Since(slow.moved) < lively
		if (age < newest.took || age < lively && quick) && newest.variant == variant && newest.whole() {
			s.give(c, newest)
			return true
		}
		slow.cut = true
		for c := range slow.clients {
			cut = append(cut, c)
		}
		s.drop(k, func(b *body) bool { return b.cut })
	}
}

// open puts an empty body on its shelf and makes c its client. finish ends what it begins. The
// caller has the handler's turn in between, so that no other body is made.
func (s *shelves) open(c *client, k kind, variant string, seq uint64, began time.Time) *body {
	b := &body{kind: k, variant: variant, seq: seq, began: began, stock: s, clients: make(map[*client]struct{}, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies[k] = append(s.bodies[k], b)
	s.give(c, b)
	return b
}

// finish lets clients read b.
func (s *shelves) finish(b *body) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.made, b.finished = true, time.Now()
	b.moved, b.took = b.finished, b.finished.Sub(b.began)
	for c := range b.clients {
		c.moved = b.moved
	}
	s.most = max(s.most, len(b.chunks))
	s.tidy(b.kind)
}

// next returns chunk i of c's body, for which c has taken all before it.
func (s *shelves) next(c *client, i int) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := c.body
	if c.cut || b.cut {
		return nil, errSlow
	}
	c.moved = time.Now()
	b.moved = c.moved
	return b.chunks[i], nil
}

// fail records that c could not be written to, and returns err, or errSlow if c has been cut off.
func (s *shelves) fail(c *client, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.body.borrowed = true // HTTP/2 may still be writing a chunk
	if c.cut || c.body.cut {
		return errSlow
	}
	return err
}

// chunk returns an empty chunk.
func (s *shelves) chunk() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.free) - 1
	if last < 0 {
		return make([]byte, 0, chunkSize)
	}
	chunk := s.free[last]
	s.free[last], s.free = nil, s.free[:last]
	return chunk[:0]
}

// tidy drops the bodies of a kind that nobody needs. The caller has s.mu.
func (s *shelves) tidy(k kind) {
	all := s.bodies[k]
	s.drop(k, func(b *body) bool {
		return b.made && len(b.clients) == 0 && (s.waiting[k] == 0 || b != all[len(all)-1])
	})
}

// drop drops some bodies of a kind, and keeps chunks of theirs for the next. The caller has s.mu.
func (s *shelves) drop(k kind, which func(*body) bool) {
	all := s.bodies[k]
	var left []*body
	for _, b := range all {
		if !which(b) {
			left = append(left, b)
			continue
		}
		if len(b.clients) == 0 && !b.borrowed {
			s.free = append(s.free, b.chunks[:min(len(b.chunks), s.most-len(s.free))]...)
		}
		b.chunks = nil
	}
	if len(left) == 0 {
		delete(s.bodies, k)
	} else if len(left) < len(all) {
		s.bodies[k] = left
	}
}
