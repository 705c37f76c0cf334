package aihttp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/internal/seam"
	"github.com/stagemeter/stagemeter/instrument/internal/spare"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// exchange is what is known of one request and its answer, until it is booked. It is its attempt's
// own: only the attempt's methods use it, with the attempt's lock. Once the attempt has given it up,
// it is booked by one goroutine, and used again for another attempt.
type exchange struct {
	t        *Transport
	a        *attempt
	ep       *endpoint
	url      *url.URL
	request  *http.Request
	began    time.Time
	call     *instrument.Call
	own      bool // the call is this attempt's own
	limited  bool // by a budget
	hint     *price.Usage
	reserved money.USD
	bounds   []instrument.CallOption // that reserve it

	sent                 *wire.JSON // of the request
	form                 *wire.Form
	keptSent, keptAnswer kept // for a reader of the user's own
	left                 bool // a part of the request was read by the client
	sniffs               bool // the first bytes of the answer tell whether it is a stream
	unsplit              bool // its tokens of input are of text or of sound

	resp   *http.Response
	ans    *wire.JSON
	events splitter
	read   int         // of the events
	packed *packed     // of a compressed answer
	stop   func() bool // watching the context; nil if that never ends

	askedModel, model, tier, region string
	usage                           price.Usage
	told                            told          // of a stream that tells figures one by one
	also                            []price.Usage // beside usage, each at rates of its own; "" is the model of usage
	instead                         bool          // also has all tokens
	parts, halved                   money.USD     // the price of all parts of a batch, and of those that cost half of it
	inParts                         bool          // that is the price
	untold                          int64         // tokens of output whose modality only the request tells
	hasUsage                        bool
	reported                        money.USD // what the provider says it charged
	isReported                      bool
	headCost                        bool   // the answer's head has told it
	bad                             string // why the usage is not to be trusted
	over                            bool   // the stream has told that it ends
	job                             job
	made                            []price.Usage // by a provider that has several measures for it
	took                            time.Duration // as the provider says; 0 if it does not
	extras                          []string      // further models that the usage is priced by, such as an option of a transcription
	wasAsked                        bool          // what the request has told was taken

	tools tools
	long  longEvent
	batch batched

	tel telemetry

	reused
}

// reused is what an exchange keeps for the next one.
type reused struct {
	lines wire.Events
	gone  func() // ends the attempt, since its context has ended
	err   error  // with which the call ends
	piece *[512]byte
	held  []byte // an event that was put off; see readAtOnce
	item  func() // of an answer
}

// maxHeld is the most memory of an event that is kept for another exchange.
const maxHeld = 16 << 10

var exchanges spare.List[exchange]

func newExchange() *exchange {
	if x := exchanges.Get(); x != nil {
		return x
	}
	x := new(exchange)
	x.piece = new([512]byte)
	x.lines.Handle, x.lines.Wanted, x.lines.Piece = x.event, x.wanted, x.longPiece
	x.item = func() { x.ep.item(x, x.ans) }
	x.gone = func() { x.a.finish(context.Cause(x.request.Context())) }
	return x
}

// free gives an exchange back that nobody uses any more.
func (x *exchange) free() {
	x.ans.Free()
	x.sent.Free()
	x.lines.Reset()
	x.err = nil
	if x.held = x.held[:0]; cap(x.held) > maxHeld {
		x.held = nil
	}
	*x = exchange{reused: x.reused}
	exchanges.Put(x)
}

// splitter cuts an answer into events.
type splitter interface {
	io.Writer
	Close()
	Skipped() bool
	Count() int // of events that have ended
}

// sends takes a piece of the request.
func (x *exchange) sends(p []byte) {
	defer contain()
	x.left = true
	switch {
	case x.form != nil:
		_, _ = x.form.Write(p)
	case x.sent != nil:
		_, _ = x.sent.Write(p)
		x.tel.asks(p)
	default:
		_, _ = x.keptSent.Write(p)
	}
}

// sendsAnew takes that the request is sent from its begin.
func (x *exchange) sendsAnew(kind string) {
	defer contain()
	x.tel.asksAnew()
	switch {
	case x.form != nil:
		x.form = wire.NewForm(kind, x.ep.form...)
	case x.sent != nil:
		x.sent.Reset()
	default:
		x.keptSent = kept{}
	}
}

func contain() {
	if v := recover(); v != nil {
		otel.Handle(fmt.Errorf("aihttp: a bug, the call goes on: %v", v))
	}
}

