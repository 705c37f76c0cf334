package aihttp

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/internal/seam"
)

// redirected is what an attempt that was answered by a redirect leaves to the request that follows.
//
// A redirect is no call: what was held for it is given back, and nothing is counted. The request that
// follows is the call, wherever it goes, since a client follows a paid request only to its answer.
type redirected struct {
	ep       *endpoint
	url      *url.URL
	began    time.Time
	bounds   []instrument.CallOption
	reserved usd
	sent     *wire.JSON
	form     *wire.Form
	keptSent kept
}

// redirectedKey marks the context of the request of a redirect, which net/http hands to the next one.
type redirectedKey struct{}

// isRedirect reports whether an answer sends the client to another place.
func isRedirect(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return resp.Header.Get("Location") != ""
	}
	return false
}

// redirect ends an attempt that was answered by a redirect.
func (a *attempt) redirect(resp *http.Response) {
	a.mu.Lock()
	x := a.x
	a.x = nil // what is left of the request is not read any more
	a.mu.Unlock()
	if x == nil {
		return
	}
	if x.own {
		seam.Drop(x.call)
	} else if x.tel.span != nil {
		x.tel.span.SetName("redirect")
		x.tel.span.SetAttributes(statusKey.Int(resp.StatusCode))
		seam.EndSpan(x.call, x.tel.span, nil)
	}
	left := &redirected{x.ep, x.url, x.began, x.bounds, x.reserved, x.sent, x.form, x.keptSent}
	resp.Request = x.request.WithContext(context.WithValue(x.request.Context(), redirectedKey{}, left))
	x.sent = nil // it is not free yet
	x.free()
}

// redirectedFrom returns what the attempt has left whose answer sent the client here, or nil.
func redirectedFrom(r *http.Request) *redirected {
	if r == nil || r.Response == nil || r.Response.Request == nil {
		return nil
	}
	left, _ := r.Response.Request.Context().Value(redirectedKey{}).(*redirected)
	return left
}

// follow makes the exchange one of a request that follows a redirect. x.ep is nil if nothing is known
// of where it goes. A request without a body asks for what the one before has asked for.
func (x *exchange) follow(from *redirected) {
	x.began = from.began
	if x.ep == nil {
		x.ep, x.url = from.ep, from.url
	}
	if x.ep != from.ep {
		return
	}
	x.bounds, x.reserved = from.bounds, from.reserved
	if x.request.Body == nil || x.request.Body == http.NoBody {
		x.sent, x.form, x.keptSent = from.sent, from.form, from.keptSent
		from.sent = nil
	}
}

// limits returns the options that reserve what the call costs at most.
func (x *exchange) limits(r *http.Request) []instrument.CallOption {
	if x.bounds == nil {
		x.bounds = x.bound(r)
	}
	return x.bounds
}
