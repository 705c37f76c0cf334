package push

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Bounds of one request. A gRPC receiver takes 4 MiB by default; some room is left for
// additions of a proxy.
const (
	maxItems  = 2048
	maxBytes  = 4<<20 - 64<<10
	moreItems = 128 // after each request that arrives in time
	minBytes  = 64 << 10
	minLarge  = 16 << 10 // bytes of an item for which alone a receiver may close the connection
)

// learned is how long a receiver's limit of bytes is remembered.
const learned = time.Hour

// A batch is data that goes out in one or more requests.
type batch struct {
	n    int                                           // items
	size func(from, to int) int                        // upper bound of the bytes of a request with these items
	name func(i int) string                            // for people
	send func(ctx context.Context, from, to int) error // sends a request with these items, once
}

// A sender sends the requests of one signal. It cuts batches by the limits of the receiver, tries a
// request again while its time lasts, and waits if the receiver asks for it. It is safe for
// concurrent use.
type sender struct {
	timeout time.Duration // of a request, with its retries
	most    int           // items of a request
	stop    chan struct{} // closed by end

	mu     sync.Mutex
	ended  bool
	last   time.Time       // when Shutdown is over; set by end
	over   <-chan struct{} // closed when Shutdown is over, which may be earlier; set by end
	spent  bool            // the one request that end allows, though the receiver asks to wait
	until  time.Time       // the receiver asks to be left alone until then
	bytes  int             // of a request, at most, as the receiver has shown
	byWhen time.Time       // bytes is forgotten then
	items  int             // of a request, at most: fewer if they took too long
}

func newSender(timeout time.Duration, most int) *sender {
	return &sender{timeout: timeout, most: most, stop: make(chan struct{}), bytes: maxBytes, items: most}
}

// wait returns how long the receiver still wants to be left alone.
func (s *sender) wait() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(0, time.Until(s.until))
}

// leave notes that the receiver asks to be left alone for d.
func (s *sender) leave(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if until := time.Now().Add(d); until.After(s.until) {
		s.until = until
	}
}

// end ends the waits of hold that would last longer than ctx.
func (s *sender) end(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	s.last, _ = ctx.Deadline()
	s.over = ctx.Done()
	close(s.stop)
}

// hold waits as long as the receiver asks for it, and reports whether to send. After end it does
// not wait for longer than Shutdown lasts. If that is too short, it allows one request at once,
// because nothing can be sent later, and no other.
func (s *sender) hold() bool {
	stop, over := s.stop, (<-chan struct{})(nil)
	for {
		wait := s.wait()
		if wait == 0 {
			return true
		}
		select {
		case <-s.stop:
			if !s.inTime(wait) {
				return s.once()
			}
			stop, over = nil, s.over
		default:
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-stop:
			timer.Stop()
		case <-over:
			timer.Stop()
			return false
		}
	}
}

// tooEarly returns an error if the receiver asks to be left alone for longer than ctx lasts.
func (s *sender) tooEarly(ctx context.Context) error {
	wait := s.wait()
	if deadline, ok := ctx.Deadline(); wait > 0 && ok && time.Now().Add(wait).After(deadline) {
		return fmt.Errorf("the receiver asks to wait %v more", wait.Round(time.Millisecond))
	}
	return nil
}

// inTime reports whether a wait is over before Shutdown is.
func (s *sender) inTime(wait time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(wait).Before(s.last)
}

// once reports whether it is called for the first time.
func (s *sender) once() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.spent
	s.spent = true
	return first
}

// limits returns how many items and bytes a request may have.
func (s *sender) limits() (items, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.byWhen.IsZero() && time.Now().After(s.byWhen) {
		s.bytes, s.byWhen = maxBytes, time.Time{}
	}
	return s.items, s.bytes
}

// learn notes that a request of several items and of size bytes was too large. It is not noted
// below minBytes: a proxy that is set up wrong for a minute would make every later request tiny.
func (s *sender) learn(size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes, s.byWhen = min(s.bytes, max(minBytes, size/2)), time.Now().Add(learned)
}

// took notes whether n items arrived in time. A receiver that takes some no longer asks to wait.
// After a timeout requests have half as many, until they arrive again: a receiver that is slow for
// each item would time out for ever.
func (s *sender) took(n int, inTime bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if inTime {
		s.until = time.Time{}
		s.items = min(s.most, s.items+moreItems)
	} else if n > 1 {
		s.items = min(s.items, n) / 2
	}
}

// request sends items [from, to) of b. It tries again while the receiver may recover, within the
// time of a request, and returns at once if the receiver asks for a longer wait than that.
func (s *sender) request(ctx context.Context, b *batch, from, to int) outcome {
	ctx, cancel := context.WithTimeoutCause(ctx, s.timeout, errTimeout)
	defer cancel()
	backoff := retryFirst
	for try := 1; ; try++ {
		var a answer
		o := judge(b.send(withAnswer(ctx, &a), from, to), a, to-from)
		if o.verdict == delivered {
			s.took(to-from, true)
			return o
		}
		if o.delay > 0 {
			s.leave(o.delay)
		}
		if o.timeout = timedOut(ctx); o.timeout {
			s.took(to-from, false)
		}
		if !o.retry || ctx.Err() != nil || o.verdict == closed && try > 1 {
			return o
		}
		if o.verdict == closed { // it may have been closed while idle
			continue
		}
		pause := max(o.delay, time.Duration((0.5+rand.Float64())*float64(backoff)))
		backoff = min(retryMax, backoff*3/2)
		if deadline, ok := ctx.Deadline(); ok && time.Now().Add(pause).After(deadline) || !sleep(ctx, pause) {
			return o
		}
	}
}

// sleep waits for d and returns true, or false if ctx is done first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
