package aihttp

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/stagemeter/stagemeter/instrument/aihttp/internal/wire"
	"github.com/stagemeter/stagemeter/instrument/price"
)

var (
	gemini = &provider{name: "gcp.gemini", hosts: []string{"generativelanguage.googleapis.com"}, endpoint: googleEndpoints("gcp.gemini")}
	vertex = &provider{name: "gcp.vertex_ai", hosts: []string{"aiplatform.googleapis.com", "-aiplatform.googleapis.com", "aiplatform.us.rep.googleapis.com", "aiplatform.eu.rep.googleapis.com"}, endpoint: googleEndpoints("gcp.vertex_ai")}
)

// geminiAnswer reads one answer, an event, or an array of answers.
var geminiAnswer = wire.NewTree("usageMetadata", "modelVersion", "*.usageMetadata", "*.modelVersion", "responseId", "*.responseId",
	"candidates.*.groundingMetadata.webSearchQueries", "*.candidates.*.groundingMetadata.webSearchQueries",
	"candidates.*.groundingMetadata.groundingChunks.*.maps", "*.candidates.*.groundingMetadata.groundingChunks.*.maps")

// Paths of a request.
const (
	sentCandidates = iota
	sentMaxGemini
	sentMaxGeminiSnake
	sentModalities
	sentModalitiesSnake
	sentServiceTier
	sentServiceTierSnake
)

var geminiRequest = wire.NewTree("generationConfig.candidateCount", "generationConfig.maxOutputTokens", "generation_config.max_output_tokens",
	"generationConfig.responseModalities", "generation_config.response_modalities", "serviceTier", "service_tier")

// googleEndpoints returns what tells the endpoints of the Gemini API, or of Vertex AI, which serves the
// models of others, too.
func googleEndpoints(name string) func(*http.Request) *endpoint {
	generate := &endpoint{
		provider: name, operation: "generate_content", request: geminiRequest,
		limits: map[string]int{"n": sentCandidates, "max_output_tokens": sentMaxGemini, "max_tokens": sentMaxGeminiSnake},
		answer: geminiAnswer, needles: []string{`okenCount"`, `"webSearchQueries"`, `"maps"`}, whole: wire.NewNeedle(`"usageMetadata":`), besides: []string{`"webSearchQueries"`, `"maps"`},
		asked: geminiAsked, read: readGemini, head: geminiHead,
	}
	embed := &endpoint{provider: name, operation: "embeddings", answer: geminiAnswer, needles: generate.needles, asked: geminiAsked, read: readGemini}
	interact := geminiInteractions(name)
	openAI, messages, media := openAIFor(name), anthropicFor(name), googleMediaFor(name)
	read := openAI.chat.read
	openAI.chat.read = func(x *exchange, v *wire.JSON) { read(x, v); x.thoughtsBetween(v.Value(gotUsage)) }
	openAI.chat.tellsUsage = true
	raw := *openAI.chat // of publishers such as mistralai
	all := []*endpoint{generate, embed, interact, messages, &raw, openAI.chat, openAI.embeddings}
	for _, ep := range append(all, media.all()...) {
		asked := ep.asked
		ep.asked = func(x *exchange) {
			if asked(x); x.askedModel == "" {
				geminiAsked(x)
			}
			x.model, x.askedModel = x.pickGoogle(x.model), x.pickGoogle(x.askedModel)
			if name == "gcp.vertex_ai" { // whose prices go by the location
				x.region = locationOf(x.url)
			}
		}
	}
	return func(r *http.Request) *endpoint {
		model, method, _ := strings.Cut(operationID(r.URL.Path), ":")
		if ep := media.of(r, method); ep != nil {
			return ep
		}
		if r.Method != http.MethodPost {
			return nil
		}
		switch method {
		case "generateContent", "streamGenerateContent":
			return generate
		case "embedContent", "batchEmbedContents":
			return embed
		case "rawPredict", "streamRawPredict":
			switch {
			case model == "count-tokens": // free
				return nil
			case strings.Contains(r.URL.Path, "/publishers/anthropic/"):
				return messages
			}
			return &raw
		}
		if strings.HasSuffix(r.URL.Path, "/interactions") {
			return interact
		}
		if ep := ofAnthropic(r, messages); ep != nil && name == "gcp.vertex_ai" {
			return ep // of anthropic-sdk-go, before its middleware has made a path of Vertex AI of it
		}
		return openAI.of(r)
	}
}

