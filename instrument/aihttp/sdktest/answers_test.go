package sdktest

import (
	"context"
	"io"
	"net/http"
	"strings"

	"google.golang.org/genai"
)

// answered is a call whose answer tells 100 tokens of input and 10 of output: 110,000 nano-dollars.
type answered struct {
	name    string
	api     string
	streams bool
	text    string
	head    int // bytes of text after which a part of the usage is known; 0 if it comes at the end
	sure    int64
	call    func(ctx context.Context, w wiring) error
}

const cost = 110_000

// quick is RetryOptions of genai that wait for nothing.
var quick = genai.ClientConfig{HTTPOptions: genai.HTTPOptions{RetryOptions: &genai.HTTPRetryOptions{
	InitialDelay: genai.Ptr(0.0), MaxDelay: genai.Ptr(0.0), Jitter: genai.Ptr(0.0),
}}}

// answers are calls of libraries that try again.
var answers = []answered{
	{name: "openai-go", api: "openai", call: find("openai-go chat"),
		text: `{"id":"c","object":"chat.completion","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":10}}`},
	{name: "openai-go stream", api: "openai", streams: true, call: find("openai-go chat stream"),
		text: event(`{"id":"c","model":"gpt-4o","choices":[{"index":0,"delta":{"content":"y"}}]}`) +
			event(`{"id":"c","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":10}}`) + event(`[DONE]`)},
	{name: "anthropic", api: "anthropic", call: find("anthropic messages"),
		text: `{"id":"m","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"usage":{"input_tokens":100,"output_tokens":10}}`},
	{name: "anthropic stream", api: "anthropic", streams: true, call: find("anthropic messages stream"), text: messageStart + messageRest,
		head: len(messageStart), sure: 101_000},
	{name: "genai", api: "gcp.gemini", call: generate(quick),
		text: `{"candidates":[],"usageMetadata":{"promptTokenCount":100,"candidatesTokenCount":10},"modelVersion":"gemini-2.5-flash"}`},
	{name: "genai stream", api: "gcp.gemini", streams: true, call: generateStream(quick), text: geminiStart + geminiRest, head: len(geminiStart), sure: 102_000},
}

var (
	messageStart = "event: message_start\n" + event(`{"type":"message_start","message":{"id":"m","type":"message","role":"assistant","model":"claude-sonnet-4-5","content":[],"usage":{"input_tokens":100,"output_tokens":1}}}`)
	messageRest  = "event: content_block_start\n" + event(`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`) +
		"event: content_block_delta\n" + event(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"y"}}`) +
		"event: message_delta\n" + event(`{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":10}}`) +
		"event: message_stop\n" + event(`{"type":"message_stop"}`)
	geminiStart = event(`{"candidates":[{"content":{"role":"model","parts":[{"text":"y"}]}}],"usageMetadata":{"promptTokenCount":100,"candidatesTokenCount":2},"modelVersion":"gemini-2.5-flash"}`)
	geminiRest  = event(`{"candidates":[{"content":{"role":"model","parts":[{"text":"z"}]}}],"usageMetadata":{"promptTokenCount":100,"candidatesTokenCount":10},"modelVersion":"gemini-2.5-flash"}`)
)

func event(data string) string { return "data: " + data + "\n\n" }

func find(name string) func(context.Context, wiring) error {
	for _, c := range callers {
		if c.name == name {
			return c.call
		}
	}
	panic(name)
}

func (a answered) kind() string {
	if a.streams {
		return "text/event-stream"
	}
	return "application/json"
}

// whole answers with the whole answer.
func (a answered) whole() http.HandlerFunc { return says(http.StatusOK, a.kind(), a.text) }

// broken answers with so many bytes of the answer, and breaks off.
func (a answered) broken(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", a.kind())
		_, _ = io.WriteString(w, a.text[:n])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

// fails answers with a status that lets the libraries try again at once.
func fails(status int, header string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		name, value, _ := strings.Cut(header, ": ")
		w.Header().Set(name, value)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"error":{"message":"later","type":"later","code":429}}`)
	}
}
