package aihttp_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/budget"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// What nobody knows the cost of is in the ledger by what was held for it, unconfirmed; it is in no cost,
// and unpriced once for each attempt.
func TestUnknownCostsAreUnconfirmed(t *testing.T) {
	const (
		stream  = "data: {\"model\":\"gpt-4o\",\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\ndata: [DONE]\n\n"
		reserve = 7 * money.Cent
	)
	bound := chatBound(t)
	for _, tt := range []struct {
		reason            string
		body              string
		answers           []http.HandlerFunc
		in                instrument.CallOption // of a call around the attempts
		cost, unconfirmed money.USD
		unpriced          float64
	}{
		{"a stream without usage", chatBody, []http.HandlerFunc{says(200, "text/event-stream", stream)}, nil, 0, bound, 1},
		{"an answer without usage", chatBody, []http.HandlerFunc{says(200, "application/json", `{"model":"gpt-4o"}`)}, nil, 0, bound, 1},
		{"garbage", chatBody, []http.HandlerFunc{says(200, "application/json", `{"usage":`)}, nil, 0, bound, 1},
		{"it may have been charged", chatBody, []http.HandlerFunc{says(500, "application/json", `{}`)}, nil, 0, bound, 1},
		{"it was not charged", chatBody, []http.HandlerFunc{says(429, "application/json", `{}`)}, nil, 0, 0, 0},
		{"a model without a price", `{"model":"other","max_tokens":100}`, []http.HandlerFunc{says(200, "application/json", `{"model":"other","usage":{"prompt_tokens":4,"completion_tokens":1}}`)}, nil, 0, reserve, 1},
		{"a known cost", chatBody, []http.HandlerFunc{says(200, "application/json", chatText)}, nil, chatCost, 0, 0},
		{"attempts of a call, the first of which may have been charged", chatBody, []http.HandlerFunc{says(500, "application/json", `{}`), says(200, "application/json", chatText)},
			instrument.WithMaxCost(5 * money.Cent), chatCost, 5 * money.Cent, 1},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			l := budget.NewMemoryLedger()
			p, rec := instrumenttest.New(t, instrument.WithLedger(l), instrument.WithUnpricedPolicy(instrument.ReserveUnpriced(reserve)))
			n := 0
			f := newFake(t, func(w http.ResponseWriter, r *http.Request) { tt.answers[n](w, r); n++ })
			tenant := budget.Scope{Kind: budget.Tenant, ID: "tenant", Limit: money.Dollar}
			ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(money.Dollar), instrument.WithScopes(tenant))
			post := func(ctx context.Context) error {
				for range tt.answers {
					_, _ = f.post(ctx, chatURL, tt.body)
				}
				return nil
			}
			if tt.in == nil {
				_ = post(ctx)
			} else if err := instrument.RunCall(ctx, "chapters", post, tt.in); err != nil {
				t.Fatal(err)
			}
			spent := money.Sum(tt.cost, tt.unconfirmed)
			if got, want := *p.Snapshot(instrument.Query{}).Live[0].Budget, (instrument.BudgetState{Account: "job", Limit: money.Dollar, Spent: spent, Unconfirmed: tt.unconfirmed}); got != want {
				t.Errorf("the job shows %+v, want %+v", got, want)
			}
			job.End(nil)
			_, b, err := l.Open(t.Context(), tenant)
			if err != nil || b.Spent != spent || b.Unconfirmed != tt.unconfirmed || b.Held != 0 {
				t.Errorf("the ledger has %+v, %v, want %v unconfirmed", b, err, tt.unconfirmed)
			}
			if got := cost(rec); got != tt.cost || job.Cost() != tt.cost {
				t.Errorf("cost_usd_total is %v, and the job has cost %v, want %v", got, job.Cost(), tt.cost)
			}
			if got := rec.Counter(vp("api_unpriced_total")); got != tt.unpriced {
				t.Errorf("%v unpriced, want %v", got, tt.unpriced)
			}
		})
	}
}

// chatBound returns what is held for a call with chatBody.
func chatBound(t *testing.T) (bound money.USD) {
	t.Helper()
	p, _ := instrumenttest.New(t)
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		bound = p.Snapshot(instrument.Query{}).Live[0].Budget.Held
		says(200, "application/json", chatText)(w, r)
	})
	ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(money.Dollar))
	if _, err := f.post(ctx, chatURL, chatBody); err != nil || bound <= 0 {
		t.Fatalf("%v held, %v", bound, err)
	}
	job.End(nil)
	return bound
}
