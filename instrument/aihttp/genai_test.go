package aihttp_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/internal/registry"
)

// attrs returns a span's attributes as texts.
func attrs(s tracetest.SpanStub) map[string]string {
	m := make(map[string]string)
	for _, kv := range s.Attributes {
		m[string(kv.Key)] = kv.Value.String()
	}
	return m
}

func wantAttrs(t *testing.T, s tracetest.SpanStub, want map[string]string) {
	t.Helper()
	have := attrs(s)
	for key, value := range want {
		if have[key] != value {
			t.Errorf("span %q: %s = %q, want %q", s.Name, key, have[key], value)
		}
	}
}

const cachedChat = `{"id":"chatcmpl-1","model":"gpt-4o-2024-08-06","usage":{"prompt_tokens":400,"completion_tokens":100,"prompt_tokens_details":{"cached_tokens":200}}}`

func TestSpanOfACall(t *testing.T) {
	p, rec := instrumenttest.New(t)
	f := newFake(t, says(200, "application/json", cachedChat))
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	if _, err := f.post(ctx, chatURL, chatBody); err != nil {
		t.Fatal(err)
	}
	wantAttrs(t, rec.Span("chat gpt-4o"), map[string]string{
		"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
		"gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2024-08-06", "gen_ai.response.id": "chatcmpl-1",
		"gen_ai.usage.input_tokens": "400", "gen_ai.usage.output_tokens": "100", "gen_ai.usage.cache_read.input_tokens": "200",
		"gen_ai.usage.cost": "0.00175", "gen_ai.usage.cost.amount": "0.00175", "gen_ai.usage.cost.currency": "USD", "gen_ai.usage.cost.source": "local",
		"server.address": "api.openai.com", "http.response.status_code": "200", "video.processing.cost_usd": "0.00175",
		"gen_ai.request.stream": "",
	})
}

// Anthropic's input figure lacks what a cache had and was given; the span's does not.
func TestInputTokensAreInclusive(t *testing.T) {
	p, rec := instrumenttest.New(t)
	f := newFake(t, says(200, "application/json",
		`{"id":"msg_1","model":"claude","usage":{"input_tokens":10,"cache_read_input_tokens":200,"cache_creation_input_tokens":30,"output_tokens":5}}`))
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	if _, err := f.post(ctx, "https://api.anthropic.com/v1/messages", `{"model":"claude","max_tokens":9}`); err != nil {
		t.Fatal(err)
	}
	wantAttrs(t, rec.Span("chat claude"), map[string]string{
		"gen_ai.usage.input_tokens": "240", "gen_ai.usage.output_tokens": "5", "gen_ai.response.id": "msg_1",
		"gen_ai.usage.cache_read.input_tokens": "200", "gen_ai.usage.cache_creation.input_tokens": "30",
		"gen_ai.usage.cost": "", // the table has no price of cache writes
	})
	if h := rec.Histogram("gen_ai_client_token_usage", attribute.String("gen_ai.token.type", "input")); h.Sum != 240 {
		t.Errorf("input tokens %+v", h)
	}
}

func TestGeminiAndReportedCost(t *testing.T) {
	p, rec := instrumenttest.New(t)
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	f := newFake(t, says(200, "application/json",
		`{"responseId":"r-1","modelVersion":"gemini-x","usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3,"thoughtsTokenCount":2}}`))
	if _, err := f.post(ctx, "https://generativelanguage.googleapis.com/v1beta/models/gemini-y:generateContent", `{}`); err != nil {
		t.Fatal(err)
	}
	wantAttrs(t, rec.Span("generate_content gemini-y"), map[string]string{
		"gen_ai.response.id": "r-1", "gen_ai.response.model": "gemini-x", "gen_ai.usage.input_tokens": "7", "gen_ai.usage.output_tokens": "5",
	})
	f = newFake(t, says(200, "application/json", `{"id":"gen-1","model":"m","usage":{"prompt_tokens":1,"completion_tokens":1,"cost":0.00012345}}`))
	if _, err := f.post(ctx, "https://openrouter.ai/api/v1/chat/completions", `{"model":"asked"}`); err != nil {
		t.Fatal(err)
	}
	wantAttrs(t, rec.Span("chat asked"), map[string]string{"gen_ai.usage.cost": "0.00012345", "gen_ai.usage.cost.source": "provider"})
}

