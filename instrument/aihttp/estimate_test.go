package aihttp_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stagemeter/stagemeter/instrument"
	"github.com/stagemeter/stagemeter/instrument/aihttp"
	"github.com/stagemeter/stagemeter/instrument/instrumenttest"
	"github.com/stagemeter/stagemeter/instrument/money"
	"github.com/stagemeter/stagemeter/instrument/price"
)

const boundPrices = `{"rows": [
	{"provider": "anthropic", "model": "plain", "per_1M": {"input": "1", "output": "1000"}},
	{"provider": "anthropic", "model": "geo", "times": {"geo:us": "1.1"}, "per_1M": {"input": "1", "output": "1000"}},
	{"provider": "aws.bedrock", "model": "embed", "per_1M": {"input": "1000"}},
	{"provider": "deepgram", "model": "nova-3", "per_1_seconds": {"audio": "1"}},
	{"provider": "gcp.gemini", "model": "veo", "per_1_seconds": {"video": "1"}},
	{"provider": "gcp.speech", "model": "default", "per_1_seconds": {"audio": "1"}},
	{"provider": "groq", "model": "whisper", "per_1_seconds": {"audio": "1"}},
	{"provider": "openai", "model": "whisper-1", "per_1_seconds": {"audio": "1"}},
	{"provider": "rev_ai", "model": "machine", "per_1_seconds": {"audio": "1"}}
]}`

// What is held for a call covers what its provider adds to what the request says.
func TestBounds(t *testing.T) {
	table, err := price.Parse([]byte(boundPrices))
	if err != nil {
		t.Fatal(err)
	}
	const form = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n%s\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nxx\r\n--b--\r\n"
	messages := func(model string) string {
		return `{"model": "` + model + `", "max_tokens": 40000, "messages": []}`
	}
	for _, tt := range []struct {
		reason, url, kind, body string
		hint                    time.Duration
		atLeast, below          money.USD
	}{
		{"a second that has begun is billed", "https://api.openai.com/v1/audio/transcriptions", "multipart/form-data; boundary=b", strings.ReplaceAll(form, "%s", "whisper-1"), 2500 * time.Millisecond, 3 * money.Dollar, 4 * money.Dollar},
		{"Groq bills 10 seconds at least", "https://api.groq.com/openai/v1/audio/transcriptions", "multipart/form-data; boundary=b", strings.ReplaceAll(form, "%s", "whisper"), 0, 10 * money.Dollar, 11 * money.Dollar},
		{"Rev AI bills 15 seconds at least", "https://api.rev.ai/speechtotext/v1/jobs", "application/json", `{"transcriber": "machine"}`, time.Second, 15 * money.Dollar, 16 * money.Dollar},
		{"Google bills steps of 15 seconds", "https://speech.googleapis.com/v1/speech:recognize", "application/json", `{"config": {}}`, 16 * time.Second, 30 * money.Dollar, 31 * money.Dollar},
		{"each channel is billed", "https://api.deepgram.com/v1/listen?model=nova-3&multichannel=true", "application/json", `{"url": "u"}`, 10 * time.Second, 20 * money.Dollar, 21 * money.Dollar},
		{"channels are billed as one", "https://api.deepgram.com/v1/listen?model=nova-3", "application/json", `{"url": "u"}`, 10 * time.Second, 10 * money.Dollar, 11 * money.Dollar},
		{"the limit of the request holds if that of the model is not known", "https://api.anthropic.com/v1/messages", "application/json", messages("plain"), 0, 40 * money.Dollar, 41 * money.Dollar},
		{"a workspace may be in the US", "https://api.anthropic.com/v1/messages", "application/json", messages("geo"), 0, 44 * money.Dollar, 45 * money.Dollar},
		{"an embedding has no output", "https://bedrock-runtime.us-east-1.amazonaws.com/model/embed/invoke", "application/json", `{"inputText": "` + strings.Repeat("x", 1000) + `"}`, 0, money.Dollar, 2 * money.Dollar},
		{"a video has 8 seconds", "https://generativelanguage.googleapis.com/v1beta/models/veo:predictLongRunning", "application/json", `{"parameters": {"sampleCount": 2}}`, 0, 16 * money.Dollar, 17 * money.Dollar},
	} {
		var held money.USD
		p, err := instrument.New(instrument.WithEvents(instrument.Events{CallStarted: func(_ context.Context, e instrument.CallEvent) { held = e.MaxCost }}))
		if err != nil {
			t.Fatal(err)
		}
		ctx, job := p.StartJob(context.Background(), "job", instrument.WithBudget(1000*money.Dollar))
		if tt.hint > 0 {
			var u price.Usage
			u.Add(price.Audio, int64(tt.hint))
			ctx = aihttp.WithUsage(ctx, u)
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, tt.url, bytes.NewReader([]byte(tt.body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", tt.kind)
		client := http.Client{Transport: aihttp.NewTransport(roundTripper(func(r *http.Request) (*http.Response, error) {
			_, _ = io.Copy(io.Discard, r.Body)
			return &http.Response{StatusCode: 400, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
		}), aihttp.WithPrices(table))}
		resp, err := client.Do(r)
		if err != nil {
			t.Errorf("%s: %v", tt.reason, err)
			continue
		}
		_ = resp.Body.Close()
		job.End(nil)
		if held < tt.atLeast || held >= tt.below {
			t.Errorf("%s: %v was held, want %v or a little more", tt.reason, held, tt.atLeast)
		}
	}
}

// A deployment's name tells nothing: the model of WithUsage bounds the call, whether the request has
// the name in its path only, or in its body as well.
func TestADeploymentIsBoundedByTheModelOfTheHint(t *testing.T) {
	table, err := price.Parse([]byte(`{"rows": [
		{"provider": "azure.ai.openai", "model": "gpt-4o", "per_1M": {"input": "2.50", "output": "10"}},
		{"provider": "azure.ai.openai", "model": "o1-pro", "per_1M": {"input": "150", "output": "600"}}
	]}`))
	if err != nil {
		t.Fatal(err)
	}
	const url = "https://us.openai.azure.com/openai/deployments/chat/chat/completions?api-version=2024-10-21"
	for _, tt := range []struct {
		body, model string
		fits        bool
	}{
		{`{"max_tokens": 100}`, "gpt-4o", true},
		{`{"model": "chat", "max_tokens": 100}`, "gpt-4o", true},
		{`{"model": "o1-pro", "max_tokens": 100}`, "gpt-4o", false}, // the request tells it
		{`{"model": "chat", "max_tokens": 100}`, "", false},
		{`{"model": "chat", "max_tokens": 100}`, "o1-pro", false},
	} {
		p, _ := instrumenttest.New(t)
		f := newFake(t, says(200, "application/json", chatText), aihttp.WithPrices(table))
		ctx, job := p.StartJob(t.Context(), "job", instrument.WithBudget(money.Cent))
		_, err := f.post(aihttp.WithUsage(ctx, price.Usage{Model: tt.model}), url, tt.body)
		if fits := err == nil; fits != tt.fits {
			t.Errorf("%s, %q: %v", tt.body, tt.model, err)
		}
		job.End(nil)
	}
}
