package instrument_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
)

// Endings of a call.
var (
	succeeded  error
	errCutOff  = errors.New("cut off")
	surelyFree = rejected
)

// later429 is how a program tells its queue that the API has no room now.
type later429 struct{ error }

func (later429) JobOutcome() string { return "snoozed" }
func (e later429) Unwrap() error    { return e.error }

// The table at Call.End, row by row: what a call books, and whether it is unpriced.
func TestWhatACallBooks(t *testing.T) {
	const most, least, price = 30 * cent, 10 * cent, 17 * cent
	max, min := instrument.WithMaxCost(most), instrument.WithMinCost(least)
	badMax, badMin := instrument.WithMaxCost(notANumber), instrument.WithMinCost(-1)
	free, unknown := instrument.Free(), instrument.WithUnknownCost("new_model")
	type tells = func(*instrument.Call)
	nothing := tells(func(*instrument.Call) {})
	cost := func(u instrument.USD) tells { return func(c *instrument.Call) { c.SetCost(u) } }
	unpriced := tells(func(c *instrument.Call) { c.SetUnpriced("no_usage") })
	then := func(all ...tells) tells {
		return func(c *instrument.Call) {
			for _, f := range all {
				f(c)
			}
		}
	}
	const none = -1 // nothing is booked, and no cost is on the span
	for _, tt := range []struct {
		row     string
		options []instrument.CallOption
		says    tells
		err     error
		want    instrument.USD
		reason  string // of an unpriced call
	}{
		{"a cost", nil, cost(price), succeeded, price, ""},
		{"a cost of 0", nil, cost(0), succeeded, 0, ""},
		{"a cost, beside all options", options(max, min), cost(price), succeeded, price, ""},
		{"a cost above the maximum", options(max), cost(dollar), succeeded, dollar, ""},
		{"a cost of a free call", options(free), cost(price), succeeded, price, ""},
		{"a cost of an unknown one", options(unknown), cost(price), succeeded, price, ""},
		{"a cost, failed", options(min), cost(price), errCutOff, price, ""},
		{"a cost below the minimum, failed", options(min), cost(cent), errCutOff, least, ""},
		{"a cost of a free call, failed", options(free, min), cost(cent), errCutOff, cent, ""},
		{"a cost, refused", options(min), cost(cent), surelyFree, cent, ""},
		{"the last cost", nil, then(cost(cent), cost(price)), succeeded, price, ""},
		{"a cost after unpriced", nil, then(unpriced, cost(price)), succeeded, price, ""},
		{"a cost after a bad one", nil, then(cost(-1), cost(price)), succeeded, price, ""},
		{"a bad cost after a cost", nil, then(cost(price), cost(notANumber)), succeeded, price, ""},

		{"refused", nil, nothing, surelyFree, none, ""},
		{"refused, beside all options", options(max, min), nothing, surelyFree, none, ""},
		{"refused, unknown", options(unknown), nothing, surelyFree, none, ""},
		{"refused, unpriced", nil, unpriced, surelyFree, none, ""},
		{"refused, a bad cost", nil, cost(-1), surelyFree, none, ""},
		{"refused, free", options(free), nothing, surelyFree, none, ""},
		{"refused, which says later", options(max), nothing, later429{rejected}, none, ""},

		{"unpriced", nil, unpriced, succeeded, none, "no_usage"},
		{"unpriced, beside all options", options(max, min), unpriced, succeeded, none, "no_usage"},
		{"unpriced, failed", options(min), unpriced, errCutOff, none, "no_usage"},
		{"unpriced after a cost", nil, then(cost(price), unpriced), succeeded, none, "no_usage"},
		{"unpriced, then a bad cost", nil, then(unpriced, cost(-1)), succeeded, none, "no_usage"},
		{"unpriced and free", options(free), unpriced, succeeded, none, "no_usage"},
		{"unpriced and unknown", options(unknown), unpriced, succeeded, none, "no_usage"},

		{"free", options(free), nothing, succeeded, 0, ""},
		{"free, failed", options(free), nothing, errCutOff, 0, ""},
		{"free, beside all options", options(max, min, unknown, free), nothing, succeeded, 0, ""},
		{"free, failed, beside all options", options(max, min, unknown, free), nothing, errCutOff, 0, ""},
		{"free, a bad cost", options(free), cost(-1), succeeded, 0, ""},

		{"failed, a minimum", options(min), nothing, errCutOff, least, ""},
		{"failed, a minimum of 0", options(max, instrument.WithMinCost(0)), nothing, errCutOff, 0, ""},
		{"failed, a minimum and a maximum", options(max, min), nothing, errCutOff, least, ""},
		{"failed, a minimum and unknown", options(unknown, min), nothing, errCutOff, least, ""},
		{"failed, a minimum and a bad maximum", options(badMax, min), nothing, errCutOff, least, ""},

		{"a maximum", options(max), nothing, succeeded, most, ""},
		{"a maximum of 0", options(instrument.WithMaxCost(0)), nothing, succeeded, 0, ""},
		{"a maximum, failed", options(max), nothing, errCutOff, none, "failed"},
		{"a maximum, failed, a bad minimum", options(max, badMin), nothing, errCutOff, none, "failed"},
		{"a maximum and unknown", options(unknown, max), nothing, succeeded, most, ""},
		{"a maximum, a bad cost", options(max), cost(-1), succeeded, most, ""},

		{"unknown", options(unknown), nothing, succeeded, none, "new_model"},
		{"unknown, failed", options(unknown), nothing, errCutOff, none, "new_model"},
		{"unknown, a bad maximum", options(badMax, unknown), nothing, succeeded, none, "new_model"},
		{"unknown, a bad cost", options(unknown), cost(-1), succeeded, none, "new_model"},

		{"a bad maximum", options(badMax), nothing, succeeded, none, "invalid"},
		{"a bad maximum, failed", options(badMax), nothing, errCutOff, none, "invalid"},
		{"a bad cost", nil, cost(infinite), succeeded, none, "invalid"},
		{"a bad cost, failed", nil, cost(infinite), errCutOff, none, "invalid"},

		{"failed", nil, nothing, errCutOff, none, "failed"},
		{"an error that says later, a maximum", options(max), nothing, says("snoozed"), none, "failed"},
		{"an error that is none, a maximum", options(max), nothing, says("completed"), most, ""},
		{"failed, a bad minimum", options(badMin), nothing, errCutOff, none, "failed"},

		{"nothing said", nil, nothing, succeeded, none, "no_price"},
		{"a minimum is for failures", options(min), nothing, succeeded, none, "no_price"},
	} {
		t.Run(tt.row, func(t *testing.T) {
			p, rec := instrumenttest.New(t, instrument.WithUnpricedPolicy(instrument.AllowUnpriced()))
			ctx, job := p.StartJob(t.Context(), "job-1", instrument.WithBudget(10*dollar))
			err := instrument.RunCall(ctx, "gpt", func(ctx context.Context) error {
				tt.says(instrument.CallFromContext(ctx))
				return tt.err
			}, tt.options...)
			if err != tt.err {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			booked := tt.want
			if booked == none {
				booked = 0
			}
			if got := instrument.Dollars(rec.Counter(vp("cost_usd_total"))); got != booked || job.Cost() != booked {
				t.Errorf("booked %s, and %s on the job, want %s", got, job.Cost(), booked)
			}
			span := rec.Span("call gpt")
			if got := spanCost(span); got != tt.want {
				t.Errorf("cost on the span %s, want %s", got, tt.want)
			}
			if got := spanWord(span, "video.processing.unpriced"); got != tt.reason {
				t.Errorf("on the span the call is unpriced for %q, want %q", got, tt.reason)
			}
			total, ofReason := 0.0, 0.0
			if tt.reason != "" {
				total, ofReason = 1, rec.Counter(vp("api_unpriced_total"), label("api", "gpt"), label("reason", tt.reason))
			}
			if got := rec.Counter(vp("api_unpriced_total")); got != total || ofReason != total {
				t.Errorf("%v unpriced calls, %v of them for %q, want %v", got, ofReason, tt.reason, total)
			}
			// Nothing is held any more, and the budget has lost what was booked; of an unpriced
			// call with a maximum, that.
			lost := booked
			if tt.row == "unpriced, beside all options" {
				lost = most
			}
			if err := buy(ctx, "gpt", 0, instrument.WithMaxCost(10*dollar-lost)); err != nil {
				t.Error(err)
			}
			if left, _ := job.BudgetRemaining(); left != 10*dollar-lost {
				t.Errorf("%s left, want %s", left, 10*dollar-lost)
			}
			job.End(nil)
		})
	}
}

func options(opts ...instrument.CallOption) []instrument.CallOption { return opts }

// spanWord is an attribute of a span, or "".
func spanWord(span tracetest.SpanStub, key string) string {
	for _, a := range span.Attributes {
		if a.Key == attribute.Key(key) {
			return a.Value.AsString()
		}
	}
	return ""
}

func TestPriceFunctionThatFailsLeavesTheCallUnpriced(t *testing.T) {
	captureReports(t)
	for reason, price := range map[string]func(int) instrument.USD{
		"invalid":  func(int) instrument.USD { return -1 },
		"no_price": nil,
	} {
		p, rec := instrumenttest.New(t)
		ctx, job := p.StartJob(t.Context(), "job-1")
		if _, err := instrument.RunCallValue(ctx, "gpt", price, freeCall); err != nil {
			t.Fatal(err)
		}
		job.End(nil)
		if got := rec.Counter(vp("api_unpriced_total"), label("reason", reason)); got != 1 {
			t.Errorf("%v unpriced calls for %s, want 1", got, reason)
		}
	}
	p, rec := instrumenttest.New(t)
	ctx, job := p.StartJob(t.Context(), "job-1")
	_, _ = instrument.RunCallValue(ctx, "gpt", func(int) instrument.USD { panic("price") }, freeCall)
	job.End(nil)
	if got := rec.Counter(vp("api_unpriced_total"), label("reason", "invalid")); got != 1 {
		t.Errorf("%v unpriced calls after a price function that panicked, want 1", got)
	}
}

// The reason is the program's, and must not make a series of each text.
func TestReasonsAreBounded(t *testing.T) {
	reports := captureReports(t)
	p, rec := instrumenttest.New(t, instrument.WithNameLimit(2), instrument.WithAPIs("gpt"))
	ctx, job := p.StartJob(t.Context(), "job-1")
	for i := range 10 {
		_, call, _ := instrument.StartCall(ctx, "gpt")
		call.SetUnpriced(fmt.Sprint("reason-", i))
		call.End(nil)
	}
	_, call, _ := instrument.StartCall(ctx, "gpt")
	call.SetUnpriced("")
	call.End(nil)
	_, call, _ = instrument.StartCall(ctx, "gpt")
	call.End(nil)
	job.End(nil)
	for reason, want := range map[string]float64{"reason-0": 1, "reason-1": 1, "reason-2": 0, "other": 9, "no_price": 1} {
		if got := rec.Counter(vp("api_unpriced_total"), label("api", "gpt"), label("reason", reason)); got != want {
			t.Errorf("%v for %q, want %v", got, reason, want)
		}
	}
	if got := rec.Counter(vp("invalid_values_total"), label("metric", "video.processing.api_unpriced"), label("reason", "bad_name")); got != 1 {
		t.Errorf("%v bad reasons, want 1, the empty one", got)
	}
	reports.expect(t, `more than 2 reasons of unpriced calls: "reason-2"`)
}
