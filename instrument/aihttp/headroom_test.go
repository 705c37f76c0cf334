package aihttp_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// dated returns the prices of the tests, checked on a day.
func dated(t testing.TB) *price.Table {
	t.Helper()
	p, err := price.Parse([]byte(strings.Replace(prices, "{", `{"checked": "2026-11-27", `, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestThrottling(t *testing.T) {
	for _, tt := range []struct {
		reason    string
		status    int
		header    []string
		throttled float64
		wait      float64
	}{
		{"seconds", 429, []string{"Retry-After", "1.5"}, 1, 1.5},
		{"milliseconds, which are more exact", 429, []string{"Retry-After", "2", "Retry-After-Ms", "1250"}, 1, 1.25},
		{"a date that is over", 429, []string{"Retry-After", "Mon, 02 Jan 2006 15:04:05 GMT"}, 1, 0},
		{"nothing said", 429, nil, 1, 0},
		{"not throttled, but asked to wait", 503, []string{"Retry-After", "7"}, 0, 7},
		{"overloaded", 529, []string{"Retry-After", "3"}, 0, 3},
		{"a success does not ask to wait", 200, []string{"Retry-After", "3"}, 0, 0},
		{"no number", 429, []string{"Retry-After", "NaN"}, 1, 0},
		{"below zero", 429, []string{"Retry-After", "-5"}, 1, 0},
		{"longer than a day", 429, []string{"Retry-After", "1e300"}, 1, 86400},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
				for i := 0; i < len(tt.header); i += 2 {
					w.Header().Set(tt.header[i], tt.header[i+1])
				}
				says(tt.status, "application/json", "{}")(w, r)
			})
			if _, err := f.post(instrument.ContextWithPipeline(t.Context(), p), chatURL, chatBody); err != nil {
				t.Fatal(err)
			}
			openai := attribute.String("api", "openai")
			if got := rec.Counter(vp("api_throttled_total"), openai, attribute.String("counted_as", "call")); got != tt.throttled {
				t.Errorf("throttled %v, want %v", got, tt.throttled)
			}
			if got := rec.Counter(vp("api_retry_after_seconds_total"), openai); got != tt.wait {
				t.Errorf("asked to wait %v s, want %v", got, tt.wait)
			}
		})
	}
}

func TestRetryAfterADate(t *testing.T) {
	p, rec := instrumenttest.New(t)
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
		says(429, "application/json", "{}")(w, r)
	})
	if _, err := f.post(instrument.ContextWithPipeline(t.Context(), p), chatURL, chatBody); err != nil {
		t.Fatal(err)
	}
	if got := rec.Counter(vp("api_retry_after_seconds_total")); got <= 0 || got > 3600 {
		t.Errorf("asked to wait %v s", got)
	}
}

func TestRateLimitsAreObserved(t *testing.T) {
	p, rec := instrumenttest.New(t)
	header := map[string]string{}
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		for k, v := range header {
			w.Header().Set(k, v)
		}
		says(200, "application/json", chatText)(w, r)
	})
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	left := func(api, kind string) (float64, bool) {
		return rec.Gauge(vp("api_ratelimit_remaining"), attribute.String("api", api), attribute.String("kind", kind))
	}
	post := func(url string) {
		t.Helper()
		if _, err := f.post(ctx, url, chatBody); err != nil {
			t.Fatal(err)
		}
	}
	post(chatURL)
	if n, ok := left("openai", "requests"); ok {
		t.Errorf("%v left, and nobody has said so", n)
	}
	header["x-ratelimit-remaining-requests"], header["x-ratelimit-remaining-tokens"] = "59", "149984"
	post(chatURL)
	header["x-ratelimit-remaining-requests"], header["x-ratelimit-remaining-tokens"] = "0", "-1"
	post(chatURL)
	header = map[string]string{"anthropic-ratelimit-input-tokens-remaining": "5", "anthropic-ratelimit-output-tokens-remaining": "6",
		"anthropic-ratelimit-requests-remaining": "7", "anthropic-ratelimit-tokens-remaining": "soon"}
	post("https://api.anthropic.com/v1/messages")
	for _, want := range []struct {
		api, kind string
		n         float64
	}{{"openai", "requests", 0}, {"openai", "tokens", 149984}, {"anthropic", "input_tokens", 5}, {"anthropic", "output_tokens", 6}, {"anthropic", "requests", 7}} {
		if n, ok := left(want.api, want.kind); !ok || n != want.n {
			t.Errorf("%s of %s: %v, %v, want %v", want.kind, want.api, n, ok, want.n)
		}
	}
	if n, ok := left("anthropic", "tokens"); ok {
		t.Errorf("%v tokens left, by what is no number", n)
	}
}

func TestEstimateRatio(t *testing.T) {
	p, rec := instrumenttest.New(t)
	f := newFake(t, says(200, "application/json", chatText))
	name := vp("api_estimate_ratio")
	if _, err := f.post(instrument.ContextWithPipeline(t.Context(), p), chatURL, chatBody); err != nil {
		t.Fatal(err)
	}
	if h := rec.Histogram(name); h.Count != 0 {
		t.Errorf("%d ratios without a budget", h.Count)
	}
	ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(instrument.Dollar))
	defer job.End(nil)
	if _, err := f.post(ctx, chatURL, chatBody); err != nil {
		t.Fatal(err)
	}
	if h := rec.Histogram(name, attribute.String("api", "openai")); h.Count != 1 || h.Sum < 0.5 || h.Sum > 1 {
		t.Errorf("%+v, want one: some 77 bytes and 100 tokens were reserved, and 400 and 100 tokens settled", h)
	}
	_ = p.RunCall(ctx, "titles", func(ctx context.Context) error { // which holds its own maximum
		_, err := f.post(ctx, chatURL, chatBody)
		return err
	}, instrument.WithMaxCost(instrument.Cent))
	if h := rec.Histogram(name); h.Count != 1 {
		t.Errorf("%d ratios", h.Count)
	}
}

// A call inside RunCall whose attempts ask several models is of none of them.
func TestModelOfSeveral(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithModelLabel())
	f := newFake(t, says(200, "application/json", chatText))
	for _, models := range [][]string{{"gpt-4o", "gpt-4o"}, {"gpt-4o", "gpt-4o-2024-08-06"}} {
		_ = p.RunCall(t.Context(), "titles", func(ctx context.Context) error {
			for _, model := range models {
				if _, err := f.post(ctx, chatURL, `{"model":"`+model+`"}`); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for model, want := range map[string]float64{"gpt-4o": 0.004, "other": 0.004} {
		if got := rec.Counter(vp("cost_usd_total"), attribute.String("api", "titles"), attribute.String("model", model)); got != want {
			t.Errorf("%s: %v, want %v", model, got, want)
		}
	}
}