// Inside RunCall each attempt has a span below the call's, and no cost is on two spans under one name.
func TestAttemptsHaveSpans(t *testing.T) {
	p, rec := instrumenttest.New(t)
	n := 0
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if n++; n == 1 {
			says(429, "application/json", `{}`)(w, r)
			return
		}
		says(200, "application/json", cachedChat)(w, r)
	})
	err := p.RunCall(t.Context(), "titles", func(ctx context.Context) error {
		for range 2 {
			if _, err := f.post(ctx, chatURL, chatBody); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var call tracetest.SpanStub
	var attempts []tracetest.SpanStub
	for _, s := range rec.Spans() {
		switch s.Name {
		case "call titles":
			call = s
		case "chat gpt-4o":
			attempts = append(attempts, s)
		}
	}
	if len(attempts) != 2 || attempts[0].Parent.SpanID() != call.SpanContext.SpanID() {
		t.Fatalf("%d attempts below %q", len(attempts), call.Name)
	}
	if attempts[0].Status.Code != codes.Error || attempts[1].Status.Code == codes.Error {
		t.Errorf("status %v, then %v", attempts[0].Status, attempts[1].Status)
	}
	wantAttrs(t, attempts[0], map[string]string{"http.response.status_code": "429", "error.type": "http_429", "gen_ai.usage.cost": ""})
	wantAttrs(t, attempts[1], map[string]string{"gen_ai.usage.cost": "0.00175"})
	wantAttrs(t, call, map[string]string{"gen_ai.usage.cost": "", "gen_ai.request.model": "", "video.processing.cost_usd": "0.00175"})
	duration := "gen_ai_client_operation_duration_seconds"
	if h := rec.Histogram(duration); h.Count != 2 {
		t.Errorf("%d attempts in the duration", h.Count)
	}
	if h := rec.Histogram(duration, attribute.String("error.type", "http_429")); h.Count != 1 {
		t.Errorf("%d failed attempts in the duration", h.Count)
	}
	if got := rec.Counter(vp("api_throttled_total"), attribute.String("api", "openai"), attribute.String("counted_as", "attempt")); got != 1 {
		t.Errorf("%v throttled attempts", got)
	}
}

// A call that could not be sent is a span with an error, and ends the attempt's own span.
func TestSpanOfWhatWasNotAnswered(t *testing.T) {
	p, rec := instrumenttest.New(t)
	lost := errors.New("connection reset")
	client := &http.Client{Transport: aihttp.NewTransport(roundTripper(func(*http.Request) (*http.Response, error) { return nil, lost }))}
	_ = p.RunCall(t.Context(), "titles", func(ctx context.Context) error {
		r, _ := http.NewRequestWithContext(ctx, http.MethodPost, chatURL, strings.NewReader(chatBody))
		_, err := client.Do(r)
		return err
	})
	s := rec.Span("chat") // the request was not read, so its model is not known
	if s.Status.Code != codes.Error || s.EndTime.IsZero() {
		t.Errorf("status %v, end %v", s.Status, s.EndTime)
	}
}

// stream is an answer that comes in pieces, each after a wait.
type stream struct {
	wait   time.Duration
	pieces []string
}

func (s *stream) Read(p []byte) (int, error) {
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	time.Sleep(s.wait)
	n := copy(p, s.pieces[0])
	s.pieces = s.pieces[1:]
	return n, nil
}

func (*stream) Close() error { return nil }

func TestTimesOfAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, rec := instrumenttest.New(t)
		pieces := []string{
			"data: {\"id\":\"s-1\",\"choices\":[1]}\n\n", "data: {\"id\":\"s-1\",\"choices\":[2]}\n\n",
			"data: {\"id\":\"s-1\",\"model\":\"gpt-4o\",\"usage\":{\"prompt_tokens\":400,\"completion_tokens\":100}}\n\n", "data: [DONE]\n\n",
		}
		base := roundTripper(func(r *http.Request) (*http.Response, error) {
			_, _ = io.Copy(io.Discard, r.Body)
			time.Sleep(2 * time.Second)
			return &http.Response{
				StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: &stream{time.Second, pieces}, Request: r,
			}, nil
		})
		client := &http.Client{Transport: aihttp.NewTransport(base, aihttp.WithPrices(table(t)))}
		r, _ := http.NewRequestWithContext(instrument.ContextWithPipeline(t.Context(), p), http.MethodPost, chatURL, strings.NewReader(chatBody))
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		for name, want := range map[string]float64{
			"gen_ai_client_operation_time_to_first_chunk_seconds":   3,
			"gen_ai_client_operation_time_per_output_chunk_seconds": 1,
			"gen_ai_client_operation_duration_seconds":              6,
		} {
			if h := rec.Histogram(name, attribute.String("gen_ai.request.model", "gpt-4o")); h.Count != 1 || h.Sum != want {
				t.Errorf("%s: %d with the sum %v, want one of %v", name, h.Count, h.Sum, want)
			}
		}
		wantAttrs(t, rec.Span("chat gpt-4o"), map[string]string{
			"gen_ai.request.stream": "true", "gen_ai.response.id": "s-1", "gen_ai.response.time_to_first_chunk": "3",
		})
	})
}

