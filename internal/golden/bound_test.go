package main

import (
	"context"
	"errors"
	"io"
	"testing"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/money"
)

// unbounded are files in which the figures are made up so that no bound can hold.
var unbounded = map[string]string{
	"03-openai-whisper-verbose":         "60 seconds in 8 bytes of sound",
	"elevenlabs-scribe-with-a-length":   "36 seconds in 2 bytes of sound",
	"04-anthropic-cache-and-search":     "searches in a call that may not search",
	"assemblyai-option-with-a-price":    "the job of another process",
	"groq-whisper-long":                 "seconds in a few bytes of sound",
	"mistral-voxtral":                   "seconds in a few bytes of sound",
	"openai-transcribe-boundary-quoted": "seconds in a few bytes of sound",
	"openai-transcribe-filename-star":   "seconds in a few bytes of sound",
	"openai-whisper-old-verbose":        "seconds in a few bytes of sound",
	"openai-batch-embeddings":           "a batch, of which no call holds anything",
	"openai-batch-polled":               "a batch, of which no call holds anything",
	"openai-batch-results":              "a batch, of which no call holds anything",
	"openai-batch-row":                  "a batch, of which no call holds anything",
	"openai-batch-without-usage":        "a batch, of which no call holds anything",
	"openai-chat-at-threshold":          "272,000 tokens in a few bytes",
	"deepseek-anthropic":                "100 tokens in a few bytes",
	"litellm-rerank":                    "a request of any kind, of which no call holds anything",
	"xai-sources":                       "sources in a call that may not search",
}

// What is held before a call is sent is no less than what the call turns out to cost. A call whose
// price cannot be bounded is refused by a budget that wants to know it.
func TestGoldensAreBounded(t *testing.T) {
	bounded := 0
	for _, f := range goldens(t) {
		var held, cost money.USD
		got, err := f.play(playOptions{
			pipeline: []instrument.Option{instrument.WithEvents(instrument.Events{CallEnded: func(_ context.Context, e instrument.CallEvent) {
				held, cost = money.Sum(held, e.MaxCost), money.Sum(cost, e.Cost)
			}})},
			job: []instrument.JobOption{instrument.WithBudget(1_000_000 * money.Dollar)},
		})
		var refused *instrument.BudgetError
		switch want, _ := f.Expected.Result(); {
		case errors.As(err, &refused):
		case err != nil || !got.same(want):
			t.Errorf("%s: %v, %v; want %v, also in a budget", f.Name, got, err, want)
		case held < cost && unbounded[f.Name] == "":
			t.Errorf("%s: %v was held, and it cost %v", f.Name, held, cost)
		case cost > 0:
			bounded++
		}
	}
	if bounded < 10 {
		t.Errorf("%d calls were bounded", bounded)
	}
}

// What an answer's body would have told is not known if nobody reads it.
func TestGoldensUnread(t *testing.T) {
	for _, f := range goldens(t) {
		whole, _ := f.Expected.Result()
		if len(f.Exchanges) > 1 || whole.Nano == 0 || f.Exchanges[0].Request.Method == "GET" {
			continue
		}
		got, err := f.play(playOptions{read: func(r io.ReadCloser, _ func()) { _ = r.Close() }})
		if err != nil || got.Nano > whole.Nano || got.Nano < whole.Nano && !got.Unknown {
			t.Errorf("%s: %v, %v; want at most %v, and unknown if it is less", f.Name, got, err, whole)
		}
	}
}
