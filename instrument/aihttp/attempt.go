package aihttp

import (
	"context"
	"io"
	"net/http"
	"sync"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
)

// attempt is one request that is sent, its context, its body and its answer's body, in a single
// allocation. Others may hold any of these for as long as they like, so an attempt is never used
// again. Its exchange holds the expensive parts, and goes back to the pool when the attempt ends.
type attempt struct {
	request http.Request // that is sent
	ctx     meteredContext
	sent    watched
	body    io.ReadCloser // of the answer
	raw     bool          // the answer is seen before a part of it is taken out
	ended   bool          // and has told that it ends; of the reader's goroutine

	mu sync.Mutex
	x  *exchange // nil once the attempt has ended; guarded by mu
}

// meteredKey marks the context of a request that a Transport meters, so that one below it does not.
type meteredKey struct{}

type meteredContext struct{ context.Context }

func (c *meteredContext) Value(key any) any {
	if _, ok := key.(meteredKey); ok {
		return true
	}
	return c.Context.Value(key)
}

// send makes the request that is sent in ctx for r.
func (a *attempt) send(ctx context.Context, r *http.Request) *http.Request {
	a.ctx.Context = ctx
	a.request = *r.WithContext(&a.ctx) // the copy of WithContext is not allocated
	return &a.request
}

// watch reads what the request says while it is sent.
func (a *attempt) watch(x *exchange) {
	defer contain()
	r := &a.request
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	kind := r.Header.Get("Content-Type")
	switch {
	case x.ep.form != nil && isForm(kind):
		if x.form = wire.NewForm(kind, x.ep.form...); x.form == nil {
			return
		}
	case x.ep.request != nil:
		x.sent = wire.NewJSON(x.ep.request)
	case x.ep.own == nil:
		return
	}
	if x.own && x.readAhead(r.Body) { // its call sees by itself whether a part of it left
		return
	}
	a.sent = watched{r.Body, a}
	r.Body = &a.sent
	if again := r.GetBody; again != nil { // a client that lost its connection sends the body anew
		r.GetBody = func() (io.ReadCloser, error) {
			body, err := again()
			if err != nil {
				return body, err
			}
			a.sendsAnew(kind)
			return &watched{body, a}, nil
		}
	}
}

func (a *attempt) sendsAnew(kind string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.x != nil {
		a.x.sendsAnew(kind)
	}
}

// watched is a request's body. A client may go on reading it when the answer has come.
type watched struct {
	io.ReadCloser
	a *attempt
}

func (b *watched) Read(p []byte) (n int, err error) {
	n, err = b.ReadCloser.Read(p)
	if n > 0 {
		b.a.sends(p[:n])
	}
	return n, err
}

// sends takes a piece of the request that is being sent.
func (a *attempt) sends(p []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.x != nil {
		a.x.sends(p)
	}
}

// answer takes the answer's head, and becomes its body.
func (a *attempt) answer(x *exchange, resp *http.Response, asked bool) {
	a.mu.Lock()
	read := x.head(resp)
	a.mu.Unlock()
	switch {
	case isRedirect(resp):
		a.redirect(resp)
		return
	case !read:
		a.finish(statusError(resp.StatusCode))
		return
	case resp.Body == nil || resp.Body == http.NoBody:
		a.finish(nil)
		return
	}
	a.body = resp.Body
	if asked && (x.events != nil || x.sniffs) && x.packed == nil {
		a.body = struct {
			io.Reader
			io.Closer
		}{&stripper{src: resp.Body, sees: a.seesRaw}, resp.Body}
		a.raw = true
		resp.ContentLength = -1
		resp.Header.Del("Content-Length")
	}
	resp.Body = a
	if ctx := x.request.Context(); ctx.Done() != nil {
		a.mu.Lock() // the function may run at once
		x.stop = context.AfterFunc(ctx, x.gone)
		a.mu.Unlock()
	}
}

// Read reads the answer's body.
func (a *attempt) Read(p []byte) (int, error) {
	n, err := a.body.Read(p)
	over := a.ended
	if !a.raw {
		over = a.see(p[:n])
	}
	if over || err == io.EOF {
		a.finish(nil)
	} else if err != nil {
		a.finish(err)
	}
	return n, err
}

// seesRaw takes a piece of an answer of which the caller does not get all.
func (a *attempt) seesRaw(p []byte) { a.ended = a.see(p) || a.ended }

// see takes a piece of the answer, and reports whether the answer has told that it ends.
func (a *attempt) see(p []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.x != nil && len(p) > 0 && a.x.see(p)
}

// Close closes the answer's body.
func (a *attempt) Close() error {
	a.finish(errLeft)
	return a.body.Close()
}

// finish ends the attempt, once. Nobody waits for a.mu while it is booked: the ledger may be far
// away.
func (a *attempt) finish(err error) {
	a.mu.Lock()
	x := a.x
	a.x = nil
	a.mu.Unlock()
	if x == nil {
		return
	}
	unwatched := x.stop == nil || x.stop() // else x.gone runs, now or later
	x.book(err)
	if unwatched {
		x.free()
	}
}
