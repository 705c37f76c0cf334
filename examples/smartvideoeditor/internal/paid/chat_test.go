package paid

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/semconv"
)

// event is one event of a stream, with a piece of the answer.
func event(piece string) string {
	text, _ := json.Marshal(piece)
	return fmt.Sprintf(`data: {"id":"x","object":"chat.completion.chunk","model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":%s}}]}`+"\n\n", text)
}

const (
	usageEvent = `data: {"id":"x","model":"gpt-4o-mini","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":20,"total_tokens":1020}}` + "\n\n"
	doneEvent  = "data: [DONE]\n\n"
)

func streamed(w http.ResponseWriter, events ...string) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, strings.Join(events, "")) // an error shows in the client
}

// The chat model's answer comes in pieces. It costs its tokens, which nobody but the transport has
// priced.
func TestDescribe(t *testing.T) {
	var request map[string]any
	client, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/chat/completions" || r.Header.Get("Traceparent") == "" {
			t.Errorf("got %s with the trace %q", r.URL.Path, r.Header.Get("Traceparent"))
		}
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			t.Error(err)
		}
		streamed(w, event(`{"titles": ["A  start`), event(`", "key"], `), event(`"summary": "All.\n"}`), usageEvent, doneEvent)
	})
	p, rec := instrumenttest.New(t)
	var got Description
	err := p.RunJob(t.Context(), "job", func(ctx context.Context) (err error) {
		got, err = client.Describe(ctx, "words", []string{"a", ""})
		return err
	}, instrument.WithBudget(instrument.Cent))
	want := Description{Titles: []string{"A start", hidden}, Summary: "All.", Tokens: Tokens{Input: 1000, Output: 20}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if request["stream"] != true || request["max_completion_tokens"] != 420.0 {
		t.Errorf("asked %v, want a stream with a limit", request)
	}
	const micro = instrument.Dollar / 1_000_000
	if got := rec.Counter("video_processing_cost_usd_total", semconv.AttrAPI.String(OpenAI)); instrument.Dollars(got) != 162*micro {
		t.Errorf("it costs $%v, want $0.000162: 1,000 tokens at $0.15 and 20 at $0.60 a million", got)
	}
}

// A budget that has not enough for the most that a call can cost keeps it from being sent.
func TestDescribeIsRefused(t *testing.T) {
	client, _ := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") })
	p, _ := instrumenttest.New(t)
	err := p.RunJob(t.Context(), "job", func(ctx context.Context) error {
		_, err := client.Describe(ctx, "words", []string{"a"})
		return err
	}, instrument.WithBudget(instrument.Dollar/10_000))
	var refused *instrument.BudgetError
	if !errors.As(err, &refused) || !errors.Is(err, instrument.ErrBudgetExceeded) {
		t.Errorf("got %v", err)
	}
	if _, again := RetryAfter(err); again {
		t.Error("it is asked again")
	}
}

// Answers that are none are errors, of which the service's words are without secrets.
func TestNoDescription(t *testing.T) {
	whole := event(`{"titles": ["a"], "summary": "b"}`)
	for _, test := range []struct {
		name, says, errorType string
		serve                 http.HandlerFunc
	}{
		{"nothing", "empty", "invalid_answer", func(w http.ResponseWriter, _ *http.Request) { streamed(w) }},
		{"no events", "empty", "invalid_answer", func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, map[string]any{"choices": nil}) }},
		{"a text", "begins with", "invalid_answer", func(w http.ResponseWriter, _ *http.Request) { streamed(w, event("I cannot: "+testKey), doneEvent) }},
		{"too few titles", "0 titles for 1", "invalid_answer", func(w http.ResponseWriter, _ *http.Request) { streamed(w, event(`{"summary": "b"}`), doneEvent) }},
		{"too many titles", "2 titles for 1", "invalid_answer", func(w http.ResponseWriter, _ *http.Request) {
			streamed(w, event(`{"titles": ["a", "b"], "summary": "b"}`), doneEvent)
		}},
		{"an error within", "overloaded", "invalid_answer", func(w http.ResponseWriter, _ *http.Request) {
			streamed(w, event("{"), `data: {"error":{"message":"overloaded, `+testKey+`"}}`+"\n\n")
		}},
		{"an event that is none", "cannot be read", "invalid_answer", func(w http.ResponseWriter, _ *http.Request) { streamed(w, "data: {\n\n") }},
		{"an answer that breaks off", "breaks off", "invalid_answer", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10000")
			streamed(w, whole)
		}},
		{"an answer that does not end", "more than", "invalid_answer", func(w http.ResponseWriter, r *http.Request) {
			streamed(w)
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, event(strings.Repeat("x", 1000))) // an error ends the context
			}
		}},
		{"a silent one", "in time", "timeout", func(w http.ResponseWriter, r *http.Request) {
			streamed(w, whole)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}},
		{"a refusal", "no such model", "http_404", func(w http.ResponseWriter, _ *http.Request) {
			answer(w, 404, map[string]any{"error": map[string]any{"message": "no such model " + testKey}})
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			limit := time.Minute
			if test.errorType == "timeout" {
				limit = 100 * time.Millisecond
			}
			client, _ := serveWithin(t, limits{begin: time.Minute, end: time.Minute, refusal: time.Minute, chat: limit}, test.serve)
			_, err := client.Describe(t.Context(), "words", []string{"a"})
			if instrument.ErrorType(err) != test.errorType || !strings.Contains(fmt.Sprint(err), test.says) || strings.Contains(fmt.Sprint(err), testKey) {
				t.Errorf("got %v of type %s, want %s that says %q", err, instrument.ErrorType(err), test.errorType, test.says)
			}
		})
	}
}

func TestCut(t *testing.T) {
	for _, test := range []struct {
		text string
		n    int
		want string
	}{
		{"one two", 7, "one two"},
		{"one two", 6, "one"},
		{"onetwo", 3, "one"},
		{"ääää", 5, "ää"},
		{"", 0, ""},
	} {
		if got := cut(test.text, test.n); got != test.want {
			t.Errorf("cut(%q, %d) = %q, want %q", test.text, test.n, got, test.want)
		}
	}
}
