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
	"time"

	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/internal/seam"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// exchange is one request and its answer. It is the answer's body.
type exchange struct {
	t        *Transport
	ep       *endpoint
	url      *url.URL
	request  *http.Request
	began    time.Time
	call     *instrument.Call
	own      bool // the call is this attempt's own
	asks     bool // the request was given the option to tell usage
	raw      bool // the answer is seen before a part of it is taken out
	ended    bool // and has told that it ends; of the reader's goroutine
	limited  bool // by a budget
	hint     *price.Usage
	reserved money.USD

	sentMu               sync.Mutex // of what follows
	sent                 *wire.JSON // of the request
	form                 *wire.Form
	keptSent, keptAnswer kept // for a reader of the user's own
	sentOver             bool // it is booked: nobody asks any more
	left                 bool // a part of the request was read by the client

	mu     sync.Mutex // of all below: a context that ends does so in a goroutine of its own
	body   io.ReadCloser
	resp   *http.Response
	ans    *wire.JSON
	events splitter
	packed *packed // of a compressed answer
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
	job                             job
	made                            []price.Usage // by a provider that has several measures for it
	took                            time.Duration // as the provider says; 0 if it does not
	extras                          []string      // further models that the usage is priced by, such as an option of a transcription
	wasAsked                        bool          // what the request has told was taken

	tel telemetry
}

// splitter cuts an answer into events.
type splitter interface {
	io.Writer
	Close()
	Skipped() bool
	Count() int // of events that have ended
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
	case x.ep.request != nil:
		x.sent = wire.NewJSON(x.ep.request)
	case x.ep.own == nil:
		return
	}
	r.Body = &watched{r.Body, x}
	if again := r.GetBody; again != nil { // a client that lost its connection sends the body anew
		r.GetBody = func() (io.ReadCloser, error) {
			body, err := again()
			if err != nil {
				return body, err
			}
			x.sentMu.Lock()
			defer x.sentMu.Unlock()
			x.tel.asksAnew()
			switch {
			case x.form != nil:
				x.form = wire.NewForm(kind, x.ep.form...)
			case x.sent != nil:
				x.sent = wire.NewJSON(x.ep.request)
			default:
				x.keptSent = kept{}
			}
			return &watched{body, x}, nil
		}
	}
}

// watched is a request's body. A client may go on reading it when the answer has come.
type watched struct {
	io.ReadCloser
	x *exchange
}

func (b *watched) Read(p []byte) (n int, err error) {
	n, err = b.ReadCloser.Read(p)
	if n > 0 {
		b.x.sees(p[:n])
	}
	return n, err
}

// sees takes a piece of the request that is being sent.
func (x *exchange) sees(p []byte) {
	x.sentMu.Lock()
	defer x.sentMu.Unlock()
	defer contain()
	x.left = true
	switch {
	case x.sentOver:
	case x.form != nil:
		_, _ = x.form.Write(p)
	case x.sent != nil:
		_, _ = x.sent.Write(p)
		x.tel.asks(p)
	default:
		_, _ = x.keptSent.Write(p)
	}
}

func contain() {
	if v := recover(); v != nil {
		otel.Handle(fmt.Errorf("aihttp: a bug, the call goes on: %v", v))
	}
}

// answer takes the answer's head, and becomes its body.
func (x *exchange) answer(r *http.Request, resp *http.Response) {
	x.body, x.resp = resp.Body, resp
	x.headroom(resp)
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
	case strings.HasPrefix(kind, "application/vnd.amazon.eventstream"):
		x.ans = wire.NewJSON(x.ep.answer)
		x.events = &wire.Frames{Handle: x.frame}
	case kind == "" || strings.Contains(kind, "json"):
		x.ans = wire.NewJSON(x.ep.answer)
	}
	x.tel.text = strings.HasPrefix(kind, "text/") || strings.Contains(kind, "json")
	if coding := resp.Header.Get("Content-Encoding"); coding != "" && x.ans != nil {
		x.packed = &packed{coding: coding}
	}
	if resp.Body == nil || resp.Body == http.NoBody {
		x.finish(nil)
		return
	}
	if x.asks && x.events != nil && x.packed == nil {
		x.body = struct {
			io.Reader
			io.Closer
		}{&stripper{src: resp.Body, sees: x.seesRaw}, resp.Body}
		x.raw = true
		resp.ContentLength = -1
		resp.Header.Del("Content-Length")
	}
	resp.Body = x
	if ctx := r.Context(); ctx.Done() != nil {
		x.mu.Lock() // the function may run at once
		x.stop = context.AfterFunc(ctx, func() { x.finish(context.Cause(ctx)) })
		x.mu.Unlock()
	}
}

// Read reads the answer's body.
func (x *exchange) Read(p []byte) (int, error) {
	n, err := x.body.Read(p)
	over := x.ended
	if !x.raw {
		over = x.see(p[:n])
	}
	if over || err == io.EOF {
		x.finish(nil)
	} else if err != nil {
		x.finish(err)
	}
	return n, err
}

// seesRaw takes a piece of an answer of which the caller does not get all.
func (x *exchange) seesRaw(p []byte) { x.ended = x.see(p) || x.ended }

// Close closes the answer's body.
func (x *exchange) Close() error {
	x.finish(errLeft)
	return x.body.Close()
}

// see reads a piece of the answer, and reports whether the answer has told that it ends.
func (x *exchange) see(p []byte) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.done || len(p) == 0 {
		return false
	}
	defer x.containParser()
	switch {
	case x.packed != nil:
		x.packed.take(p)
	default:
		x.parse(p)
	}
	if x.events != nil {
		x.tel.chunk(time.Since(x.began), x.events.Count())
	}
	return x.over
}

func (x *exchange) parse(p []byte) {
	x.tel.answers(p)
	switch {
	case x.events != nil:
		_, _ = x.events.Write(p)
	case x.ans != nil:
		_, _ = x.ans.Write(p)
		x.over = x.ep.job && x.ans.Done() && !x.ans.Value(0).Null() // a client may never read the end
	case x.ep.own != nil:
		_, _ = x.keptAnswer.Write(p)
	}
}

// containParser is deferred where an answer is read: what it says is then not known.
func (x *exchange) containParser() {
	if recover() != nil {
		x.bad = reasonMalformed
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

// finish books the attempt, once. Nobody waits for x.mu meanwhile: the ledger may be far away.
func (x *exchange) finish(err error) {
	x.mu.Lock()
	done, stop := x.done, x.stop
	x.done = true
	x.mu.Unlock()
	if done {
		return
	}
	if stop != nil {
		stop()
	}
	x.settle(err)
	err = x.outcome(err)
	x.show(err)
	if x.own && !x.job.open {
		seam.EndLater(x.call, &err)
	}
	x.free()
}

// free gives back what has read the exchange.
func (x *exchange) free() {
	x.ans.Free()
	x.ans = nil
	x.sentMu.Lock()
	defer x.sentMu.Unlock()
	x.sent.Free()
	x.sent, x.sentOver = nil, true
}
