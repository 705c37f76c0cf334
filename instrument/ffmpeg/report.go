package ffmpeg

import (
	"fmt"
	"runtime/debug"
	"sync"

	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/instrument"
)

// A reporter calls a progress function on a goroutine of its own, each time with the newest state.
// Only close waits for the function. A nil reporter does nothing.
type reporter struct {
	fn   func(Progress)
	wake chan struct{} // a state waits in next, or closing is set
	done chan struct{}

	mu      sync.Mutex
	next    *Progress
	closing bool
}

func newReporter(fn func(Progress)) *reporter {
	if fn == nil {
		return nil
	}
	r := &reporter{fn: fn, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go r.loop()
	return r
}

// offer replaces the state that is to be delivered next. It does not block.
func (r *reporter) offer(p Progress) {
	if r == nil {
		return
	}
	r.mu.Lock()
	r.next = &p
	r.mu.Unlock()
	r.signal()
}

// close waits until the last state is delivered.
func (r *reporter) close() {
	if r == nil {
		return
	}
	r.mu.Lock()
	r.closing = true
	r.mu.Unlock()
	r.signal()
	<-r.done
}

func (r *reporter) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *reporter) loop() {
	defer close(r.done) // even if the function ends the goroutine
	for range r.wake {
		r.mu.Lock()
		p, closing := r.next, r.closing
		r.next = nil
		r.mu.Unlock()
		if p != nil && !r.call(*p) || closing {
			return
		}
	}
}

func (r *reporter) call(p Progress) (ok bool) {
	defer func() {
		if v := recover(); v != nil {
			otel.Handle(fmt.Errorf("ffmpeg: WithProgress: %w", &instrument.PanicError{Value: v, Stack: debug.Stack()}))
		}
	}()
	r.fn(p)
	return true
}