// head takes the answer's head, and reports whether its body is of interest.
func (x *exchange) head(resp *http.Response) (read bool) {
	defer x.containParser()
	x.resp = resp
	read = resp.StatusCode/100 == 2
	x.headroom(resp)
	if !read {
		if x.ep.refused != nil {
			x.ep.refused(x, resp.Header)
		}
		return read
	}
	if x.ep.head != nil {
		x.ep.head(x, resp.Header)
	}
	kind := strings.ToLower(resp.Header.Get("Content-Type"))
	switch {
	case x.ep.answer == nil:
	case x.ep.lines:
		x.ans = x.reader()
		x.events = &lines{x: x}
	case strings.HasPrefix(kind, "text/event-stream"):
		x.ans = x.reader()
		x.stream()
	case strings.HasPrefix(kind, "application/vnd.amazon.eventstream"):
		x.ans = x.reader()
		x.events = &wire.Frames{Handle: x.frame}
	case strings.Contains(kind, "json"):
		x.ans = x.reader()
	case kind == "" || strings.HasPrefix(kind, "text/plain") && x.ep.operation == "chat":
		x.ans, x.sniffs = x.reader(), true
	}
	x.tel.text = strings.HasPrefix(kind, "text/") || strings.Contains(kind, "json")
	if coding := resp.Header.Get("Content-Encoding"); coding != "" && x.ans != nil {
		x.packed = &packed{coding: coding}
	}
	return read
}

// stream takes that the answer is a stream of server-sent events.
func (x *exchange) stream() {
	x.lines.Pass(firstEvents, x.ep.needles, x.ep.last)
	x.events = &x.lines
}

// reader returns what reads an answer, or an event of it.
func (x *exchange) reader() *wire.JSON {
	j := wire.NewJSON(x.ep.answer)
	if x.ep.item != nil {
		j.Item = x.item
	}
	return j
}

// see reads a piece of the answer, and reports whether the answer has told that it ends.
func (x *exchange) see(p []byte) bool {
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
	if x.sniffs {
		x.sniff(p)
	}
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
	if v := recover(); v != nil {
		x.bad = reasonMalformed
		tellBug(v)
	}
}

func tellBug(v any) { otel.Handle(fmt.Errorf("aihttp: a bug, the call is unpriced: %v", v)) }

func (x *exchange) wanted(line []byte) bool {
	if x.events.Count() == 0 { // it tells the model and the tier
		return true
	}
	if x.ep.last != nil && x.ep.last(line) {
		return true
	}
	if x.model == "" && x.events.Count() < firstEvents { // which tell the model, and the id of the answer
		return true
	}
	return x.lines.Has(line)
}

// firstEvents is how many events of a stream are read whatever is in them, unless one tells the model.
const firstEvents = 3

func containsAny(line []byte, needles []string) bool {
	for _, needle := range needles {
		if containsBytes(line, needle) {
			return true
		}
	}
	return false
}

// event takes an event that is wanted.
func (x *exchange) event(data []byte) {
	if x.over {
		return
	}
	last := x.ep.last != nil && x.ep.last(data)
	if !last && x.read >= readAtOnce && tellsAll(data, x.ep.whole) && !containsAny(data, x.ep.besides) {
		x.held = append(x.held[:0], data...)
		return
	}
	x.readHeld()
	x.readEvent(data)
	x.over = last
}

func (x *exchange) readEvent(data []byte) {
	x.beginEvent()
	_, _ = x.ans.Write(data)
	x.ep.read(x, x.ans)
}

func (x *exchange) beginEvent() {
	x.read++
	x.ans.Reset()
	if x.ep.item != nil {
		x.tools = tools{}
	}
}

// readAtOnce is the number of events that are read as they come. Of more that tell all that was used
// so far, only the last one is read.
const readAtOnce = 8

// readHeld reads the event that was put off.
func (x *exchange) readHeld() {
	if len(x.held) > 0 {
		x.readEvent(x.held)
		x.held = x.held[:0]
	}
}

// tellsAll reports whether an event has an object of a name, with all that was used so far.
func tellsAll(event []byte, name wire.Needle) bool {
	at := name.Index(event)
	if at < 0 {
		return false
	}
	rest := event[at:]
	rest = rest[bytes.IndexByte(rest, ':')+1:]
	for len(rest) > 0 && rest[0] == ' ' {
		rest = rest[1:]
	}
	return len(rest) > 0 && rest[0] == '{'
}

// errLeft says that the caller closed an answer before its end.
var errLeft = errors.New("the answer was closed before its end")

// statusError is the status of an answer that is no success.
type statusError int

func (e statusError) Error() string   { return fmt.Sprintf("HTTP status %d", int(e)) }
func (e statusError) StatusCode() int { return int(e) }

// book books the attempt, which has ended with err.
func (x *exchange) book(err error) {
	x.settle(err)
	err = x.outcome(err)
	x.show(err)
	if x.own && !x.job.open {
		x.err = err
		seam.EndLater(x.call, &x.err)
	}
}
