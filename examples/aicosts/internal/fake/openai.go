package fake

import (
	"fmt"
	"math"
	"net/http"
)

// openAITranscription tells the seconds that are billed: begun ones.
func openAITranscription(w http.ResponseWriter, r *http.Request) {
	_, file, err := r.FormFile("file")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer(w, fmt.Sprintf(`{"text":"We open on the harbor. The boat is late.","usage":{"type":"duration","seconds":%.0f}}`, math.Ceil(lengthOf(file.Size))))
}

// openAIChat answers a stream. Its usage comes at the end, and only if the request asks for it.
func openAIChat(w http.ResponseWriter, r *http.Request) {
	var asked struct {
		Model   string
		Options struct {
			Usage bool `json:"include_usage"`
		} `json:"stream_options"`
	}
	if !decode(w, r, &asked) {
		return
	}
	chunk := func(choices, usage string) string {
		return fmt.Sprintf(`{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795824000,"model":"%s-2026-03-17","service_tier":"default","choices":[%s],"usage":%s}`,
			asked.Model, choices, usage)
	}
	texts := []string{
		chunk(`{"index":0,"delta":{"role":"assistant","content":"A boat is late,"},"finish_reason":null}`, "null"),
		chunk(`{"index":0,"delta":{"content":" and the harbor waits."},"finish_reason":null}`, "null"),
		chunk(`{"index":0,"delta":{},"finish_reason":"stop"}`, "null"),
	}
	if asked.Options.Usage {
		texts = append(texts, chunk("", `{"prompt_tokens":32,"completion_tokens":11,"total_tokens":43,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},`+
			`"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}`))
	}
	events(w, append(texts, "[DONE]")...)
}
