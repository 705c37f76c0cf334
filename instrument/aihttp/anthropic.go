package aihttp

import (
	"net/http"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

var anthropic = &provider{name: "anthropic", hosts: []string{"api.anthropic.com"}, endpoint: func(r *http.Request) *endpoint {
	if ep := anthropicBatches.of(r); ep != nil {
		return ep
	}
	return ofAnthropic(r, anthropicMessages)
}}

var anthropicMessages = anthropicFor("anthropic")

func anthropicFor(name string) *endpoint {
	return &endpoint{
		provider: name, operation: "chat", needles: tokenNeedles, geo: true,
		request: wire.NewTree("model", "speed", "inference_geo", "max_tokens"), limits: map[string]int{"max_tokens": 3},
		answer: wire.NewTree("model", "usage", "message", "id", "container", "delta.container"),
		asked:  anthropicAsked, read: readAnthropic, last: func(event []byte) bool {
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

	saidSpeed = 1 << figures // bits of what else an answer has told
	saidGeo   = 1 << (figures + 1)
)

func readAnthropic(x *exchange, v *wire.JSON) {
	model, usage, id, container := v.Value(0), v.Value(1), v.Value(3), v.Value(4)
	if m := v.Value(2); !m.Null() {
		model, usage, id, container = m.Get("model"), m.Get("usage"), m.Get("id"), m.Get("container")
	}
	x.sawID(id)
	x.takeMessage(model, usage)
	if !container.Null() || !v.Value(5).Null() {
		x.told.n[figContainer] = 1
	}
}

// takeMessage takes what a message says of its model and its usage.
func (x *exchange) takeMessage(model, usage wire.Value) {
	x.saw(model, usage.Get("service_tier"))
	x.multiply("speed", usage.Get("speed"), saidSpeed)
	x.multiply("geo", usage.Get("inference_geo"), saidGeo)
	x.told.takeAnthropic(usage)
	if all := usage.Get("iterations"); !all.Null() {
		x.iterations(all)
	}
}

// told is what an answer in the way of Anthropic's, or Bedrock's, has told.
type told struct {
	n     [figures]int64
	given uint16 // a bit for each that was told
	bad   bool   // one of them is no figure
}

// take takes a figure if it is there.
func (t *told) take(fig int, v wire.Value) {
	if v.Null() {
		return
	}
	n, ok := v.Int()
	if !ok || n > mostTokens {
		t.bad = true
		return
	}
	t.n[fig], t.given = n, t.given|1<<fig
}

// takeAnthropic takes the figures of a usage that are there.
func (t *told) takeAnthropic(usage wire.Value) {
	written := usage.Get("cache_creation")
	t.take(figInput, usage.Get("input_tokens"))
	t.take(figOutput, usage.Get("output_tokens"))
	t.take(figCacheRead, usage.Get("cache_read_input_tokens"))
	t.take(figCacheWrite, usage.Get("cache_creation_input_tokens"))
	t.take(figCacheWrite5m, written.Get("ephemeral_5m_input_tokens"))
	t.take(figCacheWrite1h, written.Get("ephemeral_1h_input_tokens"))
	t.take(figWebSearch, usage.Get("server_tool_use", "web_search_requests"))
	t.take(figWebFetch, usage.Get("server_tool_use", "web_fetch_requests"))
}

// add adds the figures to a usage, and reports whether there are any.
func (t *told) add(u *price.Usage) bool {
	n := t.n
	if n[figInput]+n[figCacheRead]+n[figCacheWrite]+n[figCacheWrite5m]+n[figCacheWrite1h]+n[figOutput] == 0 {
		return false
	}
	if t.given&(1<<figCacheWrite) != 0 { // what is not split is for 5 minutes
		rest := n[figCacheWrite] - n[figCacheWrite5m] - n[figCacheWrite1h]
		if rest < 0 {
			t.bad = true
			return false
		}
		n[figCacheWrite5m] += rest
	}
	u.Add(price.Input, n[figInput])
	u.Add(price.CacheRead, n[figCacheRead])
	u.Add(price.CacheWrite5m, n[figCacheWrite5m])
	u.Add(price.CacheWrite1h, n[figCacheWrite1h])
	u.Add(price.Output, n[figOutput])
	u.Add(price.WebSearch, n[figWebSearch])
	return true
}

// iterations takes the parts of a call that the sums of its usage do not have: compactions, and what
// other models did. If another model has answered in the end, its parts are all there is.
func (x *exchange) iterations(all wire.Value) {
	x.also, x.instead = x.also[:0], false
	all.Each(func(_ []byte, part wire.Value) bool {
		x.instead = x.instead || part.Get("type").Is("fallback_message")
		return true
	})
	all.Each(func(_ []byte, part wire.Value) bool {
		switch part.Get("type").Text() {
		case "message":
			if !x.instead {
				return true // the sums have it
			}
		case "compaction", "advisor_message", "fallback_message":
		default:
			x.bad = string(price.UnknownUsage)
			return false
		}
		var t told
		var u price.Usage
		if t.takeAnthropic(part); t.add(&u) {
			u.Model = part.Get("model").Text()
			x.also = append(x.also, u)
		}
		if t.bad {
			x.bad = reasonMalformed
		}
		return !t.bad
	})
}

// anthropicAsked takes what the request says, unless the answer has said it, and makes usage of the
// figures.
func anthropicAsked(x *exchange) {
	x.askedModel = x.sentText(0, "")
	if x.told.given&saidSpeed == 0 {
		x.multiply("speed", x.sentValue(1), 0)
	}
	if x.told.given&saidGeo == 0 {
		x.multiply("geo", x.sentValue(2), 0)
	}
	if x.instead {
		x.usage.Add(price.WebSearch, x.told.n[figWebSearch])
		x.hasUsage = true
	} else if x.told.add(&x.usage) {
		x.hasUsage = true
	}
	if x.told.bad {
		x.bad = reasonMalformed
	}
	// Code that searches and fetches is free. Other code is charged by the time of its container, which no answer tells.
	if n := x.told.n; x.hasUsage && n[figContainer] > 0 && n[figWebSearch]+n[figWebFetch] == 0 {
		x.usage.Add(price.Containers, 1)
	}
}

// multiply takes a property of the call that may multiply its price. The ordinary ones do not.
func (x *exchange) multiply(kind string, v wire.Value, said uint16) {
	s := strings.ToLower(v.Text())
	if s == "" {
		return
	}
	x.told.given |= said
	for i, have := range x.usage.Multipliers {
		if strings.HasPrefix(have, kind+":") { // the last one holds
			x.usage.Multipliers = append(x.usage.Multipliers[:i:i], x.usage.Multipliers[i+1:]...)
			break
		}
	}
	switch s {
	case "standard", "default", "global", "not_available":
		return
	}
	x.usage.Multipliers = append(x.usage.Multipliers, kind+":"+s)
}
