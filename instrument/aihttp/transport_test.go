package aihttp_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

const prices = `{"rows": [
	{"provider": "openai", "model": "gpt-4o", "max_output_tokens": 1000, "max_input_tokens": 100000, "per_1M": {"input": "2.50", "cache_read": "1.25", "output": "10"}},
	{"provider": "openai", "model": "whisper-1", "per_60_seconds": {"audio": "0.006"}},
	{"provider": "openai", "model": "tts-1", "per_1M": {"characters": "15"}},
	{"provider": "openai", "model": "dall-e-3", "variant": "1024x1024/standard", "per_1": {"images": "0.04"}},
	{"provider": "anthropic", "model": "claude", "per_1M": {"input": "3", "cache_read": "0.3", "output": "15"}}
]}`

func table(t testing.TB) *price.Table {
	t.Helper()
	p, err := price.Parse([]byte(prices))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// fake is a provider that is reached under its own name.
type fake struct {
	t      testing.TB
	server *httptest.Server
	client *http.Client
}

func newFake(t testing.TB, h http.HandlerFunc, opts ...aihttp.Option) *fake {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	base := &http.Transport{Proxy: nil, DisableCompression: true}
	t.Cleanup(base.CloseIdleConnections)
	to := roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host = "http", s.Listener.Addr().String()
		return base.RoundTrip(r)
	})
	return &fake{t, s, &http.Client{Transport: aihttp.NewTransport(to, append([]aihttp.Option{aihttp.WithPrices(table(t))}, opts...)...)}}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (f *fake) post(ctx context.Context, url, body string, headers ...string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := f.client.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

const (
	chatURL  = "https://api.openai.com/v1/chat/completions"
	chatBody = `{"model":"gpt-4o","max_tokens":100,"messages":[{"role":"user","content":"x"}]}`
	chatCost = 1_000_000 + 1_000_000 // 400 in, 100 out
	chatText = `{"model":"gpt-4o-2024-08-06","usage":{"prompt_tokens":400,"completion_tokens":100}}`
)

func says(status int, kind, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

func vp(name string) string { return "video_processing_" + name }

func cost(rec *instrumenttest.Recorder) instrument.USD {
	return instrument.Dollars(rec.Counter(vp("cost_usd_total")))
}

func TestCallIsCountedAndPriced(t *testing.T) {
	p, rec := instrumenttest.New(t)
	f := newFake(t, says(200, "application/json", chatText))
	ctx, job := p.StartJob(t.Context(), "job")
	if text, err := f.post(ctx, chatURL, chatBody); err != nil || text != chatText {
		t.Errorf("%q, %v", text, err)
	}
	if got := job.Cost(); got != chatCost {
		t.Errorf("cost %v", got)
	}
	if got := rec.Counter(vp("api_calls_total"), attribute.String("api", "openai"), attribute.String("status", "success")); got != 1 {
		t.Errorf("%v calls", got)
	}
	job.End(nil)
}

func TestBudgetRefusesBeforeItIsSent(t *testing.T) {
	p, rec := instrumenttest.New(t)
	sent := 0
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) { sent++; says(200, "application/json", chatText)(w, r) })
	ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(money.Cent/100))
	defer job.End(nil)
	for _, tt := range []struct {
		headers []string
		final   bool // the client would try again after an error, and takes the answer as final
	}{
		{nil, false}, {[]string{"X-Stainless-Lang", "go"}, true}, {[]string{"X-Goog-Api-Client", "google-genai-sdk/1.77.0 gl-go/go1.26"}, true},
		{[]string{"X-Goog-Api-Client", "gl-go/1.26 gapic/1.38 gax/2.17"}, false},
	} {
		_, err := f.post(ctx, chatURL, chatBody, tt.headers...)
		var refusal *instrument.BudgetError
		if !errors.As(err, &refusal) || refusal.Asked == 0 {
			t.Errorf("%q: %v", tt.headers, err)
		}
		var fromDo *url.Error
		if errors.As(err, &fromDo) == tt.final {
			t.Errorf("%q: an answer: %v", tt.headers, tt.final)
		}
		var aws interface{ RetryableError() bool } // as its SDK asks
		if !tt.final && (!errors.As(err, &aws) || aws.RetryableError()) {
			t.Errorf("%q: the AWS SDK would try again", tt.headers)
		}
	}
	if sent != 0 || rec.Counter(vp("api_calls_total"), attribute.String("status", "refused")) != 4 || cost(rec) != 0 {
		t.Errorf("%d sent", sent)
	}
}