// Each metric of this package has the kind and the buckets that the registry says.
func TestMetricsAreThoseOfTheRegistry(t *testing.T) {
	p, rec := instrumenttest.New(t)
	kind, text, status := "application/json", chatText, 200
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Ratelimit-Remaining-Requests", "59")
		says(status, kind, text)(w, r)
	}, aihttp.WithPrices(dated(t)))
	ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(instrument.Dollar))
	defer job.End(nil)
	for range 3 {
		if _, err := f.post(ctx, chatURL, chatBody); err != nil {
			t.Error(err)
		}
		kind, text = "text/event-stream", "data: {\"choices\":[]}\n\ndata: "+chatText+"\n\ndata: [DONE]\n\n"
	}
	exposition := rec.Exposition()
	found := 0
	for _, m := range registry.Metrics() {
		if !strings.HasPrefix(m.RecordedBy[0], "aihttp.") {
			continue
		}
		found++
		if !strings.Contains(exposition, "# TYPE "+m.Prometheus+" "+m.Kind.PrometheusType()+"\n") {
			t.Errorf("no %s %s in\n%s", m.Kind.PrometheusType(), m.Prometheus, exposition)
		}
		if m.Kind == registry.KindHistogram {
			if h := rec.Histogram(m.Name); !slices.Equal(h.Bounds, m.Buckets) {
				t.Errorf("buckets of %s are %v, want %v", m.Name, h.Bounds, m.Buckets)
			}
		}
	}
	if found < 9 {
		t.Errorf("%d metrics", found)
	}
}

func TestWithGenAIMetrics(t *testing.T) {
	p, rec := instrumenttest.New(t)
	f := newFake(t, says(200, "application/json", chatText), aihttp.WithGenAIMetrics(false))
	if _, err := f.post(instrument.ContextWithPipeline(t.Context(), p), chatURL, chatBody); err != nil {
		t.Fatal(err)
	}
	if text := rec.Exposition(); strings.Contains(text, "gen_ai") {
		t.Error(text)
	}
	wantAttrs(t, rec.Span("chat gpt-4o"), map[string]string{"gen_ai.usage.input_tokens": "400"})
}

