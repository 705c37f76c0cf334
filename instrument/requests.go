package instrument

import (
	"context"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/stagemeter/stagemeter/instrument/internal/spare"
)

// requests holds what the HTTP clients of one call have told of their requests.
type requests struct {
	trace                      *httptrace.ClientTrace
	composed                   bool         // with that of a context, so that no other call can have it
	tried, got, left, answered atomic.Int32 // connections looked for and got, requests
}

// idleRequests are requests of calls that have ended: a trace costs seven allocations.
var idleRequests spare.List[requests]

// noRequests is what a call has whose requests have gone to another one.
var noRequests = &requests{trace: new(httptrace.ClientTrace), composed: true}

func newRequests() *requests {
	if r := idleRequests.Get(); r != nil {
		return r
	}
	r := new(requests)
	r.trace = &httptrace.ClientTrace{
		GetConn:              func(string) { r.tried.Add(1) },
		GotConn:              func(httptrace.GotConnInfo) { r.got.Add(1) },
		WroteHeaders:         func() { r.left.Add(1) },
		GotFirstResponseByte: func() { r.answered.Add(1) },
	}
	return r
}

// lazyRequests makes requests when an HTTP client first asks the call's context for a trace, so
// that a call of another kind does not pay for it.
type lazyRequests struct{ p atomic.Pointer[requests] }

// A sighting is what is known of the requests of a call.
type sighting int

const (
	notSeen   sighting = iota // no HTTP client has asked for a trace, or what it did cannot be told
	notTried                  // one has asked, and has not looked for a connection
	noneLeft                  // it looked for a connection, and got none
	someLeft                  // a request left; if there were several, all were answered
	oneIsLost                 // of several requests that left, at least one was not answered
)

// clientTraceKey is the key under which package httptrace finds a trace in a context, or nil if it
// looks in another way.
var clientTraceKey = func() any {
	var asked keyRecorder
	httptrace.ContextClientTrace(&asked)
	return asked.key
}()

// keyRecorder is a context that remembers what it was asked for.
type keyRecorder struct {
	context.Context
	key any
}

func (r *keyRecorder) Value(key any) any { r.key = key; return nil }

// in returns the call's trace, composed with that of the context around the call.
func (l *lazyRequests) in(outer context.Context) *httptrace.ClientTrace {
	switch {
	case l.p.Load() != nil:
	case outer.Value(clientTraceKey) != nil:
		l.watch(outer)
	default:
		if r := newRequests(); !l.p.CompareAndSwap(nil, r) {
			idleRequests.Put(r)
		}
	}
	return l.p.Load().trace
}

// free gives the requests of a call that has ended to another one, if nothing more will be told of
// them: what was begun was told to its end. It is for a call whose context only one client has had.
// If that goes on to use it, the other call seems to have made a request more, and is rather thought
// to have been charged.
func (l *lazyRequests) free() {
	r := l.p.Load()
	if r == nil || r.composed {
		return
	}
	n := r.tried.Load()
	if n == 0 || n != r.got.Load() || n != r.left.Load() || n != r.answered.Load() || !l.p.CompareAndSwap(r, noRequests) {
		return
	}
	r.tried.Store(0)
	r.got.Store(0)
	r.left.Store(0)
	r.answered.Store(0)
	idleRequests.Put(r)
}

// watch returns outer with the call's trace.
func (l *lazyRequests) watch(outer context.Context) context.Context {
	r := newRequests()
	ctx := httptrace.WithClientTrace(outer, r.trace) // which changes r.trace
	r.composed = true
	l.p.CompareAndSwap(nil, r)
	return ctx
}

// seen returns what the call's requests have come to. A request has left once its headers are
// written: HTTP/2 sends them at once, HTTP/1 before a body that is not in memory. The CONNECT of a
// proxy is none of the call's requests. A client that got a connection may have sent a request that
// it has not told of: one of HTTP/2 that is canceled returns before it has written.
func (l *lazyRequests) seen() sighting {
	r := l.p.Load()
	if r == nil {
		return notSeen
	}
	switch left := r.left.Load(); {
	case left > 1 && r.answered.Load() < left:
		return oneIsLost
	case left > 0:
		return someLeft
	case r.got.Load() > 0:
		return notSeen
	case r.tried.Load() > 0:
		return noneLeft
	}
	return notTried
}
