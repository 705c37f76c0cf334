package aihttp_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// sends answers /v1/chat/completions with a redirect, and all else as last does.
func sends(status int, to string, last http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/chat/completions" {
			last(w, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Location", to)
		w.WriteHeader(status)
	}
}

func onlyCall(t *testing.T, rec *instrumenttest.Recorder, want money.USD, status string) {
	t.Helper()
	if calls := rec.Counter(vp("api_calls_total")); calls != 1 || cost(rec) != want {
		t.Errorf("%v calls, cost %v, want one of %v", calls, cost(rec), want)
	}
	if got := rec.Counter(vp("api_calls_total"), attribute.String("status", status), attribute.String("api", "openai")); got != 1 {
		t.Errorf("no call of openai with status %s: %v", status, rec.Snapshot())
	}
	if h := rec.Histogram(vp("api_call_duration_seconds")); h.Count != 1 {
		t.Errorf("%d durations", h.Count)
	}
	if h := rec.Histogram("gen_ai_client_operation_duration_seconds"); h.Count != 1 {
		t.Errorf("%d attempts", h.Count)
	}
	if got, _ := rec.Gauge(vp("api_calls_in_progress")); got != 0 {
		t.Errorf("%v calls in progress", got)
	}
}

// A redirect is no call: the request that follows it is the one call, wherever it goes.
func TestARedirectIsNoCall(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		to     string
		method string // of the request that follows
	}{
		"the same endpoint, with its body":        {307, "https://eu.api.openai.com/proxy/v1/chat/completions", "POST"},
		"for good":                                {308, "/elsewhere/v1/chat/completions", "POST"},
		"a path that is none of ours":             {307, "/v2/somewhere", "POST"},
		"a host that is none of ours":             {308, "https://elsewhere.example/chat", "POST"},
		"the answer is to be had elsewhere":       {303, "/v1/results/1", "GET"},
		"found":                                   {302, "/v1/results/1", "GET"},
		"moved, and at a host that is no of ours": {301, "https://elsewhere.example/results/1", "GET"},
	} {
		for _, timeout := range []time.Duration{0, time.Minute} { // which wraps the body
			for _, budget := range []bool{false, true} {
				t.Run(name, func(t *testing.T) {
					p, rec := instrumenttest.New(t)
					f := newFake(t, sends(tt.status, tt.to, func(w http.ResponseWriter, r *http.Request) {
						if r.Method != tt.method {
							t.Errorf("%s", r.Method)
						}
						says(200, "application/json", strings.Replace(chatText, `"model":"gpt-4o-2024-08-06",`, "", 1))(w, r) // the request tells the model
					}))
					f.client.Timeout = timeout
					var opts []instrument.JobOption
					if budget {
						opts = append(opts, instrument.WithBudget(money.Cent))
					}
					ctx, job := p.StartJob(t.Context(), "job", opts...)
					if _, err := f.post(ctx, chatURL, chatBody); err != nil {
						t.Fatal(err)
					}
					if left, ok := job.BudgetRemaining(); ok && left != money.Cent-chatCost {
						t.Errorf("%v left", left)
					}
					job.End(nil)
					onlyCall(t, rec, chatCost, "success")
					wantAttrs(t, rec.Span("chat gpt-4o"), map[string]string{"gen_ai.request.model": "gpt-4o", "gen_ai.usage.cost": "0.002"})
				})
			}
		}
	}
}

// The end of a redirect may be a failure, or an answer that tells nothing.
func TestWhereARedirectEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		last     http.HandlerFunc
		status   string
		unpriced float64
	}{
		"not found":          {says(404, "text/html", "no"), "error", 0},
		"some other page":    {says(200, "text/html", "<html>"), "success", 1},
		"a server's failure": {says(500, "text/html", ""), "error", 1},
	} {
		t.Run(name, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			f := newFake(t, sends(307, "https://elsewhere.example/", tt.last))
			_, _ = f.post(instrument.ContextWithPipeline(t.Context(), p), chatURL, chatBody)
			onlyCall(t, rec, 0, tt.status)
			if got := rec.Counter(vp("api_unpriced_total")); got != tt.unpriced {
				t.Errorf("%v unpriced", got)
			}
		})
	}
}

// A redirect that nobody follows is nothing, and holds nothing.
func TestARedirectThatIsNotFollowed(t *testing.T) {
	for name, check := range map[string]func(*http.Request, []*http.Request) error{
		"as the client wants it": func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		"refused":                func(*http.Request, []*http.Request) error { return errors.New("no") },
		"too many":               nil,
	} {
		t.Run(name, func(t *testing.T) {
			p, rec := instrumenttest.New(t, instrument.WithDetails())
			f := newFake(t, sends(308, "/v1/chat/completions", nil))
			f.client.CheckRedirect = check
			ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(money.Cent))
			_, _ = f.post(ctx, chatURL, chatBody)
			live := p.Snapshot(instrument.Query{}).Live
			if left, _ := job.BudgetRemaining(); left != money.Cent || len(live) != 1 || len(live[0].Calls) != 0 {
				t.Errorf("%v left, %+v", left, live)
			}
			if n, _ := rec.Gauge(vp("api_calls_in_progress")); n != 0 || rec.Counter(vp("api_calls_total")) != 0 || rec.Counter(vp("api_unpriced_total")) != 0 {
				t.Errorf("%v", rec.Snapshot())
			}
			job.End(nil)
		})
	}
}

// Inside RunCall, and through transports in each other, a redirect is nothing either.
func TestARedirectInsideACall(t *testing.T) {
	p, rec := instrumenttest.New(t)
	f := newFake(t, sends(307, "/v1/new/chat/completions", says(200, "application/json", chatText)))
	f.client.Transport = aihttp.NewTransport(f.client.Transport, aihttp.WithPrices(table(t)))
	ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(money.Dollar))
	err := instrument.RunCall(ctx, "titles", func(ctx context.Context) error {
		_, err := f.post(ctx, chatURL, chatBody)
		return err
	}, instrument.WithMaxCost(money.Cent))
	job.End(&err)
	if calls := rec.Counter(vp("api_calls_total")); err != nil || calls != 1 || cost(rec) != chatCost || rec.Counter(vp("api_unpriced_total")) != 0 {
		t.Errorf("%v calls, %v, %v", calls, cost(rec), err)
	}
	if h := rec.Histogram("gen_ai_client_operation_duration_seconds"); h.Count != 1 {
		t.Errorf("%d attempts", h.Count)
	}
	wantAttrs(t, rec.Span("redirect"), map[string]string{"http.response.status_code": "307", "gen_ai.usage.cost": ""})
}

// The middleware of an SDK over a client that is metered, too, and follows a redirect: one call.
func TestMiddlewareOverAMeteredClient(t *testing.T) {
	p, rec := instrumenttest.New(t)
	f := newFake(t, sends(308, "/v2/chat/completions", says(200, "application/json", chatText)))
	ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(money.Cent))
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, chatURL, strings.NewReader(chatBody))
	resp, err := aihttp.NewTransport(nil, aihttp.WithPrices(table(t))).Middleware(r, f.client.Do)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if left, _ := job.BudgetRemaining(); left != money.Cent-chatCost {
		t.Errorf("%v left", left)
	}
	job.End(nil)
	onlyCall(t, rec, chatCost, "success")
}