// While a call is under way, the budget holds what it costs at most: every byte a token of input,
// and max_tokens of output.
func TestBudgetHoldsTheBound(t *testing.T) {
	bound := money.Sum(money.Mul(2500, int64(len(chatBody))), 100*10_000)
	budget := money.Sum(bound, bound, -1)
	p, _ := instrumenttest.New(t)
	var f *fake
	var inner error
	ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(budget))
	defer job.End(nil)
	depth := 0
	f = newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if depth++; depth == 1 {
			_, inner = f.post(ctx, chatURL, chatBody)
		}
		says(200, "application/json", chatText)(w, r)
	})
	if _, err := f.post(ctx, chatURL, chatBody); err != nil {
		t.Fatal(err)
	}
	var refusal *instrument.BudgetError
	if !errors.As(inner, &refusal) || refusal.Asked != bound || depth != 1 {
		t.Errorf("%+v, want a refusal of %v", inner, bound)
	}
	if left, _ := job.BudgetRemaining(); left != money.Sum(budget, -chatCost) {
		t.Errorf("%v remain", left)
	}
}

// Inside of a RunCall each attempt adds to that call.
func TestAttemptsOfOneCall(t *testing.T) {
	p, rec := instrumenttest.New(t)
	n := 0
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if n++; n == 2 {
			says(500, "application/json", "{}")(w, r)
			return
		}
		says(200, "application/json", chatText)(w, r)
	})
	ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(money.Dollar))
	err := instrument.RunCall(ctx, "chapters", func(ctx context.Context) error {
		for range 3 {
			_, _ = f.post(ctx, chatURL, chatBody)
		}
		return nil
	}, instrument.WithMaxCost(10*money.Cent))
	if err != nil {
		t.Fatal(err)
	}
	if calls := rec.Counter(vp("api_calls_total")); calls != 1 || cost(rec) != 2*chatCost {
		t.Errorf("%v calls, %v", calls, cost(rec))
	}
	if got := rec.Counter(vp("api_unpriced_total"), attribute.String("reason", "failed")); got != 1 {
		t.Errorf("%v unpriced", got)
	}
	if left, _ := job.BudgetRemaining(); left != money.Dollar-2*chatCost-10*money.Cent {
		t.Errorf("%v remain: the budget must have lost the maximum of the attempt that nobody knows of", left)
	}
	job.End(nil)
}

// Transports in each other meter once, and hosts that are not known pass.
func TestNestedAndUnknownHosts(t *testing.T) {
	p, rec := instrumenttest.New(t)
	f := newFake(t, says(200, "application/json", chatText))
	f.client.Transport = aihttp.NewTransport(aihttp.NewTransport(f.client.Transport, aihttp.WithPrices(table(t))), aihttp.WithPrices(table(t)))
	ctx, job := p.StartJob(t.Context(), "job")
	_, _ = f.post(ctx, chatURL, chatBody)
	_, _ = f.post(ctx, "https://example.com/v1/chat/completions", chatBody)
	_, _ = f.post(ctx, "https://api.openai.com/v1/files", chatBody)
	if calls := rec.Counter(vp("api_calls_total")); calls != 1 || cost(rec) != chatCost {
		t.Errorf("%v calls, %v", calls, cost(rec))
	}
	job.End(nil)
}

func TestHostIsFoundInAnyCase(t *testing.T) {
	p, rec := instrumenttest.New(t)
	f := newFake(t, says(200, "application/json", chatText), aihttp.WithHost("LLM.internal:4000", "openai"))
	ctx, job := p.StartJob(t.Context(), "job")
	_, _ = f.post(ctx, "http://llm.Internal:4000/v1/chat/completions", chatBody)
	if cost(rec) != chatCost {
		t.Errorf("%v is booked, want %v", cost(rec), chatCost)
	}
	job.End(nil)
}

