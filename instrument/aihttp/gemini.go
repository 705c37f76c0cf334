package aihttp

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

var (
	gemini = &provider{name: "gcp.gemini", hosts: []string{"generativelanguage.googleapis.com"}, endpoint: geminiEndpoints("gcp.gemini")}
	vertex = &provider{name: "gcp.vertex_ai", hosts: []string{"aiplatform.googleapis.com", "-aiplatform.googleapis.com", "aiplatform.us.rep.googleapis.com", "aiplatform.eu.rep.googleapis.com"}, endpoint: geminiEndpoints("gcp.vertex_ai")}
)

// geminiAnswer reads one answer, an event, or an array of answers.
var geminiAnswer = wire.NewTree("usageMetadata", "modelVersion", "*.usageMetadata", "*.modelVersion", "responseId", "*.responseId",
	"candidates.*.groundingMetadata.webSearchQueries", "*.candidates.*.groundingMetadata.webSearchQueries",
	"candidates.*.groundingMetadata.groundingChunks.*.maps", "*.candidates.*.groundingMetadata.groundingChunks.*.maps")

var geminiRequest = wire.NewTree("generationConfig.candidateCount", "generationConfig.maxOutputTokens", "generation_config.max_output_tokens")

func geminiEndpoints(name string) func(*http.Request) *endpoint {
	generate := &endpoint{
		provider: name, operation: "generate_content", request: geminiRequest, limits: map[string]int{"n": 0, "max_output_tokens": 1},
		answer: geminiAnswer, needles: []string{`okenCount"`, `"webSearchQueries"`, `"maps"`}, whole: wire.NewNeedle(`"usageMetadata":`), besides: []string{`"webSearchQueries"`, `"maps"`},
		asked: geminiAsked, read: readGemini,
	}
	embed := &endpoint{provider: name, operation: "embeddings", answer: geminiAnswer, needles: generate.needles, asked: geminiAsked, read: readGemini}
	openAI := openAIFor(name)
	messages := anthropicFor(name)
	for _, ep := range []*endpoint{generate, embed, messages} {
		if asked := ep.asked; name == "gcp.vertex_ai" { // whose prices go by the location
			ep.asked = func(x *exchange) {
				if asked(x); x.askedModel == "" {
					geminiAsked(x)
				}
				x.region = locationOf(x.url)
			}
		}
	}
	return func(r *http.Request) *endpoint {
		if r.Method != http.MethodPost {
			return nil
		}
		_, method, _ := strings.Cut(r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:], ":")
		switch method {
		case "generateContent", "streamGenerateContent":
			return generate
		case "embedContent", "batchEmbedContents":
			return embed
		case "rawPredict", "streamRawPredict":
			return messages
		}
		if ep := ofAnthropic(r, messages); ep != nil && name == "gcp.vertex_ai" {
			return ep // of anthropic-sdk-go, before its middleware has made a path of Vertex AI of it
		}
		return openAI.of(r)
	}
}

// locationOf returns the location of a path of Vertex AI, …/locations/NAME/…, or that of the host.
func locationOf(u *url.URL) string {
	if _, rest, ok := strings.Cut(u.Path, "/locations/"); ok {
		name, _, _ := strings.Cut(rest, "/")
		return name
	}
	host := u.Hostname()
	if host == "aiplatform.googleapis.com" {
		return "global"
	}
	if name, ok := strings.CutSuffix(host, "-aiplatform.googleapis.com"); ok {
		return name
	}
	if name, ok := strings.CutSuffix(host, ".rep.googleapis.com"); ok {
		return strings.TrimPrefix(name, "aiplatform.")
	}
	return ""
}