// pickGoogle returns a model's name as the table has it: without what a path or another API puts
// before it, and after it.
func (x *exchange) pickGoogle(name string) string {
	short := strings.TrimSuffix(operationID(name), "@default")
	if short == name || name == "" {
		return name
	}
	return x.pick(name, short)
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

// geminiHead takes the tier that an answer's head tells.
func geminiHead(x *exchange, h http.Header) {
	if tier := h.Get("X-Gemini-Service-Tier"); tier != "" {
		x.tier = tier
	}
}

// grounded takes how many searches an answer says it rests on. An event may repeat those before it.
func (x *exchange) grounded(v *wire.JSON) {
	n := searchesOf(v.Value(6), v.Value(7))
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
	if !usage.Null() {
		x.takeGeminiUsage(usage)
	}
}

func (x *exchange) takeGeminiUsage(usage wire.Value) {
	switch traffic := x.t.names.Text(usage.Get("trafficType")); traffic {
	case "", "ON_DEMAND", "TRAFFIC_TYPE_UNSPECIFIED":
	default:
		x.tier = strings.ToLower(strings.TrimPrefix(traffic, "ON_DEMAND_"))
	}
	if tier := x.t.names.Text(usage.Get("serviceTier")); tier != "" {
		x.tier = tier
	}
	x.takeGemini(geminiCounts{
		prompt: usage.Get("promptTokenCount"), cached: usage.Get("cachedContentTokenCount"), tools: usage.Get("toolUsePromptTokenCount"),
		written: usage.Get("candidatesTokenCount"), thoughts: usage.Get("thoughtsTokenCount"),
		promptBy: usage.Get("promptTokensDetails"), cachedBy: usage.Get("cacheTokensDetails"),
		toolsBy: usage.Get("toolUsePromptTokensDetails"), writtenBy: usage.Get("candidatesTokensDetails"),
	})
}

// geminiAsked takes the model of the path, …/models/NAME:method, what the answer was to be made of, and
// the searches. Up to Gemini 2 a request that searches is charged once, and later each of its searches is.
func geminiAsked(x *exchange) {
	name, _, _ := strings.Cut(operationID(x.url.Path), ":")
	x.askedModel = name
	if x.ep.request != geminiRequest {
		return
	}
	if x.tier == "" {
		if x.tier = x.sentText(sentServiceTier, ""); x.tier == "" {
			x.tier = x.sentText(sentServiceTierSnake, "")
		}
		if x.tier == "unspecified" {
			x.tier = ""
		}
	}
	if x.untold > 0 {
		wanted := x.sentValue(sentModalities)
		if wanted.Null() {
			wanted = x.sentValue(sentModalitiesSnake)
		}
		x.usage.Add(x.madeOf(wanted), x.untold)
		x.untold = 0
	}
	if n := x.tools.searches; n > 0 && x.hasUsage {
		model := x.model
		if model == "" {
			model = name
		}
		if strings.HasPrefix(model, "gemini-1") || strings.HasPrefix(model, "gemini-2") {
			n = 1 // a prompt is charged, however many searches it took
		}
		x.usage.Add(price.WebSearch, n)
	}
}

// searchesOf returns how many different searches lists have; those of no text are not charged.
func searchesOf(lists ...wire.Value) int64 {
	var seen map[string]bool
	for _, queries := range lists {
		queries.Each(func(_ []byte, q wire.Value) bool {
			if text := q.Text(); text != "" {
				if seen == nil {
					seen = make(map[string]bool)
				}
				seen[text] = true
			}
			return true
		})
	}
	return int64(len(seen))
}

// thoughtsBetween takes thoughts that an answer in OpenAI's way has in its total only.
func (x *exchange) thoughtsBetween(usage wire.Value) {
	all, ok := usage.Get("total_tokens").Int()
	if rest := all - x.usage.InputTokens() - x.usage.OutputTokens(); ok && x.hasUsage && rest > 0 && all <= mostTokens {
		x.usage.Add(price.Output, rest)
	}
}