func TestUnknownIsUnknown(t *testing.T) {
	for name, tt := range map[string]struct{ kind, text, reason string }{
		"no usage":        {"application/json", `{"model":"gpt-4o"}`, "usage"},
		"null":            {"application/json", `{"model":"gpt-4o","usage":null}`, "usage"},
		"zero":            {"application/json", `{"model":"gpt-4o","usage":{"prompt_tokens":0,"completion_tokens":0}}`, "usage"},
		"negative":        {"application/json", `{"model":"gpt-4o","usage":{"prompt_tokens":-1,"completion_tokens":5}}`, "malformed"},
		"huge":            {"application/json", `{"model":"gpt-4o","usage":{"prompt_tokens":99999999999999999999}}`, "malformed"},
		"more cached":     {"application/json", `{"model":"gpt-4o","usage":{"completion_tokens":1,"prompt_tokens":1,"prompt_tokens_details":{"cached_tokens":2}}}`, "malformed"},
		"no model of the": {"application/json", `{"model":"gpt-9","usage":{"completion_tokens":1,"prompt_tokens":1}}`, "model"},
		"audio":           {"application/json", `{"model":"gpt-4o","usage":{"completion_tokens":1,"prompt_tokens":2,"prompt_tokens_details":{"audio_tokens":2}}}`, "unit"},
		"tier":            {"application/json", `{"model":"gpt-4o","service_tier":"priority","usage":{"completion_tokens":1,"prompt_tokens":2}}`, "tier"},
		"no output":       {"application/json", `{"model":"gpt-4o","usage":{"prompt_tokens":2}}`, "usage"},
		"part of a token": {"application/json", `{"model":"gpt-4o","usage":{"prompt_tokens":2.5,"completion_tokens":1}}`, "malformed"},
		"absurd":          {"application/json", `{"model":"gpt-4o","usage":{"prompt_tokens":9000000000000000000,"completion_tokens":1}}`, "malformed"},
		"more reasoning":  {"application/json", `{"model":"gpt-4o","usage":{"prompt_tokens":2,"completion_tokens":1,"completion_tokens_details":{"reasoning_tokens":9}}}`, "malformed"},
		"not JSON":        {"text/html", "<html>", "usage"},
		"truncated":       {"application/json", `{"model":"gpt-4o","usage":{"prompt_tok`, "usage"},
		"garbage":         {"application/json", "\x00\xff}{][", "usage"},
	} {
		t.Run(name, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			f := newFake(t, says(200, tt.kind, tt.text))
			ctx, job := p.StartJob(t.Context(), "job")
			if text, err := f.post(ctx, chatURL, chatBody); text != tt.text || err != nil {
				t.Errorf("%q, %v", text, err)
			}
			if got := rec.Counter(vp("api_unpriced_total"), attribute.String("reason", tt.reason), attribute.String("api", "openai")); got != 1 || cost(rec) != 0 {
				t.Errorf("%v unpriced, cost %v: %v", got, cost(rec), rec.Snapshot())
			}
			job.End(nil)
		})
	}
}

func TestCompressedAnswers(t *testing.T) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, chatText)
	_ = w.Close()
	p, rec := instrumenttest.New(t)
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		says(200, "application/json", b.String())(w, r)
	})
	ctx, job := p.StartJob(t.Context(), "job")
	if text, err := f.post(ctx, chatURL, chatBody, "Accept-Encoding", "gzip"); err != nil || text != b.String() {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if cost(rec) != chatCost {
		t.Errorf("cost %v", cost(rec))
	}
	job.End(nil)
}

// An answer that is never closed ends with its request's context, once.
func TestContextEndsAnAnswer(t *testing.T) {
	p, rec := instrumenttest.New(t)
	hang := make(chan struct{})
	defer close(hang)
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: {\"type\":\"message_start\",\"message\":{\"model\":\"claude\",\"usage\":{\"input_tokens\":1000,\"output_tokens\":1}}}\n\n")
		w.(http.Flusher).Flush()
		<-hang
	})
	ctx, job := p.StartJob(t.Context(), "job")
	callCtx, cancel := context.WithCancel(ctx)
	r, _ := http.NewRequestWithContext(callCtx, http.MethodPost, "https://api.anthropic.com/v1/messages", strings.NewReader(`{"model":"claude","stream":true}`))
	resp, err := f.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = resp.Body.Read(make([]byte, 4096))
	cancel()
	for range 3000 {
		if cost(rec) != 0 { // the last thing that is recorded
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	_ = resp.Body.Close()
	if got := rec.Counter(vp("api_calls_total"), attribute.String("status", "canceled")); got != 1 {
		t.Errorf("%v canceled calls", got)
	}
	if cost(rec) != 3_015_000 || rec.Counter(vp("api_unpriced_total"), attribute.String("reason", "cut_off")) != 1 {
		t.Errorf("cost %v: %v", cost(rec), rec.Snapshot())
	}
	job.End(nil)
}

// A request that is made of an answer's request, such as one to try again, is metered as any other.
func TestARequestOfAnAnswerIsMetered(t *testing.T) {
	p, rec := instrumenttest.New(t)
	f := newFake(t, says(200, "application/json", chatText))
	r, _ := http.NewRequestWithContext(instrument.ContextWithPipeline(t.Context(), p), http.MethodPost, chatURL, strings.NewReader(chatBody))
	for range 2 {
		resp, err := f.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		r = resp.Request.Clone(resp.Request.Context())
		r.Body = io.NopCloser(strings.NewReader(chatBody))
	}
	if n := rec.Counter(vp("api_calls_total")); n != 2 {
		t.Errorf("%v calls, want 2", n)
	}
}
