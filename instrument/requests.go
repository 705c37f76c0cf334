package instrument

import (
	"context"
	"net/http/httptrace"
	"sync/atomic"
)

// requests holds what the HTTP clients of one call have told of their requests.
type requests struct {
	trace                      *httptrace.ClientTrace
	tried, got, left, answered atomic.Int32 // connections looked for and got, requests
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
	if l.p.Load() == nil {
		l.watch(outer)
	}
	return l.p.Load().trace
}

// watch returns outer with the call's trace.
func (l *lazyRequests) watch(outer context.Context) context.Context {
	r := new(requests)
	ctx := httptrace.WithClientTrace(outer, &httptrace.ClientTrace{
		GetConn:              func(string) { r.tried.Add(1) },
		GotConn:              func(httptrace.GotConnInfo) { r.got.Add(1) },
		WroteHeaders:         func() { r.left.Add(1) },
		GotFirstResponseByte: func() { r.answered.Add(1) },
	})
	r.trace = httptrace.ContextClientTrace(ctx)
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
