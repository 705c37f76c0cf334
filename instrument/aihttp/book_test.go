package aihttp_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// What is booked by hand is shown as a call that passes, but for how long it took.
func TestTelemetryOfBook(t *testing.T) {
	var u price.Usage
	u.Provider, u.Model = "openai", "gpt-4o"
	u.Add(price.Input, 300)
	u.Add(price.CacheRead, 100)
	u.Add(price.Output, 100)
	for name, tt := range map[string]struct {
		provider, span string
		cost           string
		unpriced       float64
	}{
		"priced":   {"openai", "chat gpt-4o", "0.001875", 0},
		"unpriced": {"nobody", "chat gpt-4o", "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			ctx, job := p.StartJob(t.Context(), "job")
			u := u
			u.Provider = tt.provider
			_, err := aihttp.NewTransport(nil, aihttp.WithPrices(table(t))).Book(ctx, u)
			if (err != nil) != (tt.unpriced > 0) {
				t.Error(err)
			}
			job.End(nil)
			wantAttrs(t, rec.Span(tt.span), map[string]string{
				"gen_ai.operation.name": "chat", "gen_ai.provider.name": tt.provider, "gen_ai.request.model": "gpt-4o", "server.address": "",
				"gen_ai.usage.input_tokens": "400", "gen_ai.usage.output_tokens": "100", "gen_ai.usage.cache_read.input_tokens": "100",
				"gen_ai.usage.cost": tt.cost, "http.response.status_code": "",
			})
			if h := rec.Histogram("gen_ai_client_token_usage", attribute.String("gen_ai.token.type", "input"), attribute.String("gen_ai.provider.name", tt.provider)); h.Sum != 400 {
				t.Errorf("%v tokens of input", h.Sum)
			}
			if h := rec.Histogram("gen_ai_client_operation_duration_seconds"); h.Count != 0 {
				t.Errorf("%d durations, which nobody knows", h.Count)
			}
			if calls, unpriced := rec.Counter(vp("api_calls_total")), rec.Counter(vp("api_unpriced_total")); calls != 1 || unpriced != tt.unpriced {
				t.Errorf("%v calls, %v unpriced", calls, unpriced)
			}
		})
	}
}

// Inside of a call, what is booked by hand is of that call.
func TestBookInsideACall(t *testing.T) {
	p, rec := instrumenttest.New(t)
	tr := aihttp.NewTransport(nil, aihttp.WithPrices(table(t)))
	err := p.RunCall(t.Context(), "realtime", func(ctx context.Context) error {
		for range 2 {
			u := price.Usage{Provider: "openai", Model: "gpt-4o"}
			u.Add(price.Output, 100)
			if cost, err := tr.Book(ctx, u); err != nil || cost != 1_000_000 {
				t.Errorf("%v, %v", cost, err)
			}
		}
		return nil
	})
	if got := rec.Counter(vp("cost_usd_total"), attribute.String("api", "realtime")); err != nil || got != 0.002 {
		t.Errorf("%v, %v", got, err)
	}
	if calls, unpriced := rec.Counter(vp("api_calls_total")), rec.Counter(vp("api_unpriced_total")); calls != 1 || unpriced != 0 {
		t.Errorf("%v calls, %v unpriced", calls, unpriced)
	}
	wantAttrs(t, rec.Span("call realtime"), map[string]string{"gen_ai.usage.cost": ""})
}

// A program chooses the names of providers that it books by hand. What is kept of them is bounded.
func TestProvidersOfBookAreBounded(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithNameLimit(5))
	said(t)
	tr, ctx := aihttp.NewTransport(nil, aihttp.WithPrices(table(t))), instrument.ContextWithPipeline(t.Context(), p)
	for i := range 200 {
		u := price.Usage{Provider: fmt.Sprint("mine-", i), Model: "m"}
		u.Add(price.Input, 1)
		_, _ = tr.Book(ctx, u)
	}
	if n := strings.Count(rec.Exposition(), "gen_ai_client_token_usage_count{"); n < 2 || n > 2*(10*5+1) {
		t.Errorf("%d series", n)
	}
}

// The age of the prices is shown, too, if all calls are booked by hand.
func TestBookShowsTheAgeOfThePrices(t *testing.T) {
	p, rec := instrumenttest.New(t)
	u := price.Usage{Provider: "openai", Model: "gpt-4o"}
	_, _ = aihttp.NewTransport(nil, parsed(t, `{"checked": "2026-11-27", "rows": []}`)).Book(instrument.ContextWithPipeline(t.Context(), p), u)
	if got, ok := rec.Gauge(vp("price_table_timestamp_seconds")); !ok || got <= 0 {
		t.Errorf("%v, %t", got, ok)
	}
}
