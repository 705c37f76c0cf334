package aihttp

import (
	"net/http"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

var anthropic = &provider{name: "anthropic", hosts: []string{"api.anthropic.com"}, endpoint: func(r *http.Request) *endpoint {
	return ofAnthropic(r, anthropicMessages)
}}

var anthropicMessages = anthropicFor("anthropic")

func anthropicFor(name string) *endpoint {
	return &endpoint{
		provider: name, operation: "chat", needles: tokenNeedles,
		request: wire.NewTree("model", "speed", "inference_geo", "max_tokens"), limits: map[string]int{"max_tokens": 3}, answer: wire.NewTree("model", "usage", "message", "id", "container", "delta.container"),
		asked: anthropicAsked, read: readAnthropic, last: func(event []byte) bool {
			return string(typeOf(event)) == "message_stop"
		},
	}
}

func ofAnthropic(r *http.Request, messages *endpoint) *endpoint {
	if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/v1/messages") {
		return messages
	}
	return nil
}

// Figures of a Messages answer. A stream tells them one by one, and again: of each, the last holds.
const (
	figInput = iota
	figCacheRead
	figCacheWrite
	figCacheWrite5m
	figCacheWrite1h
	figOutput
	figWebSearch
	figWebFetch
	figContainer
	figures
)

func readAnthropic(x *exchange, v *wire.JSON) {
	model, usage, id, container := v.Value(0), v.Value(1), v.Value(3), v.Value(4)
	if m := v.Value(2); !m.Null() {
		model, usage, id, container = m.Get("model"), m.Get("usage"), m.Get("id"), m.Get("container")
	}
	x.sawID(id)
	x.saw(model, usage.Get("service_tier"))
	x.multiply("speed", usage.Get("speed"))
	x.multiply("geo", usage.Get("inference_geo"))
	written := usage.Get("cache_creation")
	for fig, value := range [figures]wire.Value{
		figInput: usage.Get("input_tokens"), figCacheRead: usage.Get("cache_read_input_tokens"), figCacheWrite: usage.Get("cache_creation_input_tokens"),
		figCacheWrite5m: written.Get("ephemeral_5m_input_tokens"), figCacheWrite1h: written.Get("ephemeral_1h_input_tokens"),
		figOutput: usage.Get("output_tokens"), figWebSearch: usage.Get("server_tool_use", "web_search_requests"),
		figWebFetch: usage.Get("server_tool_use", "web_fetch_requests"),
	} {
		if value.Null() {
			continue
		}
		n, ok := value.Int()
		if !ok {
			x.bad = reasonMalformed
			return
		}
		x.figures[fig], x.given = n, x.given|1<<fig
	}
	if !container.Null() || !v.Value(5).Null() {
		x.figures[figContainer] = 1
	}
}

// anthropicAsked makes usage of the figures.
func anthropicAsked(x *exchange) {
	x.askedModel = x.sentText(0, "")
	x.multiply("speed", x.sentValue(1))
	x.multiply("geo", x.sentValue(2))
	f := x.figures
	if f[figInput]+f[figCacheRead]+f[figCacheWrite]+f[figOutput] == 0 {
		return
	}
	if x.given&(1<<figCacheWrite5m|1<<figCacheWrite1h) == 0 { // without a split, 5 minutes
		f[figCacheWrite5m] = f[figCacheWrite]
	}
	for unit, n := range map[price.Unit]int64{
		price.Input: f[figInput], price.CacheRead: f[figCacheRead], price.CacheWrite5m: f[figCacheWrite5m], price.CacheWrite1h: f[figCacheWrite1h],
		price.Output: f[figOutput], price.WebSearch: f[figWebSearch],
	} {
		x.usage.Add(unit, n)
	}
	// Code that searches and fetches is free. Other code is charged by the time of its container, which no answer tells.
	if f[figContainer] > 0 && f[figWebSearch]+f[figWebFetch] == 0 {
		x.usage.Add(price.Containers, 1)
	}
	x.hasUsage = true
}

// multiply takes a property of the call that may multiply its price. The ordinary ones do not.
func (x *exchange) multiply(kind string, v wire.Value) {
	s := strings.ToLower(v.Text())
	switch s {
	case "", "standard", "default", "global", "not_available":
		return
	}
	s = kind + ":" + s
	for i, have := range x.usage.Multipliers {
		if strings.HasPrefix(have, kind+":") { // the last one holds
			x.usage.Multipliers[i] = s
			return
		}
	}
	x.usage.Multipliers = append(x.usage.Multipliers, s)
}
