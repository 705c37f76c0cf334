package aihttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/internal/seam"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// A Transport meters the requests of an HTTP client that go to paid APIs; others pass. It is safe
// for concurrent use.
type Transport struct {
	base http.RoundTripper
	jobs jobs

	unknowns unknowns
	names    wire.Names // of models, and other words of requests and answers
	config
}

// NewTransport returns a Transport over base, or over [http.DefaultTransport] if base is nil. An
// option that is wrong is told to [otel.Handle], and the Transport does without it.
func NewTransport(base http.RoundTripper, opts ...Option) *Transport {
	if base == nil {
		base = http.DefaultTransport
	}
	t := &Transport{base: base}
	var errs []error
	for _, o := range opts {
		if o != nil {
			errs = append(errs, o(&t.config))
		}
	}
	if t.prices == nil {
		table, err := price.FromEnv()
		t.prices = table
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		otel.Handle(fmt.Errorf("aihttp: %w", err))
	}
	return t
}

// RoundTrip makes [Transport] an [http.RoundTripper].
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	return t.do(r, t.base.RoundTrip)
}

// Middleware does what [Transport.RoundTrip] does, over next. It is what openai-go and
// anthropic-sdk-go take:
//
//	client := openai.NewClient(option.WithMiddleware(aihttp.NewTransport(nil).Middleware))
func (t *Transport) Middleware(r *http.Request, next func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	return t.do(r, next)
}

func (t *Transport) do(r *http.Request, next func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	ep, from := t.endpoint(r), redirectedFrom(r)
	if ep != nil && switches(r) {
		ep = nil
	}
	if ep == nil && from == nil || r.Context().Value(meteredKey{}) != nil {
		return next(r)
	}
	x := newExchange()
	x.t, x.ep, x.url, x.request, x.began = t, ep, r.URL, r, time.Now()
	if from != nil {
		x.follow(from)
	}
	x.hint, _ = r.Context().Value(usageKey{}).(*price.Usage)
	ctx, err := x.start(r)
	if err != nil {
		x.free()
		return refuse(r, err)
	}
	seam.PricesChecked(x.call, t.prices.Checked())
	a := &attempt{x: x}
	x.a = a
	out := a.send(x.begin(ctx), r)
	asked := t.streamUsage && x.ep.tellsUsage && askUsage(out)
	a.watch(x)
	returned := false
	defer func() {
		if !returned { // next has panicked, or ended the goroutine
			a.finish(errNotReturned)
		}
	}()
	resp, err := next(out)
	returned = true
	if err != nil || resp == nil {
		a.finish(err)
		return resp, err
	}
	if at := resp.Request; at != nil && at.Context().Value(meteredKey{}) != nil {
		resp.Request = r // a request made of the other would pass unmetered
	}
	a.answer(x, resp, asked)
	return resp, nil
}

// errNotReturned is the error of an attempt whose RoundTripper below has panicked.
var errNotReturned = errors.New("the RoundTripper below did not return")

// switches reports whether a request asks for another protocol than HTTP, such as a websocket. It is
// no call: nothing of what follows is seen.
func switches(r *http.Request) bool {
	to := r.Header.Get("Upgrade")
	return to != "" && !strings.HasPrefix(strings.ToLower(to), "h2c")
}

// start begins the call of this attempt, unless a call around it holds its price already.
func (x *exchange) start(r *http.Request) (context.Context, error) {
	ctx := r.Context()
	if outer := instrument.CallFromContext(ctx); outer != nil {
		x.call = outer
		return ctx, nil
	}
	if x.ep.poll {
		return ctx, nil
	}
	x.own = true
	var err error
	if job := instrument.JobFromContext(ctx); job != nil {
		if _, x.limited = job.BudgetRemaining(); x.limited {
			ctx, x.call, err = instrument.StartCall(ctx, x.ep.provider, x.limits(r)...)
			return ctx, err
		}
	}
	ctx, x.call, err = instrument.StartCall(ctx, x.ep.provider)
	return ctx, err
}

// bound returns the options that reserve what the call costs at most.
func (x *exchange) bound(r *http.Request) []instrument.CallOption {
	most, err := x.estimate(r)
	var unknown *price.UnknownError
	switch {
	case errors.As(err, &unknown):
		x.tellUnknown(err)
		return []instrument.CallOption{instrument.WithUnknownCost(string(unknown.Reason))}
	case err != nil:
		return []instrument.CallOption{instrument.WithUnknownCost(string(price.UnknownUsage))}
	case most == 0:
		return []instrument.CallOption{instrument.Free()}
	}
	x.reserved = most
	return []instrument.CallOption{instrument.WithMaxCost(most)}
}

// refusal is the body of an answer that tells a refusal, whichever SDK reads it.
type refusal struct{ err error }

func (r refusal) Read([]byte) (int, error) { return 0, r.err }
func (refusal) Close() error               { return nil }

// unretried is a refusal as an error: the AWS SDK asks it whether to try again.
type unretried struct{ error }

func (e unretried) Unwrap() error      { return e.error }
func (unretried) RetryableError() bool { return false }

// refuse answers a request that was not sent. SDKs that would try again after an error get an answer
// that they take as final, whose body gives the error.
func refuse(r *http.Request, err error) (*http.Response, error) {
	if r.Body != nil {
		_ = r.Body.Close() // as a RoundTripper must
	}
	if r.Header.Get("X-Stainless-Lang") == "" && !fromGenAI(r) {
		return nil, unretried{err}
	}
	return &http.Response{
		Status: "402 Payment Required", StatusCode: http.StatusPaymentRequired, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"X-Should-Retry": {"false"}, "Content-Type": {"application/json"}},
		Body:   refusal{err}, ContentLength: -1, Request: r,
	}, nil
}

// fromGenAI reports whether a request is of google.golang.org/genai. The other clients of Google have
// the header too; they drop what is read of a failed answer, and do not try again after an error.
func fromGenAI(r *http.Request) bool {
	return slices.ContainsFunc(r.Header.Values("X-Goog-Api-Client"), func(v string) bool { return strings.Contains(v, "google-genai-sdk/") })
}

type usageKey struct{}

// WithUsage returns a context that tells what a call will use where neither request nor answer does:
// the length of the media, and the model.
//
//	var u price.Usage
//	u.Add(price.Audio, int64(length))
//	client.Transcribe(aihttp.WithUsage(ctx, u), file)
//
// It bounds the price before the call, and is priced after it if the answer tells nothing better. Its
// model bounds a call whose request names none that has a price, such as a deployment of Azure's.
func WithUsage(ctx context.Context, u price.Usage) context.Context {
	return context.WithValue(ctx, usageKey{}, &u)
}