// Requests and answers choose the names of models, so their number is bounded.
func TestModelsAreBounded(t *testing.T) {
	p, rec := instrumenttest.New(t, instrument.WithNameLimit(2), instrument.WithModelLabel())
	model := ""
	f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		says(200, "application/json", `{"model":"`+model+`","usage":{"prompt_tokens":1,"completion_tokens":1,"cost":0.5}}`)(w, r)
	})
	ctx := instrument.ContextWithPipeline(t.Context(), p)
	for _, model = range []string{"a", "b", "c", "d", strings.Repeat("x", 5000), `\u0000\ud800`, "a"} {
		if _, err := f.post(ctx, "https://openrouter.ai/v1/chat/completions", `{"model":"`+model+`"}`); err != nil {
			t.Error(err)
		}
	}
	usage, key := "gen_ai_client_token_usage", attribute.Key("gen_ai.request.model")
	for name, want := range map[string]uint64{"a": 4, "b": 2, "other": 8, "c": 0} {
		if h := rec.Histogram(usage, key.String(name)); h.Count != want {
			t.Errorf("model %s: %d, want %d", name, h.Count, want)
		}
	}
	for name, want := range map[string]float64{"a": 1, "b": 0.5, "other": 2} {
		if got := rec.Counter(vp("cost_usd_total"), attribute.String("model", name)); got != want {
			t.Errorf("cost of %s: %v, want %v", name, got, want)
		}
	}
}

// A context that is over when the answer comes ends the attempt once. The race detector sees whether it does so safely.
func TestContextIsOverWhenTheAnswerComes(t *testing.T) {
	p, rec := instrumenttest.New(t)
	for range 50 {
		ctx, cancel := context.WithCancel(instrument.ContextWithPipeline(t.Context(), p))
		base := roundTripper(func(r *http.Request) (*http.Response, error) {
			cancel()
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(chatText)), Request: r}, nil
		})
		r, _ := http.NewRequestWithContext(ctx, http.MethodPost, chatURL, strings.NewReader(chatBody))
		if resp, err := aihttp.NewTransport(base, aihttp.WithPrices(table(t))).RoundTrip(r); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
	for deadline := time.Now().Add(10 * time.Second); rec.Histogram("gen_ai_client_operation_duration_seconds").Count < 50 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if h := rec.Histogram("gen_ai_client_operation_duration_seconds"); h.Count != 50 {
		t.Errorf("%d attempts ended", h.Count)
	}
}

// A stream that tells no usage has its id and its model on the span all the same.
func TestSpanOfAStreamWithoutUsage(t *testing.T) {
	for name, text := range map[string]string{
		"chat":                        "data: {\"id\":\"s-1\",\"model\":\"gpt-4o-x\",\"choices\":[{\"delta\":{}}]}\n\ndata: {\"id\":\"s-2\",\"model\":\"gpt-4o-x\"}\n\ndata: [DONE]\n\n",
		"after Azure's first event":   "data: {\"id\":\"\",\"model\":\"\",\"prompt_filter_results\":[]}\n\ndata: {\"id\":\"s-1\",\"model\":\"gpt-4o-x\"}\n\ndata: [DONE]\n\n",
		"cut off within the second":   "data: {\"id\":\"s-1\",\"model\":\"gpt-4o-x\"}\n\ndata: {\"id\":",
		"with a comment at its begin": ": processing\n\ndata: {\"id\":\"s-1\",\"model\":\"gpt-4o-x\"}\n\ndata: [DONE]\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			p, rec := instrumenttest.New(t)
			f := newFake(t, says(200, "text/event-stream", text))
			if _, err := f.post(instrument.ContextWithPipeline(t.Context(), p), chatURL, chatBody); err != nil {
				t.Fatal(err)
			}
			wantAttrs(t, rec.Span("chat gpt-4o"), map[string]string{"gen_ai.response.id": "s-1", "gen_ai.response.model": "gpt-4o-x", "gen_ai.usage.cost": ""})
		})
	}
}
