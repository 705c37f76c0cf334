package aihttp

import (
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

// modalities are text, audio, image and video, in the order of the units of package price.
const modalities = 4

// modalityOf returns the place of a modality, or -1 for one that has none. Documents are counted and
// charged as the images of their pages.
func modalityOf(name string) int {
	switch strings.ToUpper(name) {
	case "TEXT":
		return 0
	case "AUDIO":
		return 1
	case "IMAGE", "DOCUMENT":
		return 2
	case "VIDEO":
		return 3
	}
	return -1
}

// geminiCounts are the counts of an answer: prompt contains cached; thoughts and tools are on top. Each
// but the thoughts may have a list by modality.
type geminiCounts struct {
	prompt, cached, tools, written, thoughts wire.Value
	promptBy, cachedBy, toolsBy, writtenBy   wire.Value
}

// takeGemini takes counts in place of those so far.
func (x *exchange) takeGemini(c geminiCounts) {
	var g geminiTokens
	prompt, cached, tools, written, thoughts := g.count(c.prompt), g.count(c.cached), g.count(c.tools), g.count(c.written), g.count(c.thoughts)
	in, inRest := g.split(c.promptBy, prompt)
	kept, keptRest := g.split(c.cachedBy, cached)
	tool, toolRest := g.split(c.toolsBy, tools)
	out, outRest := g.split(c.writtenBy, written)
	in[0] += inRest
	tool[0] += toolRest
	g.keep(&kept, keptRest, in)
	for m := range modalities {
		if in[m] < kept[m] {
			g.bad = reasonMalformed
		}
	}
	if g.bad != "" {
		x.bad = g.bad
		return
	}
	if prompt+written+thoughts+tools == 0 {
		return
	}
	u := price.Usage{}
	for m := range modalities {
		u.Add(price.Input+price.Unit(m), in[m]-kept[m]+tool[m])
		u.Add(price.CacheRead+price.Unit(m), kept[m])
		u.Add(price.Output+price.Unit(m), out[m])
	}
	u.Add(price.Output, thoughts)
	x.usage, x.untold, x.hasUsage, x.bad = u, outRest, true, ""
}

// geminiTokens reads counts, and remembers why they are none.
type geminiTokens struct{ bad string }

func (g *geminiTokens) count(v wire.Value) int64 {
	if v.Null() {
		return 0
	}
	n, ok := v.Int()
	if !ok || n > mostTokens {
		g.bad = reasonMalformed
		return 0
	}
	return n
}

// split returns a count by modality, and how much of it has none.
func (g *geminiTokens) split(details wire.Value, all int64) (n [modalities]int64, rest int64) {
	rest = all
	details.Each(func(_ []byte, d wire.Value) bool {
		tokens := d.Get("tokenCount")
		if tokens.Null() {
			tokens = d.Get("tokens")
		}
		count := g.count(tokens)
		if count == 0 {
			return true
		}
		at := modalityOf(d.Get("modality").Text())
		if at < 0 {
			g.bad = string(price.UnknownUnit)
			return false
		}
		n[at] += count
		rest -= count
		return true
	})
	if rest < 0 && g.bad == "" {
		g.bad = reasonMalformed
	}
	return n, rest
}

// keep finds the modality of tokens from a cache that have none: that of all others in the prompt. If
// there are several, nobody knows.
func (g *geminiTokens) keep(kept *[modalities]int64, rest int64, in [modalities]int64) {
	if rest <= 0 {
		return
	}
	at := -1
	for m := range modalities {
		if in[m] <= kept[m] {
			continue
		}
		if at >= 0 {
			g.bad = string(price.UnknownUnit)
			return
		}
		at = m
	}
	kept[max(at, 0)] += rest
}

// madeOf returns the unit of output whose modality the answer does not tell: that which the request
// wanted. If it wanted several, nobody knows.
func (x *exchange) madeOf(wanted wire.Value) price.Unit {
	unit, n := price.Output, 0
	wanted.Each(func(_ []byte, one wire.Value) bool {
		at := modalityOf(one.Text())
		if n++; at < 0 || n > 1 {
			x.bad = string(price.UnknownUnit)
			return false
		}
		unit = price.Output + price.Unit(at)
		return true
	})
	return unit
}

// geminiInteractions is the endpoint of the Interactions API.
func geminiInteractions(name string) *endpoint {
	return &endpoint{
		provider: name, operation: "generate_content", needles: []string{`_tokens"`},
		request: wire.NewTree("model", "agent", "generation_config.max_output_tokens", "service_tier"), limits: map[string]int{"max_output_tokens": 2},
		answer: wire.NewTree("model", "usage", "interaction", "id"),
		asked: func(x *exchange) {
			if x.askedModel = x.sentText(0, ""); x.askedModel == "" {
				x.askedModel = x.sentText(1, "")
			}
			if x.tier == "" {
				x.tier = x.sentText(3, "")
			}
			if n := x.tools.searches; n > 0 && x.hasUsage {
				x.usage.Add(price.WebSearch, n)
			}
		},
		head: geminiHead,
		read: func(x *exchange, v *wire.JSON) {
			model, usage, id := v.Value(0), v.Value(1), v.Value(3)
			if i := v.Value(2); !i.Null() {
				model, usage, id = i.Get("model"), i.Get("usage"), i.Get("id")
			}
			x.sawID(id)
			x.saw(model, nil)
			if usage.Null() {
				return
			}
			x.takeGemini(geminiCounts{
				prompt: usage.Get("total_input_tokens"), cached: usage.Get("total_cached_tokens"), tools: usage.Get("total_tool_use_tokens"),
				written: usage.Get("total_output_tokens"), thoughts: usage.Get("total_thought_tokens"),
				promptBy: usage.Get("input_tokens_by_modality"), cachedBy: usage.Get("cached_tokens_by_modality"),
				toolsBy: usage.Get("tool_use_tokens_by_modality"), writtenBy: usage.Get("output_tokens_by_modality"),
			})
			usage.Get("grounding_tool_count").Each(func(_ []byte, tool wire.Value) bool {
				if n, ok := tool.Get("count").Int(); ok && tool.Get("type").Is("google_search") {
					x.tools.searches = n
				}
				return true
			})
		},
	}
}
