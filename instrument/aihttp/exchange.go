package aihttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// exchange is one request and its answer. It is the answer's body.
type exchange struct {
	t        *Transport
	ep       *endpoint
	url      *url.URL
	call     *instrument.Call
	own      bool // the call is this attempt's own
	hint     *price.Usage
	reserved money.USD

	sent *wire.JSON // of the request
	form *wire.Form
	left atomic.Bool // a part of the request was read by the client

	mu     sync.Mutex // of all below: a context that ends does so in a goroutine of its own
	body   io.ReadCloser
	resp   *http.Response
	ans    *wire.JSON
	events *wire.Events
	packed []byte // of a compressed answer
	stop   func() bool
	done   bool

	askedModel, model, tier, region string
	usage                           price.Usage
	figures                         [figures]int64 // of a stream that tells them one by one
	given                           uint16         // a bit for each that was told
	hasUsage                        bool
	reported                        money.USD // what the provider says it charged
	isReported                      bool
	bad                             string // why the usage is not to be trusted
	over                            bool   // the stream has told that it ends
	upper                           price.Usage
}

// watchRequest reads what the request says while it is sent.
func (x *exchange) watchRequest(r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	kind := r.Header.Get("Content-Type")
	switch {
	case x.ep.form != nil && strings.HasPrefix(kind, "multipart/"):
		if x.form = wire.NewForm(kind, x.ep.form...); x.form == nil {
			return
		}
		r.Body = &watched{r.Body, x, x.form}
	case x.ep.request != nil:
		x.sent = wire.NewJSON(x.ep.request)
		r.Body = &watched{r.Body, x, x.sent}
	}
}

// watched is a body that is written to w while it is read.
type watched struct {
	io.ReadCloser
	x *exchange
	w io.Writer
}

func (b *watched) Read(p []byte) (n int, err error) {
	n, err = b.ReadCloser.Read(p)
	if n > 0 {
		b.x.left.Store(true)
		b.watch(p[:n])
	}
	return n, err
}

func (b *watched) watch(p []byte) {
	defer contain()
	_, _ = b.w.Write(p)
}

func contain() {
	if v := recover(); v != nil {
		otel.Handle(fmt.Errorf("aihttp: a bug, the call goes on: %v", v))
	}
}

// answer takes the answer's head, and becomes its body.
func (x *exchange) answer(r *http.Request, resp *http.Response) {
	x.body, x.resp = resp.Body, resp
	if resp.StatusCode/100 != 2 {
		x.finish(statusError(resp.StatusCode))
		return
	}
	if x.ep.head != nil {
		x.ep.head(x, resp.Header)
	}
	kind := resp.Header.Get("Content-Type")
	switch {
	case x.ep.answer == nil:
	case strings.HasPrefix(kind, "text/event-stream"):
		x.ans = wire.NewJSON(x.ep.answer)
		x.events = &wire.Events{Handle: x.event, Wanted: x.wanted}
	case kind == "" || strings.Contains(kind, "json"):
		x.ans = wire.NewJSON(x.ep.answer)
	}
	if resp.Body == nil || resp.Body == http.NoBody {
		x.finish(nil)
		return
	}
	resp.Body = x
	if done := r.Context().Done(); done != nil {
		x.stop = context.AfterFunc(r.Context(), func() {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.finish(context.Cause(r.Context()))
		})
	}
}

// Read reads the answer's body.
func (x *exchange) Read(p []byte) (int, error) {
	n, err := x.body.Read(p)
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.done {
		x.see(p[:n])
		switch {
		case x.over || err == io.EOF:
			x.finish(nil)
		case err != nil:
			x.finish(err)
		}
	}
	return n, err
}

// Close closes the answer's body.
func (x *exchange) Close() error {
	x.mu.Lock()
	x.finish(errLeft)
	x.mu.Unlock()
	return x.body.Close()
}

// see reads a piece of the answer.
func (x *exchange) see(p []byte) {
	defer func() {
		if recover() != nil {
			x.bad = "malformed"
		}
	}()
	switch {
	case x.events != nil:
		_, _ = x.events.Write(p)
	case x.ans != nil:
		_, _ = x.ans.Write(p)
	}
}

func (x *exchange) wanted(line []byte) bool {
	if x.ep.last != nil && x.ep.last(line) {
		return true
	}
	for _, needle := range x.ep.needles {
		if containsBytes(line, needle) {
			return true
		}
	}
	return false
}

func (x *exchange) event(data []byte) {
	if x.over {
		return
	}
	x.ans.Reset()
	_, _ = x.ans.Write(data)
	x.ep.read(x, x.ans)
	x.over = x.ep.last != nil && x.ep.last(data)
}

// errLeft says that the caller closed an answer before its end.
var errLeft = errors.New("the answer was closed before its end")

// statusError is the status of an answer that is no success.
type statusError int

func (e statusError) Error() string   { return fmt.Sprintf("HTTP status %d", int(e)) }
func (e statusError) StatusCode() int { return int(e) }

// failed ends the call of a request that has no answer.
func (x *exchange) failed(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.finish(err)
}

// finish books the attempt, once. The caller holds x.mu.
func (x *exchange) finish(err error) {
	if x.done {
		return
	}
	x.done = true
	if x.stop != nil {
		x.stop()
	}
	x.settle(err)
	if x.own {
		err = x.outcome(err)
		x.call.End(&err)
	}
}