// geminiAsked takes the model of the path, …/models/NAME:method, and what it has searched. Up to
// Gemini 2 a request that searches is charged once, and later each of its searches is.
func geminiAsked(x *exchange) {
	name, _, _ := strings.Cut(x.url.Path[strings.LastIndexByte(x.url.Path, '/')+1:], ":")
	x.askedModel = name
	if n := x.tools.searches; n > 0 && x.hasUsage {
		model := x.model
		if model == "" {
			model = name
		}
		if strings.HasPrefix(model, "gemini-1") || strings.HasPrefix(model, "gemini-2") {
			n = 1
		}
		x.usage.Add(price.WebSearch, n)
	}
}

// grounded takes how many searches an answer says it rests on. An event may repeat those before it.
func (x *exchange) grounded(v *wire.JSON) {
	n := int64(0)
	for _, queries := range []wire.Value{v.Value(6), v.Value(7)} {
		queries.Each(func([]byte, wire.Value) bool { n++; return true })
	}
	if n == 0 && !(v.Value(8).Null() && v.Value(9).Null()) {
		n = 1 // of Google Maps
	}
	x.tools.searches = max(x.tools.searches, n)
}

func readGemini(x *exchange, v *wire.JSON) {
	usage, model := v.Value(0), v.Value(1)
	if usage.Null() {
		usage, model = v.Value(2), v.Value(3)
	}
	x.saw(model, nil)
	x.sawID(v.Value(4))
	x.sawID(v.Value(5))
	x.grounded(v)
	if usage.Null() {
		return
	}
	switch traffic := x.t.names.Text(usage.Get("trafficType")); traffic {
	case "", "ON_DEMAND", "TRAFFIC_TYPE_UNSPECIFIED":
	default:
		x.tier = strings.ToLower(strings.TrimPrefix(traffic, "ON_DEMAND_"))
	}
	if tier := x.t.names.Text(usage.Get("serviceTier")); tier != "" {
		x.tier = tier
	}
	var g geminiTokens
	prompt, ok1 := g.count(usage.Get("promptTokenCount"))
	cached, ok2 := g.count(usage.Get("cachedContentTokenCount"))
	tools, ok3 := g.count(usage.Get("toolUsePromptTokenCount"))
	written, ok4 := g.count(usage.Get("candidatesTokenCount"))
	thought, ok5 := g.count(usage.Get("thoughtsTokenCount"))
	in := g.split(usage.Get("promptTokensDetails"), prompt)
	tool := g.split(usage.Get("toolUsePromptTokensDetails"), tools)
	kept := g.split(usage.Get("cacheTokensDetails"), cached)
	out := g.split(usage.Get("candidatesTokensDetails"), written)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || g.bad {
		x.bad = reasonMalformed
		return
	}
	if prompt+written+thought+tools == 0 {
		return
	}
	u := price.Usage{}
	for m := range modalities {
		if in[m] < kept[m] {
			x.bad = reasonMalformed
			return
		}
		u.Add(price.Input+price.Unit(m), in[m]-kept[m]+tool[m])
		u.Add(price.CacheRead+price.Unit(m), kept[m])
		u.Add(price.Output+price.Unit(m), out[m])
	}
	u.Add(price.Output, thought)
	x.usage, x.hasUsage, x.bad = u, true, ""
}

// modalities are text, audio, image and video, in the order of the units of package price.
const modalities = 4

// geminiTokens reads counts, and remembers whether one was none.
type geminiTokens struct{ bad bool }

func (g *geminiTokens) count(v wire.Value) (int64, bool) {
	if v.Null() {
		return 0, true
	}
	return v.Int()
}

// split returns a count by modality. What the details do not have is text.
func (g *geminiTokens) split(details wire.Value, all int64) (n [modalities]int64) {
	rest := all
	details.Each(func(_ []byte, d wire.Value) bool {
		count, ok := g.count(d.Get("tokenCount"))
		g.bad = g.bad || !ok
		at := 0
		switch string(d.Get("modality")) {
		case `"AUDIO"`:
			at = 1
		case `"IMAGE"`:
			at = 2
		case `"VIDEO"`:
			at = 3
		}
		n[at] += count
		rest -= count
		return true
	})
	if rest < 0 {
		g.bad = true
	}
	n[0] += rest
	return n
}
