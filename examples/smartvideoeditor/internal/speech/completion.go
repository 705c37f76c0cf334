package speech

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"
)

// completion is an answer of the chat model, token by token.
type completion struct {
	id      string
	created int64
	model   string
	tokens  []string
	finish  string // why it ends: "stop" or "length"
	read    int    // tokens of the question
}

// complete answers a request. The usage is what has really been read and written: the tokens of
// every message, one for its role, and those of the answer.
func complete(request chatRequest) completion {
	c := completion{id: "chatcmpl-" + rand.Text(), created: time.Now().Unix(), model: request.Model, finish: "stop"}
	for _, m := range request.Messages {
		c.read += 1 + len(tokens(string(m.Content)))
	}
	c.tokens = tokens(reply(request.question()))
	if most := request.limit(); most >= 0 && most < len(c.tokens) {
		c.tokens, c.finish = c.tokens[:most], "length"
	}
	return c
}

// The API's fields.
type (
	chatUsage struct {
		PromptTokens     int `json:"prompt_tokens"`
		CompletionTokens int `json:"completion_tokens"`
		TotalTokens      int `json:"total_tokens"`
	}
	chatDelta struct {
		Role    string `json:"role,omitempty"`
		Content string `json:"content"`
	}
	chatChoice struct {
		Index        int        `json:"index"`
		Message      *chatDelta `json:"message,omitempty"`
		Delta        *chatDelta `json:"delta,omitempty"`
		FinishReason *string    `json:"finish_reason"`
	}
	chatAnswer struct {
		ID      string       `json:"id"`
		Object  string       `json:"object"`
		Created int64        `json:"created"`
		Model   string       `json:"model"`
		Choices []chatChoice `json:"choices"`
		Usage   *chatUsage   `json:"usage,omitempty"`
	}
)

func (c completion) usage() *chatUsage {
	return &chatUsage{PromptTokens: c.read, CompletionTokens: len(c.tokens), TotalTokens: c.read + len(c.tokens)}
}

func (c completion) object(kind string, choices ...chatChoice) chatAnswer {
	return chatAnswer{ID: c.id, Object: kind, Created: c.created, Model: c.model, Choices: append([]chatChoice{}, choices...)}
}

// whole is the answer as one object.
func (c completion) whole() chatAnswer {
	a := c.object("chat.completion", chatChoice{
		Message:      &chatDelta{Role: "assistant", Content: strings.Join(c.tokens, "")},
		FinishReason: &c.finish,
	})
	a.Usage = c.usage()
	return a
}

// stream writes the answer as events, one for each token. The usage comes in an event of its own if
// the request asks for it.
func (c completion) stream(w http.ResponseWriter, usage bool) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	connection := http.NewResponseController(w)
	send := func(a chatAnswer) bool {
		var event bytes.Buffer
		event.WriteString("data: ")
		_ = json.NewEncoder(&event).Encode(a) // of strings and numbers: cannot fail
		event.WriteByte('\n')
		if _, err := w.Write(event.Bytes()); err != nil {
			return false
		}
		_ = connection.Flush() // a writer that cannot sends it later
		return true
	}
	const chunk = "chat.completion.chunk"
	if !send(c.object(chunk, chatChoice{Delta: &chatDelta{Role: "assistant"}})) {
		return
	}
	for _, token := range c.tokens {
		if !send(c.object(chunk, chatChoice{Delta: &chatDelta{Content: token}})) {
			return
		}
	}
	if !send(c.object(chunk, chatChoice{Delta: &chatDelta{}, FinishReason: &c.finish})) {
		return
	}
	if usage {
		last := c.object(chunk)
		last.Usage = c.usage()
		if !send(last) {
			return
		}
	}
	_, _ = io.WriteString(w, "data: [DONE]\n\n") // an error here is one of the connection
}
